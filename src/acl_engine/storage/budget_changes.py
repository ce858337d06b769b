"""What changes budgets: one statement each, made once, every one under its counter's lock."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.budgets import DAYS, Seen
from acl_engine.storage.budget_use import DAY, DAY_SECONDS
from acl_engine.storage.tables import budget_counters, budget_reservations, budget_seen

_LONGEST = max(DAYS.values()) * DAY_SECONDS
_c, _r, _s = budget_counters.c, budget_reservations.c, budget_seen.c
_NAMES = "counters"

_LOCK = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:keys AS bigint[])) AS one")
_SET_ASIDE = insert(budget_reservations)
_TAKE = delete(budget_reservations).where(_r.id == bindparam("one")).returning(_r.lease_until)
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
    _s.counter.in_(bindparam(_NAMES, expanding=True)),
    _s.subject.in_(bindparam("subjects", expanding=True)),
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


def lock(cx: Connection, counters: Iterable[str]) -> None:
    """Have these counters alone until the transaction ends. Always taken in one order."""
    # SQLite has one writer. PostgreSQL: a lock a counter, which holds across the rows of all days,
    # and before a day's first row exists.
    if cx.dialect.name == "postgresql":
        cx.execute(_LOCK, {"keys": sorted(map(_lock_key, counters))})


def _lock_key(counter: str) -> int:
    digest = blake2b(f"budget {counter}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def set_aside(cx: Connection, reservation: str, amounts: Mapping[str, int], until: int) -> None:
    """Write a reservation down, a row a counter."""
    cx.execute(
        _SET_ASIDE,
        [
            {"id": reservation, "counter": counter, "amount": amount, "lease_until": until}
            for counter, amount in amounts.items()
        ],
    )


def take(cx: Connection, reservation: str) -> Sequence[int]:
    """Remove a reservation; the ends of its leases. Whoever removes it alone charges it."""
    return cx.scalars(_TAKE, {"one": reservation}).all()


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


def persons(
    cx: Connection, data: Mapping[str, str], seen: Iterable[Seen], today: int
) -> Sequence[Moved]:
    """Each person's weight moved to today, in every counter of their data. Nothing is written.

    `data`: the kind of data that each counter counts.
    """
    shown = [one for one in seen if one.data in data.values()]
    if not shown:
        return ()
    asked = {_NAMES: list(data), "subjects": sorted({one.subject for one in shown})}
    known = {(row.counter, row.subject): (row.day, row.weight) for row in cx.execute(_KNOWN, asked)}
    found = []
    for counter, kind in data.items():
        for one in (one for one in shown if one.data == kind):
            day, weight = known.get((counter, one.subject), (today, 0))
            if day <= today - _LONGEST:
                day, weight = today, 0  # longer ago than any window
            now, heavier = max(day, today), max(weight, one.weight)
            if (day, weight) != (now, heavier):
                found.append(Moved(counter, one.subject, day, weight, now, heavier))
    return found


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
