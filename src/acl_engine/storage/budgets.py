"""Budgets: counters of looks and persons that survive a restart and count once, whoever asks.

INVARIANTS
- What is used and what is set aside never exceed a limit together, in any window. Looks are set
  aside whole or not at all. Of persons no more is set aside than the limit has room for, since
  whoever was counted before costs nothing; a look that then shows more than that is refused.
  (A person who was seen in clear before keeps that weight when seen masked again.)
- A limit that freezes does so as soon as not one more fits: a page that is too large is refused
  alone, and so is one that another look has no room beside, for that passes.
- A reservation counts until its lease ends, and then no more: a killed process holds nothing
  longer. Settling one that ran out is refused, so that no look is answered uncharged.
- A person counts once in a counter, on the day of the last look, at the weight of the clearest.
- What is charged is durable with the outcome's record, which is written after it and before the
  answer leaves; what is set aside dies with the process anyway.
- Whatever belongs to a counter is changed under its lock alone; locks are taken in one order.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from acl_engine.domain.budgets import (
    FROZEN,
    NO_WEIGHTS,
    SPENT,
    STEP_UP,
    Reservation,
    Seen,
    Warned,
)
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import ActRefused, StoreError
from acl_engine.domain.pack import BudgetLimit
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Text
from acl_engine.storage import budget_changes as change
from acl_engine.storage.budget_room import Charge, overflow, reservation_of
from acl_engine.storage.budget_use import (
    Counted,
    counted,
    counter_of,
    day_start,
    farthest,
    handled,
    scale,
    who_is,
)
from acl_engine.storage.database import Database
from acl_engine.storage.staff import SqlStaffDirectory

LEASE_LOST = Text(
    "budget.lease-lost",
    "查询额度的预留已过期",
    "the reservation of this look has run out",
    "该次查询耗时过长，请重试",
    "the look took too long: try again",
)

# Longer than any honest look, shorter than anyone would wait for a colleague's.
LEASE_SECONDS = 60
# What an action spends, where it is not looks.
_COUNTED = {
    Action.ASK: "asks",
    Action.BREAK_GLASS: "asks",
    Action.APPROVE: "approvals",
    Action.REFUSE: "",
    Action.WITHDRAW: "",
    Action.REVIEW: "",
}
# Freezes whoever looks, at a moment in epoch seconds.
Freeze = Callable[[Principal, int], object]


class BudgetStore:
    """The Budgets port over the database. `limits` are the pack's; `groups` gives the groups of a
    role, itself among them."""

    def __init__(
        self,
        database: Database,
        limits: Iterable[BudgetLimit],
        clock: Clock,
        *,
        groups: Callable[[str], frozenset[str]] = lambda role: frozenset({role}),
        lease_seconds: int = LEASE_SECONDS,
        freeze: Freeze | None = None,
    ) -> None:
        """`freeze`: what is done to an account beyond a limit that says so, before it is told."""
        self._database = database
        self._limits = tuple(limits)
        self._clock = clock
        self._groups = groups
        self._lease = lease_seconds
        staff = SqlStaffDirectory(database)
        self._freeze = freeze or (lambda who, now: staff.freeze(who.account, None, now))
        self._of: dict[str, tuple[BudgetLimit, ...]] = {}
        self._handled: dict[tuple[str, str, int], int] = {}
        self._tidied_on = 0
        self._tidied: set[str] = set()

    def reserve(
        self,
        principal: Principal,
        request: Request,
        amount: int,
        weights: Mapping[str, int] = NO_WEIGHTS,
        *,
        fresh: bool = False,
    ) -> Reservation:
        """Set `amount` looks aside in every window, and so many times the `weights` of persons.

        `weights`: per kind of data what one record may show, in hundredths of a person. `fresh`: a
        second factor was shown just now. Raises ActRefused: spent, or a fresh factor is needed.
        """
        if amount < 1:
            raise ValueError("a look costs at least one")
        charges = self._charges(principal, request.action, amount, weights)
        if not charges:
            return Reservation(secrets.token_hex(16), amount, {}, {})
        moment = self._clock.now()
        now, today = int(moment.timestamp()), day_start(moment)
        spans = farthest((one.counter, one.limit.window) for one in charges)
        with self._database.write(durable=False) as cx:
            change.lock(cx, spans)
            counts = counted(cx, spans, today, now)
            self._tidy(cx, counts, today, now)
            rooms = [self._room(cx, principal, one, counts[one.counter], today) for one in charges]
            reservation = reservation_of(amount, charges, rooms)
            refused = self._refusal(cx, principal, charges, rooms, counts, today, fresh)
            if refused is None:
                freezing = self._freezing(principal, charges, counts, today)
                change.set_aside(cx, reservation.id, reservation.amounts, now + self._lease)
                warned = tuple(self._warnings(cx, principal, charges, counts, today))
        if refused == FROZEN:
            self._freeze(principal, now)
        if refused is not None:
            raise ActRefused(Refusal("4", ("budget",), None, refused))
        return replace(reservation, warned=warned, freezing=freezing, who=principal)

    def settle(self, reservation: Reservation, amount: int, seen: Sequence[Seen] = ()) -> None:
        """Charge what was shown, looks and persons (each once a kind of data); the rest is free.

        Raises ValueError for more looks than were set aside, StoreError when the lease has run out;
        ActRefused for more persons than there was room for; where not one of them fitted, a limit
        that freezes has done so. The looks are charged all the same: the refusal tells that
        somebody is there, and would be asked for without end if it were free.
        """
        if not 0 <= amount <= reservation.looks:
            raise ValueError("more was shown than was set aside")
        if not reservation.amounts:
            return
        moment = self._clock.now()
        now, today, names = int(moment.timestamp()), day_start(moment), reservation.amounts
        with self._database.write(durable=False) as cx:
            change.lock(cx, names)
            leases = change.take(cx, reservation.id)
            if len(leases) != len(names) or min(leases) <= now:
                raise StoreError(LEASE_LOST.of())
            moved = change.persons(cx, reservation.data, seen, today)
            refused = overflow(reservation, moved, today)
            if refused is not None:
                moved = ()
            change.remember(cx, moved)
            changes = change.buckets(moved)
            changes.update({(n, today): amount for n in names if n not in reservation.data})
            change.add(cx, changes)
        if refused == FROZEN and reservation.who is not None:
            self._freeze(reservation.who, now)
        if refused is not None:
            raise ActRefused(Refusal("10", ("budget",), None, refused))

    def release(self, reservation: Reservation) -> None:
        """Nothing was shown: all of it is free again. A reservation that is gone is free."""
        if reservation.amounts:
            with self._database.write(durable=False) as cx:
                change.lock(cx, reservation.amounts)
                change.take(cx, reservation.id)

    # --- inside ---------------------------------------------------------------------------------

    def _charges(
        self, who: Principal, action: Action, amount: int, weights: Mapping[str, int]
    ) -> list[Charge]:
        of = _COUNTED.get(action, "looks")
        charges = []
        for limit in self._limits_of(who.role):
            spends = amount if limit.of == of else 0
            if limit.of == "persons" and of == "looks":
                spends = amount * weights.get(limit.data, 0)
            if spends:
                whom = who_is(who, limit.per)
                charges.append(Charge(limit, whom, counter_of(limit, whom), spends))
        return charges

    def _limits_of(self, role: str) -> tuple[BudgetLimit, ...]:
        found = self._of.get(role)
        if found is None:
            groups = self._groups(role)
            found = self._of[role] = tuple(one for one in self._limits if one.binds(groups))
        return found

    def _refusal(
        self,
        cx: Connection,
        who: Principal,
        charges: Sequence[Charge],
        rooms: Sequence[int],
        counts: Mapping[str, Counted],
        today: int,
        fresh: bool,
    ) -> str | None:
        """Which code says no, if any: the hardest first. What others set aside freezes nobody."""
        found = set()
        for one, room in zip(charges, rooms, strict=True):
            count, limit = counts[one.counter], one.limit
            used = count.used[limit.window] + count.held
            if room < (1 if limit.of == "persons" else one.amount):
                reached = self._past(cx, who, limit, limit.limit, count.used[limit.window], today)
                found.add(FROZEN if limit.then == "freeze" and reached else SPENT)
            elif limit.step_up is None or fresh:
                continue
            elif self._past(cx, who, limit, limit.step_up, used, today):
                found.add(STEP_UP)
        return next((code for code in (FROZEN, SPENT, STEP_UP) if code in found), None)

    def _warnings(
        self,
        cx: Connection,
        who: Principal,
        charges: Sequence[Charge],
        counts: Mapping[str, Counted],
        today: int,
    ) -> Iterable[Warned]:
        """What is to be said now, and was not yet in its window."""
        for one in charges:
            limit, count = one.limit, counts[one.counter]
            used = count.used[limit.window]
            if limit.warn is None or count.warned[limit.window]:
                continue
            if self._past(cx, who, limit, limit.warn, used, today):
                change.mark_warned(cx, one.counter, limit.window, today)
                yield Warned(limit, one.who, used / scale(limit))

    def _room(
        self, cx: Connection, who: Principal, charge: Charge, count: Counted, today: int
    ) -> int:
        """How much of a charge still fits under its limit; 0: nothing, or less."""
        limit = charge.limit
        used = count.used[limit.window] + count.held
        if not self._past(cx, who, limit, limit.limit, used + charge.amount - 1, today):
            return charge.amount
        return max(0, self._most(who, limit, today) - used)

    def _freezing(
        self,
        who: Principal,
        charges: Sequence[Charge],
        counts: Mapping[str, Counted],
        today: int,
    ) -> dict[tuple[str, str], int]:
        """Of persons, where a limit freezes: what is left of it but for what is only set aside."""
        return {
            (one.counter, one.limit.window): self._most(who, one.limit, today)
            - counts[one.counter].used[one.limit.window]
            for one in charges
            if one.limit.of == "persons" and one.limit.then == "freeze"
        }

    def _most(self, who: Principal, limit: BudgetLimit, today: int) -> int:
        """The limit, in its counter's unit; by the parcels that `_past` counted, if it had to."""
        parcels = self._handled.get((who.account, limit.window, today), 0)
        return (limit.limit + limit.per_parcel * parcels) * scale(limit)

    def _past(
        self, cx: Connection, who: Principal, limit: BudgetLimit, mark: int, used: int, today: int
    ) -> bool:
        """Whether `used` has reached a limit's mark, which grows with the parcels handled."""
        unit = scale(limit)
        if used < mark * unit or not limit.per_parcel:
            return used >= mark * unit
        key = (who.account, limit.window, today)
        # Within a day the number only grows: it is counted again only where the old one is short.
        if used >= (mark + limit.per_parcel * self._handled.get(key, 0)) * unit:
            if any(day != today for _, _, day in self._handled):
                self._handled.clear()
            self._handled[key] = handled(cx, who.account, who.person, limit.window, today)
        return used >= (mark + limit.per_parcel * self._handled.get(key, 0)) * unit

    def _tidy(self, cx: Connection, counts: Mapping[str, Counted], today: int, now: int) -> None:
        """Take away what died, and, once a day, what no window sees any more."""
        dead = [name for name, count in counts.items() if count.dead]
        if dead:
            change.drop_dead(cx, dead, now)
        if self._tidied_on != today:
            self._tidied_on, self._tidied = today, set()
        if fresh := [name for name in counts if name not in self._tidied]:
            change.drop_old(cx, fresh, today)
            self._tidied.update(fresh)
