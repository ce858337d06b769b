"""What changes budgets: one statement each, made once, for many looks at a time; every one under
its counter's lock."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.budgets import DAYS, Seen
from acl_engine.storage.budget_use import DAY, DAY_SECONDS
from acl_engine.storage.listed import Lists, on_both, paired
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import budget_counters, budget_reservations, budget_seen

_LONGEST = max(DAYS.values()) * DAY_SECONDS
_c, _r, _s = budget_counters.c, budget_reservations.c, budget_seen.c
_NAMES = "counters"

_SET_ASIDE = Prepared(insert(budget_reservations))
_TAKE = Prepared(
    on_both(
        lambda lists: (
            delete(budget_reservations)
            .where(lists.has(_r.id, "ids"))
            .returning(_r.id, _r.lease_until)
        )
    )
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


def _known(lists: Lists) -> Select[Any]:
    pairs = lists.pairs()
    both = (_s.counter == pairs.c.first) & (_s.subject == pairs.c.second)
    return select(_s.counter, _s.subject, _s.day, _s.weight).join_from(pairs, budget_seen, both)


_KNOWN = Prepared(on_both(_known))


def _add(dialect: Any) -> Any:
    new = dialect.insert(budget_counters)
    return new.on_conflict_do_update(
        index_elements=["counter", "window", "starts_at"],
        set_={"used": _c.used + new.excluded.used},
    )


def _remember(dialect: Any) -> Any:
    new = dialect.insert(budget_seen)
    return new.on_conflict_do_update(
        index_elements=["counter", "subject"],
        set_={"day": new.excluded.day, "weight": new.excluded.weight},
    )


# Add to a day's bucket; remember whom a counter has counted.
_ADD, _REMEMBER = (
    Prepared({"sqlite": make(sqlite), "postgresql": make(postgresql)}) for make in (_add, _remember)
)


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
        _SET_ASIDE.many(cx, rows)


def take(cx: Connection, reservations: Collection[str]) -> Mapping[str, Sequence[int]]:
    """Remove reservations; of each that was there, by id, the ends of its leases. Whoever removes
    it alone charges it."""
    ends: dict[str, list[int]] = defaultdict(list)
    for row in _TAKE.all(cx, {"ids": list(reservations)}):
        ends[row["id"]].append(row["lease_until"])
    return ends


def add(cx: Connection, changes: Mapping[tuple[str, int], int]) -> None:
    """Add to the buckets of (counter, day)."""
    rows = [
        {"counter": counter, "window": DAY, "starts_at": day, "used": used}
        for (counter, day), used in sorted(changes.items())
        if used
    ]
    if rows:
        _ADD.many(cx, rows)


def mark_warned(cx: Connection, counter: str, window: str, today: int) -> None:
    """Remember that a window of a counter was warned of today."""
    row = {"counter": counter, "window": f"!{window}", "starts_at": today, "used": 1}
    _ADD.many(cx, [row])


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
    rows = _KNOWN.all(cx, paired(sorted(wanted)))
    return {(row["counter"], row["subject"]): (row["day"], row["weight"]) for row in rows}


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
        names = ("counter", "subject", "day", "weight")
        _REMEMBER.many(cx, [dict(zip(names, row, strict=True)) for row in rows])


def drop_dead(cx: Connection, counters: Collection[str], now: int) -> None:
    """Take away reservations whose lease ran out."""
    cx.execute(_DROP_DEAD, {_NAMES: list(counters), "now": now})


def drop_old(cx: Connection, counters: Collection[str], today: int) -> None:
    """Take away what no window sees any more: buckets, and whom they counted."""
    for statement in _DROP_OLD:
        cx.execute(statement, {_NAMES: list(counters), "before": today - _LONGEST})
