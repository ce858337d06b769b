"""Budgets: counters of looks that survive a restart and count once, whoever asks at once.

INVARIANTS
- What is used and what is set aside never exceed a limit together, in any window.
- `used` holds settled looks and living reservations. One row a counter and calendar day
  (Asia/Shanghai): 30 days and a year are sums of days, this day included.
- A reservation dies with its lease: a killed process holds nothing longer than that. Settling a
  reservation whose lease ran out is refused, so that no look is answered without being charged.
- Locks are always taken in the order of the counters' names.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone

from sqlalchemy import Connection, case, delete, func, insert, select, text, update

from acl_engine.domain.errors import StoreError
from acl_engine.domain.pack import BudgetLimit
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.tables import budget_counters, budget_reservations

LEASE_LOST = Text(
    "budget.lease-lost",
    "查询额度的预留已过期",
    "the reservation of this look has run out",
    "该次查询耗时过长，请重试",
    "the look took too long: try again",
)

# Longer than any honest look, shorter than anyone would wait for a colleague's.
LEASE_SECONDS = 60
DAYS = {"day": 1, "30d": 30, "year": 365}

# China has had no summer time since 1991, so a fixed offset is its calendar.
_SHANGHAI = timezone(timedelta(hours=8))
_DAY_SECONDS = 86_400
# What an action spends, where it is not looks.
_COUNTED = {
    Action.ASK: "asks",
    Action.BREAK_GLASS: "asks",
    Action.APPROVE: "approvals",
    Action.REFUSE: "",
    Action.WITHDRAW: "",
    Action.REVIEW: "",
}
_c, _r = budget_counters.c, budget_reservations.c


class BudgetStore:
    """The Budgets port over the database. `limits` are the pack's."""

    def __init__(
        self,
        database: Database,
        limits: Iterable[BudgetLimit],
        clock: Clock,
        *,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._limits = tuple(limits)
        self._clock = clock
        self._lease = lease_seconds

    def reserve(self, principal: Principal, request: Request, amount: int) -> str | None:
        """Set `amount` looks aside in every window; the reservation's id, or None: spent."""
        if amount < 1:
            raise ValueError("a look costs at least one")
        now = self._clock.now()
        self._free_the_dead(int(now.timestamp()))
        of = _COUNTED.get(request.action, "looks")
        limits = {(_counter(principal, one), one) for one in self._limits if one.of == of}
        counters = sorted({name for name, _ in limits})
        today = _day_start(now)
        reservation = secrets.token_hex(16)
        with self._database.write() as cx:
            self._lock(cx, counters)
            used = _used(cx, counters, today)
            for name, limit in limits:
                if used.get((name, limit.window), 0) + amount > limit.limit:
                    return None
            for name in counters:
                _add(cx, name, today, amount)
            cx.execute(
                insert(budget_reservations).values(
                    id=reservation,
                    counters=json.dumps([[name, "day", today] for name in counters]),
                    amount=amount,
                    lease_until=int(now.timestamp()) + self._lease,
                )
            )
        return reservation

    def settle(self, reservation: str, amount: int) -> None:
        """Charge what was shown; the rest is free again.

        Raises ValueError for more than was set aside, StoreError when the lease has run out.
        """
        now = int(self._clock.now().timestamp())
        with self._database.write() as cx:
            taken = _take(cx, reservation)
            if taken is None or taken.lease_until <= now:
                raise StoreError(LEASE_LOST.of())
            if not 0 <= amount <= taken.amount:
                raise ValueError("more was shown than was set aside")
            _give_back(cx, taken.counters, taken.amount - amount)

    def release(self, reservation: str) -> None:
        """Nothing was shown: all of it is free again. A reservation that is gone is free."""
        with self._database.write() as cx:
            taken = _take(cx, reservation)
            if taken is not None:
                _give_back(cx, taken.counters, taken.amount)

    def _free_the_dead(self, now: int) -> None:
        dead = select(_r.id).where(_r.lease_until <= now)
        with self._database.read() as cx:
            ids = cx.scalars(dead).all()
        for one in ids:
            with self._database.write() as cx:
                taken = _take(cx, one)
                if taken is not None:
                    _give_back(cx, taken.counters, taken.amount)

    def _lock(self, cx: Connection, counters: Sequence[str]) -> None:
        # SQLite has one writer. PostgreSQL: a lock of this name until the transaction ends, which
        # holds across the rows of all days, and before a day's first row exists.
        if self._database.dialect == "postgresql":
            for name in counters:
                cx.execute(
                    text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
                    {"name": f"budget {name}"},
                )


def _counter(principal: Principal, limit: BudgetLimit) -> str:
    kind = "" if limit.of == "looks" else f"{limit.of}:"
    return f"{kind}{limit.per}:{_who(principal, limit.per)}"


def _who(principal: Principal, per: str) -> str:
    who = {
        "account": principal.account,
        "person": principal.person,
        "device": principal.device,
        "unit": principal.unit,
    }[per]
    return who or "none"


def _day_start(now: datetime) -> int:
    local = now.astimezone(_SHANGHAI)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def _used(cx: Connection, counters: Sequence[str], today: int) -> dict[tuple[str, str], int]:
    """What is used per counter and window."""
    sums = [
        func.sum(case((_c.starts_at > today - days * _DAY_SECONDS, _c.used), else_=0))
        for days in DAYS.values()
    ]
    query = (
        select(_c.counter, *sums)
        .where(
            _c.counter.in_(counters),
            _c.window == "day",
            _c.starts_at > today - max(DAYS.values()) * _DAY_SECONDS,
        )
        .group_by(_c.counter)
    )
    return {
        (row[0], window): int(row[place])
        for row in cx.execute(query)
        for place, window in enumerate(DAYS, 1)
    }


def _add(cx: Connection, counter: str, day: int, amount: int) -> None:
    row = (_c.counter == counter) & (_c.window == "day") & (_c.starts_at == day)
    changed = cx.execute(update(budget_counters).where(row).values(used=_c.used + amount))
    if changed.rowcount == 0:
        cx.execute(
            insert(budget_counters).values(
                counter=counter, window="day", starts_at=day, used=amount
            )
        )


class _Taken:
    def __init__(self, counters: str, amount: int, lease_until: int) -> None:
        self.counters: list[tuple[str, str, int]] = json.loads(counters)
        self.amount = amount
        self.lease_until = lease_until


def _take(cx: Connection, reservation: str) -> _Taken | None:
    """Remove a reservation: whoever removes it, and nobody else, gives back or charges it."""
    row = cx.execute(
        delete(budget_reservations)
        .where(_r.id == reservation)
        .returning(_r.counters, _r.amount, _r.lease_until)
    ).first()
    return None if row is None else _Taken(row[0], row[1], row[2])


def _give_back(cx: Connection, counters: Sequence[tuple[str, str, int]], amount: int) -> None:
    for counter, window, day in sorted(counters):
        row = (_c.counter == counter) & (_c.window == window) & (_c.starts_at == day)
        cx.execute(update(budget_counters).where(row).values(used=_c.used - amount))
