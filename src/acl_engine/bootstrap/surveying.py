"""Processes that read and judge stretches of a large log, for one verification.

INVARIANT: a process that fails, or dies, leaves its stretch to whoever verifies; nothing is taken
for sound because nobody looked.
"""

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from acl_engine.audit import record
from acl_engine.audit.survey import WIDTH, Survey, survey
from acl_engine.storage.audit_reading import AuditReading
from acl_engine.storage.database import Database

# Below this many records, starting processes takes longer than they save.
WORTHWHILE = 100_000
# Stretches that are asked for ahead, for each process.
_AHEAD = 2

_reading: AuditReading


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def surveys(
    url: str, size: int, processes: int
) -> Callable[[Sequence[int], bool], Iterator[Survey | None]]:
    """Surveys of every whole stretch of a log of `size` records, for `audit.verify`."""

    def each(sizes: Sequence[int], leaves: bool) -> Iterator[Survey | None]:
        starts = iter(range(0, size - WIDTH + 1, WIDTH))
        with ProcessPoolExecutor(processes, _context(), _open, (url,)) as pool:
            waiting: deque[Future[Survey | None] | None] = deque()
            try:
                for start in starts:
                    due = [one for one in sizes if start < one <= start + WIDTH]
                    waiting.append(_asked(pool, start, due, leaves))
                    if len(waiting) > processes * _AHEAD:
                        yield _told(waiting.popleft())
                while waiting:
                    yield _told(waiting.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    return each


def _asked(
    pool: ProcessPoolExecutor, start: int, sizes: Sequence[int], leaves: bool
) -> Future[Survey | None] | None:
    try:
        return pool.submit(_survey, start, sizes, leaves)
    except RuntimeError:  # the pool has broken
        return None


def _told(future: Future[Survey | None] | None) -> Survey | None:
    try:
        return future.result() if future else None
    except Exception:  # noqa: BLE001 - whatever befell it there is met here, and named
        return None


def _context() -> multiprocessing.context.BaseContext:
    """Processes that start from one that has imported what they need, where there is such."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__])
    return found


def _open(url: str) -> None:
    global _reading  # one database a process, for its whole life
    gc.disable()  # what is read is freed at once; looking through it takes a third of the time
    _reading = AuditReading(Database.open(url), record.decode)


def _survey(start: int, sizes: Sequence[int], leaves: bool) -> Survey | None:
    page = next(_reading.pages(start, WIDTH), ())
    return survey(page, start, sizes, leaves=leaves) if len(page) == WIDTH else None
