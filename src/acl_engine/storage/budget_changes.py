"""What changes budgets: one statement each, made once, for many looks at a time; every one under
its counter's lock."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.budgets import DAYS, Seen
from acl_engine.storage.budget_use import DAY, DAY_SECONDS
from acl_engine.storage.tables import budget_counters, budget_reservations, budget_seen

_LONGEST = max(DAYS.values()) * DAY_SECONDS
_c, _r, _s = budget_counters.c, budget_reservations.c, budget_seen.c
_NAMES = "counters"

_SET_ASIDE = insert(budget_reservations)
_TAKE = (
    delete(budget_reservations)
    .where(_r.id.in_(bindparam("ids", expanding=True)))
    .returning(_r.id, _r.lease_until)
)
_DROP_DEAD = delete(budget_reservations).where(
    _r.counter.in_(bindparam(_NAMES, expanding=True)), _r.lease_until <= bindparam("now")
)
_DROP_OLD = [
    delete(table).where(
        table.c.counter.in_(bindparam(_NAMES, expanding=True)), day <= bindparam("before")
    )
    for table, day in ((budget_counters, _c.starts_at), (budget_seen, _s.day))
]
_KNOWN = select(_s.counter, _s.subject, _s.day, _s.weight).where(
    tuple_(_s.counter, _s.subject).in_(bindparam("pairs", expanding=True))
)


def _upserts(dialect: Any) -> tuple[Any, Any]:
    """Add to a day's bucket; remember whom a counter has counted."""
    bucket, seen = dialect.insert(budget_counters), dialect.insert(budget_seen)
    return (
        bucket.on_conflict_do_update(
            index_elements=["counter", "window", "starts_at"],
            set_={"used": _c.used + bucket.excluded.used},
        ),
        seen.on_conflict_do_update(
            index_elements=["counter", "subject"],
            set_={"day": seen.excluded.day, "weight": seen.excluded.weight},
        ),
    )


_UPSERTS = {"sqlite": _upserts(sqlite), "postgresql": _upserts(postgresql)}


def lock_of(counter: str) -> str:
    """The lock of a counter: across the rows of all its days, and before a day's first row."""
    return f"budget {counter}"


def set_aside(cx: Connection, held: Iterable[tuple[str, Mapping[str, int]]], until: int) -> None:
    """Write reservations down, each an id and its amounts: a row a counter."""
    rows = [
        {"id": one, "counter": counter, "amount": amount, "lease_until": until}
        for one, amounts in held
        for counter, amount in amounts.items()
    ]
    if rows:
        cx.execute(_SET_ASIDE, rows)


def take(cx: Connection, reservations: Collection[str]) -> Mapping[str, Sequence[int]]:
    """Remove reservations; of each that was there, by id, the ends of its leases. Whoever removes
    it alone charges it."""
    ends: dict[str, list[int]] = defaultdict(list)
    for one, until in cx.execute(_TAKE, {"ids": list(reservations)}):
        ends[one].append(until)
    return ends


def add(cx: Connection, changes: Mapping[tuple[str, int], int]) -> None:
    """Add to the buckets of (counter, day)."""
    rows = [
        {"counter": counter, "window": DAY, "starts_at": day, "used": used}
        for (counter, day), used in sorted(changes.items())
        if used
    ]
    if rows:
        cx.execute(_UPSERTS[cx.dialect.name][0], rows)


def mark_warned(cx: Connection, counter: str, window: str, today: int) -> None:
    """Remember that a window of a counter was warned of today."""
    row = {"counter": counter, "window": f"!{window}", "starts_at": today, "used": 1}
    cx.execute(_UPSERTS[cx.dialect.name][0], [row])


@dataclass(frozen=True, slots=True)
class Moved:
    """A person whose weight in a counter moves from one day's bucket to another's."""

    counter: str
    subject: str
    was_day: int
    was: int
    day: int
    weight: int

    def added(self, since: int) -> int:
        """What a window that begins after `since` has more of."""
        return (self.weight if self.day > since else 0) - (self.was if self.was_day > since else 0)


# (counter, person) -> (day, weight): when, and how clearly, a counter saw somebody last.
Persons = Mapping[tuple[str, str], tuple[int, int]]


def pairs(data: Mapping[str, str], seen: Iterable[Seen]) -> list[tuple[str, Seen]]:
    """Whom each counter saw. `data`: the kind of data that each counts."""
    return [(counter, one) for counter, kind in data.items() for one in seen if one.data == kind]


def known(cx: Connection, wanted: Collection[tuple[str, str]]) -> Persons:
    """What is known of these pairs of a counter and a person."""
    if not wanted:
        return {}
    rows = cx.execute(_KNOWN, {"pairs": sorted(wanted)})
    return {(counter, subject): (day, weight) for counter, subject, day, weight in rows}


def moved(before: Persons, found: Iterable[tuple[str, Seen]], today: int) -> Sequence[Moved]:
    """Each person's weight moved to today, by what is known of each. Nothing is written."""
    rows = []
    for counter, one in found:
        day, weight = before.get((counter, one.subject), (today, 0))
        if day <= today - _LONGEST:
            day, weight = today, 0  # longer ago than any window
        now, heavier = max(day, today), max(weight, one.weight)
        if (day, weight) != (now, heavier):
            rows.append(Moved(counter, one.subject, day, weight, now, heavier))
    return rows


def buckets(moved: Iterable[Moved]) -> Counter[tuple[str, int]]:
    """How the buckets of (counter, day) change."""
    changes: Counter[tuple[str, int]] = Counter()
    for one in moved:
        changes[one.counter, one.was_day] -= one.was
        changes[one.counter, one.day] += one.weight
    return changes


def remember(cx: Connection, moved: Iterable[Moved]) -> None:
    """Keep when, and how clearly, each counter saw each person last."""
    rows = sorted((one.counter, one.subject, one.day, one.weight) for one in moved)
    if rows:
        cx.execute(
            _UPSERTS[cx.dialect.name][1],
            [
                {"counter": counter, "subject": subject, "day": day, "weight": weight}
                for counter, subject, day, weight in rows
            ],
        )


def drop_dead(cx: Connection, counters: Collection[str], now: int) -> None:
    """Take away reservations whose lease ran out."""
    cx.execute(_DROP_DEAD, {_NAMES: list(counters), "now": now})


def drop_old(cx: Connection, counters: Collection[str], today: int) -> None:
    """Take away what no window sees any more: buckets, and whom they counted."""
    for statement in _DROP_OLD:
        cx.execute(statement, {_NAMES: list(counters), "before": today - _LONGEST})
