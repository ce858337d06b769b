"""Processor time of a bench and of the processes that it made: what other work on the machine does
not stretch, as it does the clock's time.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent(Generic[T]):
    """`wall` and `busy` in seconds; `busy` is that of all processes together."""

    wall: float
    busy: float
    result: T

    def shared(self, processes: int) -> float:
        """Seconds that so many cores need if each does its part and nothing else runs."""
        return self.busy / processes

    def text(self, processes: int = 1) -> str:
        return f"{self.wall:.2f} s; {self.busy:.2f} s of processor" + (
            f", {self.shared(processes):.2f} s of each of {processes} cores"
            if processes > 1
            else ""
        )


def spent(act: Callable[[], T]) -> Spent[T]:
    """Run it. Its processes must have ended when it returns."""
    busy, wall = _busy(), time.perf_counter()
    result = act()
    return Spent(time.perf_counter() - wall, _busy() - busy, result)


def _busy() -> float:
    """Of this process, of its children, and of all whose end they have seen."""
    return time.process_time() + sum(map(_of, _children()))


def _children() -> list[list[str]]:
    """What /proc tells of each child, from its state on; none where there is no /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == os.getpid():
            found.append(fields)
    return found


def _of(fields: list[str]) -> float:
    return sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime (proc(5))
