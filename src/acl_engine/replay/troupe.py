"""Scenarios shared out between processes: each judges whole scenarios, over its own copies.

INVARIANTS
- The result is that of one process, in the same order: no run knows of another.
- What stops one process stops the replay, with its own error.
"""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import Any, TypeVar

from acl_engine.domain.errors import AclError

_Part = TypeVar("_Part")
_Done = TypeVar("_Done")
Work = Callable[[int], object]

# Below this, starting a process takes longer than it saves.
FEW = 4
MOST = 8

_work: Work | None = None


def players(parts: int) -> int:
    """How many processes are worth starting for so many parts."""
    if parts < FEW or sys.platform != "linux":  # elsewhere a fork is not safe, or not there
        return 1
    return max(1, min(MOST, len(os.sched_getaffinity(0)), parts))


def shared_out(
    work: Callable[[_Part], _Done],
    parts: Sequence[_Part],
    count: int,
    done: Callable[[int, _Part], None] = lambda number, part: None,
) -> list[_Done]:
    """`work` of every part, in order, in `count` processes; `done` hears of each that is finished.

    Raises the AclError of the first part that raised one.
    """
    found: dict[int, _Done] = {}
    for number, came in _came(lambda number: work(parts[number]), len(parts), count):
        found[number] = came
        done(len(found), parts[number])
    return [found[number] for number in range(len(parts))]


def _came(work: Callable[[int], _Done], parts: int, count: int) -> Iterator[tuple[int, _Done]]:
    """Each part's number and result, as they are finished."""
    if count < 2:
        yield from ((number, work(number)) for number in range(parts))
        return
    with _pool(work, count) as pool:
        for number, came, error in pool.imap_unordered(_numbered, range(parts)):
            if error is not None:
                raise error
            yield number, came


@contextmanager
def _pool(work: Work, count: int) -> Iterator[Pool]:
    """Forked, so that what was read and built once is there in each process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = get_context("fork").Pool(count, _begin, (work,))
    with pool:
        yield pool


def _begin(work: Work) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    _work = work


def _numbered(number: int) -> tuple[int, Any, AclError | None]:
    assert _work is not None
    try:
        return number, _work(number), None
    except AclError as error:
        return number, None, error
