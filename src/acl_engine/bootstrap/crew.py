"""Processes that each read stretches of a large log, in order, for one question.

INVARIANT: a process that fails, or dies, gives None for its stretch, and whoever asked reads that
stretch; nothing is skipped because nobody looked.
"""

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

from acl_engine.audit import record
from acl_engine.audit.survey import WIDTH
from acl_engine.storage.audit_reading import AuditReading
from acl_engine.storage.database import Database

R = TypeVar("R")
# Below this many records, starting processes takes longer than they save.
WORTHWHILE = 100_000
# Stretches that are asked for ahead, for each process.
_AHEAD = 2
# Stretches that whoever asks reads itself: the processes take that long to start.
_MEANWHILE = 2

# One log a process of the crew, for its whole life.
_reading: AuditReading


def hands(url: str, size: int) -> int:
    """How many processes to read a log of `size` records with; 1: do it alone. `url` is empty
    where other processes cannot open the database."""
    return cores() if url and size >= WORTHWHILE else 1


def cores() -> int:
    """How many processes can run at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def stretches(size: int) -> range:
    """Where each whole stretch of a log begins."""
    return range(0, size - WIDTH + 1, WIDTH)


def reading() -> AuditReading:
    """The log, inside a process of the crew."""
    return _reading


def each(
    url: str, processes: int, work: Callable[..., R], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[R | None]:
    """What `work` gives for each task, in order; None: the asker does it. It is a module's own
    function, and calls `reading`."""
    with ProcessPoolExecutor(processes, _context(), _open, (url,)) as pool:
        yield from answers(pool, processes, work, tasks, _MEANWHILE)


def answers(
    pool: ProcessPoolExecutor,
    processes: int,
    work: Callable[..., R],
    tasks: Iterable[tuple[Any, ...]],
    own: int = 0,
) -> Iterator[R | None]:
    """What `work` gives for each task, in order, asked for a little ahead; None where it failed,
    and for the first `own` tasks, which nobody was asked."""
    waiting: deque[Future[R] | None] = deque()
    try:
        for number, task in enumerate(tasks):
            waiting.append(None if number < own else _asked(pool, work, task))
            if len(waiting) > processes * _AHEAD:
                yield _told(waiting.popleft())
        while waiting:
            yield _told(waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _asked(
    pool: ProcessPoolExecutor, work: Callable[..., R], task: tuple[Any, ...]
) -> Future[R] | None:
    try:
        return pool.submit(work, *task)
    except RuntimeError:  # the pool has broken
        return None


def _told(future: Future[R] | None) -> R | None:
    try:
        return future.result() if future else None
    except Exception:  # noqa: BLE001 - whatever befell it there is met, and named, by who asked
        return None


def _context() -> multiprocessing.context.BaseContext:
    """Processes that start from one that has imported what they need, where there is such."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["acl_engine.bootstrap.surveying", "acl_engine.bootstrap.looking"])
    return found


def _open(url: str) -> None:
    global _reading
    gc.disable()  # what is read is freed at once; looking through it takes a third of the time
    database = Database.open(url)
    database.map_file()
    _reading = AuditReading(database, record.decode)
