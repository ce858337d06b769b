"""Counting within a span of time: what one correlation rule remembers, group by group.

INVARIANTS
- Time is the events'; nothing here reads a clock, so that history and the present count alike.
- Memory is bounded by the events of one span: groups that went quiet are forgotten.
- When a rule has fired its group starts from nothing, so that one deed is one alert.
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Waiting = TypeVar("Waiting")

# Groups are looked through for quiet ones after so many marks.
_SWEEP = 4096


class Mark(NamedTuple):
    """One event that counts. `record` is its index, None for what does not stand in the log.
    `value` is what differs; `rule` which event rule it fits."""

    at: int
    record: int | None
    value: Hashable
    rule: str
    account: str | None
    device: str | None


class Window:
    """Marks by group, none older than `span` milliseconds."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._groups: dict[Hashable, deque[Mark]] = {}
        self._since_sweep = 0

    def add(self, group: Hashable, mark: Mark) -> deque[Mark]:
        """Put a mark in; the marks of its group that still count, oldest first."""
        marks = self._groups.get(group)
        if marks is None:
            marks = self._groups[group] = deque()
        oldest = mark.at - self._span
        while marks and marks[0].at < oldest:
            marks.popleft()
        marks.append(mark)
        self._since_sweep += 1
        if self._since_sweep >= _SWEEP:
            self._sweep(oldest)
        return marks

    def clear(self, group: Hashable) -> None:
        self._groups.pop(group, None)

    def _sweep(self, oldest: int) -> None:
        self._since_sweep = 0
        quiet = [group for group, marks in self._groups.items() if marks[-1].at < oldest]
        for group in quiet:
            del self._groups[group]


class Absence(Generic[Waiting]):
    """Events that wait for another one of the same subject; those it never came for come out."""

    def __init__(self, before: int, after: int) -> None:
        self._before, self._after = before, after
        self._met: dict[str, int] = {}  # subject -> when the other event last was
        self._waiting: dict[str, list[int]] = {}  # subject -> numbers of those that wait
        self._line: deque[tuple[int, int, str, Waiting]] = deque()  # due, number, subject, what
        self._gone: set[int] = set()
        self._number = 0
        self._sweep_at = _SWEEP

    def met(self, subject: str, at: int) -> None:
        """The other event came: whoever waits for it has not gone without."""
        self._met[subject] = at
        if len(self._met) >= self._sweep_at:
            self._met = {one: last for one, last in self._met.items() if last >= at - self._before}
            self._sweep_at = 2 * len(self._met) + _SWEEP
        self._gone.update(self._waiting.pop(subject, ()))

    def wait(self, subject: str, at: int, what: Waiting) -> None:
        last = self._met.get(subject)
        if last is not None and at - last <= self._before:
            return
        self._number += 1
        self._waiting.setdefault(subject, []).append(self._number)
        self._line.append((at + self._after, self._number, subject, what))

    def due(self, now: int) -> list[Waiting]:
        """What has waited in vain until `now`."""
        if not self._line or self._line[0][0] >= now:
            return []
        out: list[Waiting] = []
        while self._line and self._line[0][0] < now:
            _, number, subject, what = self._line.popleft()
            if number in self._gone:
                self._gone.discard(number)
                continue
            waiting = self._waiting.get(subject)
            if waiting is not None:
                waiting.remove(number)
                if not waiting:
                    del self._waiting[subject]
            out.append(what)
        return out


class Novelty:
    """Whether a value is new to somebody: not seen with them within `history`."""

    def __init__(self, history: int, warm_up: int, fresh: int) -> None:
        self._history, self._warm_up, self._fresh = history, warm_up, fresh
        self._began: dict[Hashable, int] = {}
        self._seen: dict[tuple[Hashable, str], tuple[int, int]] = {}  # since when, last when

    def new(self, who: Hashable, value: str, at: int) -> bool:
        """Note the value. New means: first seen at most `fresh` ago, after the warm-up."""
        began = self._began.setdefault(who, at)
        since, last = self._seen.get((who, value), (at, at))
        if at - last > self._history:
            since = at
        self._seen[who, value] = (since, at)
        return at - since <= self._fresh and since - began >= self._warm_up
