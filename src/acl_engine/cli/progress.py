"""A bar of what is done and what is left, on stderr, on a terminal only."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def counting_bar() -> Iterator[Callable[[int, int], None]]:
    """Call what it gives with how much is done, of how much."""
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def counting(steps: Iterable[int], total: int) -> int:
    """Walk steps that each say how much they did; how much they did together."""
    done = 0
    with counting_bar() as show:
        for step in steps:
            done += step
            show(done, total)
    return done
