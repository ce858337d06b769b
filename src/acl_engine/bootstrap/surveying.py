"""Several processes verify one log: each judges stretches of it by themselves."""

from collections.abc import Callable, Iterator, Sequence

from acl_engine.audit.survey import WIDTH, Survey, survey
from acl_engine.bootstrap import crew


def surveys(
    url: str, size: int, processes: int
) -> Callable[[Sequence[int], bool], Iterator[Survey | None]]:
    """Surveys of every whole stretch of a log of `size` records, for `audit.verify`."""

    def each(sizes: Sequence[int], leaves: bool) -> Iterator[Survey | None]:
        tasks = (
            (start, [one for one in sizes if start < one <= start + WIDTH], leaves)
            for start in crew.stretches(size)
        )
        return crew.each(url, processes, _survey, tasks)

    return each


def _survey(start: int, sizes: Sequence[int], leaves: bool) -> Survey | None:
    page = next(crew.reading().pages(start, WIDTH), ())
    return survey(page, start, sizes, leaves=leaves) if len(page) == WIDTH else None
