"""Several processes read a log's looks for tracing; one puts them together, in order."""

from collections.abc import Iterator

from acl_engine.audit.lookbook import LookBook, Looked, looked
from acl_engine.audit.survey import WIDTH
from acl_engine.bootstrap import crew
from acl_engine.storage.audit_reading import AuditReading


def look_book(reading: AuditReading, url: str, since: int, until: int) -> LookBook:
    """The answered looks with `since` <= at < `until` (epoch ms). Raises StoreError naming a
    record that cannot be read. `url`: see `crew.hands`."""
    size, book, done = reading.size(), LookBook(), 0
    processes = crew.hands(url, size)
    if processes > 1:
        tasks = ((start, since, until) for start in crew.stretches(size))
        for start, found in zip(
            crew.stretches(size), crew.each(url, processes, _looked, tasks), strict=True
        ):
            done = start + WIDTH
            for one in _read(reading, start, done, since, until) if found is None else found:
                book.add(*one)
    for one in _read(reading, done, 2**62, since, until):
        book.add(*one)
    return book


def _looked(start: int, since: int, until: int) -> list[Looked]:
    return list(_read(crew.reading(), start, start + WIDTH, since, until))


def _read(reading: AuditReading, start: int, end: int, since: int, until: int) -> Iterator[Looked]:
    return looked(reading.bodies(start, end), since, until)
