"""Clocks: the system's, and one that stands still until it is moved."""

import time
from datetime import UTC, datetime, timedelta

from acl_engine.domain.ports import Clock


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """The system's clock, moved: a synthetic world is served at its own time, in every process."""

    def __init__(self, seconds: int) -> None:
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


class SteppedClock:
    """Replay's clock: it moves when told to, and backwards only where somebody sets it back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: int) -> None:
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += timedelta(seconds=seconds)

    def set_back(self, seconds: int) -> None:
        """What a person with the host does to its clock."""
        self._now -= timedelta(seconds=seconds)


def millis_of(clock: Clock) -> int:
    """A clock's time in epoch milliseconds."""
    return int(clock.now().timestamp() * 1000)


def millis() -> int:
    """The system's time in epoch milliseconds, as the audit log counts."""
    return time.time_ns() // 1_000_000
