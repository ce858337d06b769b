"""What a backtest found: counts by role, branch and reason, and what could not be judged."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from acl_engine.domain.text import Message

# Why a line is not judged: it cannot be read; its account, action or record is not known; it names
# no record; it is older than its record.
Cause = Literal["unreadable", "account", "action", "record", "no-record", "later"]
# Of the lines that are not judged, so many are named for each cause.
FIRST_LINES = 5
NO_SPAN = (2**62, -(2**62))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the policy says now of some accesses of one role; `reason` names relations and rows."""

    role: str
    action: str
    allowed: bool
    controls: tuple[str, ...]
    reason: Message


@dataclass(frozen=True, slots=True)
class Tally:
    """So many accesses of one branch. `then`: whether they were allowed when they were made."""

    outcome: Outcome
    unit: str
    then: bool
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """`span` is the first and the last moment judged (epoch seconds). `accounts`: how many of an
    account's accesses that were allowed would be denied, most first. `unjudged` by cause, and
    `first` the numbers of the first lines of each. `devices_told`: see `judging.Batch`."""

    version: str
    span: tuple[int, int]
    tallies: tuple[Tally, ...]
    accounts: Mapping[str, int]
    unjudged: Mapping[Cause, int]
    first: Mapping[Cause, tuple[int, ...]]
    devices_told: bool = True

    def count(self, *, then: bool | None = None, now: bool | None = None) -> int:
        """Judged accesses, by what was and what would be said."""
        return sum(
            one.count
            for one in self.tallies
            if then in (None, one.then) and now in (None, one.outcome.allowed)
        )

    def by(self, key: Callable[[Tally], str]) -> list[tuple[str, int, int]]:
        """Of the accesses that were allowed: name, all, and those denied now; most denied first."""
        every: Counter[str] = Counter()
        denied: Counter[str] = Counter()
        for one in self.tallies:
            if one.then:
                every[key(one)] += one.count
                denied[key(one)] += 0 if one.outcome.allowed else one.count
        rows = [(name, every[name], denied[name]) for name in every]
        return sorted(rows, key=lambda row: (-row[2], row[0]))

    def reasons(self) -> list[tuple[Outcome, int]]:
        """Why accesses that were allowed would be denied, most first."""
        found: Counter[Outcome] = Counter()
        for one in self.tallies:
            if one.then and not one.outcome.allowed:
                found[one.outcome] += one.count
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0].role, pair[0].action))


def together(parts: Iterable[Report], version: str) -> Report:
    """The report of a whole log from those of its stretches, in the log's order. It does not tell
    how the log was divided."""
    tallies: Counter[tuple[Outcome, str, bool]] = Counter()
    accounts: Counter[str] = Counter()
    unjudged: Counter[Cause] = Counter()
    first: dict[Cause, tuple[int, ...]] = {}
    span, told = NO_SPAN, True
    for part in parts:
        for one in part.tallies:
            tallies[one.outcome, one.unit, one.then] += one.count
        accounts.update(part.accounts)
        unjudged.update(part.unjudged)
        for cause, lines in part.first.items():
            first[cause] = (*first.get(cause, ()), *lines)[:FIRST_LINES]
        span = min(span[0], part.span[0]), max(span[1], part.span[1])
        told = told and part.devices_told
    counted = sorted(tallies.items(), key=lambda pair: _place(*pair[0]))
    return Report(
        version,
        span if tallies else (0, 0),
        tuple(Tally(*key, count) for key, count in counted),
        dict(sorted(accounts.items(), key=lambda pair: (-pair[1], pair[0]))),
        dict(unjudged),
        first,
        told,
    )


def _place(outcome: Outcome, unit: str, then: bool) -> tuple[object, ...]:
    reason = outcome.reason
    return outcome.role, outcome.action, reason.code, reason.params, outcome.controls, unit, then
