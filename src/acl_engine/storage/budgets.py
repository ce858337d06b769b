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
- What is set aside shares the commit of the intent's record, what is charged that of the
  outcome's: there is no look on record that is not charged, nor the other way round. Many looks
  share one transaction; in it each finds what those before it did.
- Whatever belongs to a counter is changed under its lock alone; locks are taken in one order.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from acl_engine.domain.budgets import (
    FROZEN,
    NO_WEIGHTS,
    Reservation,
    Seen,
)
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import ActRefused, StoreError
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.parts import Part, nothing
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Text
from acl_engine.storage import budget_changes as change
from acl_engine.storage.budget_judge import Judge
from acl_engine.storage.budget_room import Charge, overflow, reservation_of
from acl_engine.storage.budget_use import (
    Counted,
    counted,
    counter_of,
    day_start,
    farthest,
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a look asks for."""

    who: Principal
    looks: int
    charges: Sequence[Charge]
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a look showed."""

    of: Reservation
    looks: int
    seen: Sequence[Seen]


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
        self._judge = Judge()
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
    ) -> Part[Any, Reservation]:
        """Set `amount` looks aside in every window, and so many times the `weights` of persons.

        `weights`: per kind of data what one record may show, in hundredths of a person. `fresh`: a
        second factor was shown just now. Refused with ActRefused: spent, or a fresh factor is
        needed.
        """
        if amount < 1:
            raise ValueError("a look costs at least one")
        charges = self._charges(principal, request.action, amount, weights)
        if not charges:
            return nothing(Reservation(secrets.token_hex(16), amount, {}, {}))
        asked = _Asked(principal, amount, charges, fresh)
        return Part(asked, self._set_aside, {change.lock_of(one.counter) for one in charges})

    def settle(
        self, reservation: Reservation, amount: int, seen: Sequence[Seen] = ()
    ) -> Part[Any, Reservation]:
        """Charge what was shown, looks and persons (each once a kind of data); the rest is free.

        Raises ValueError for more looks than were set aside. Refused with StoreError when the lease
        has run out; with ActRefused for more persons than there was room for, and where not one of
        them fitted, a limit that freezes does so. The looks are charged all the same: the refusal
        tells that somebody is there, and would be asked for without end if it were free.
        """
        if not 0 <= amount <= reservation.looks:
            raise ValueError("more was shown than was set aside")
        if not reservation.amounts:
            return nothing(reservation)
        return Part(_Shown(reservation, amount, seen), self._charge, _locks(reservation))

    def release(self, reservation: Reservation) -> Part[Any, Reservation]:
        """Nothing was shown: all of it is free again. A reservation that is gone is free."""
        if not reservation.amounts:
            return nothing(reservation)
        return Part(reservation, _free, _locks(reservation))

    # --- many looks in one transaction ----------------------------------------------------------

    def _set_aside(self, cx: Connection, parts: Sequence[Part[_Asked, Reservation]]) -> None:
        now, today = self._now()
        charges = [one for part in parts for one in part.job.charges]
        counts = counted(cx, farthest((c.counter, c.limit.window) for c in charges), today, now)
        self._tidy(cx, counts, today, now)
        held: list[tuple[str, Mapping[str, int]]] = []
        for part in parts:
            asked = part.job
            who, judge = asked.who, self._judge
            rooms = [judge.room(cx, who, c, counts[c.counter], today) for c in asked.charges]
            code = judge.refusal(cx, who, asked.charges, rooms, counts, today, asked.fresh)
            if code is not None:
                part.refused = ActRefused(Refusal("4", ("budget",), None, code))
                if code == FROZEN:
                    part.after = partial(self._freeze, who, now)
                continue
            made = reservation_of(asked.looks, asked.charges, rooms)
            freezing = judge.freezing(who, asked.charges, counts, today)
            held.append((made.id, made.amounts))
            for counter, amount in made.amounts.items():
                counts[counter].held += amount  # whoever is next in this commit sees it
            warned = tuple(judge.warnings(cx, who, asked.charges, counts, today))
            part.done = replace(made, warned=warned, freezing=freezing, who=who)
        change.set_aside(cx, held, now + self._lease)

    def _charge(self, cx: Connection, parts: Sequence[Part[_Shown, Reservation]]) -> None:
        now, today = self._now()
        ends = change.take(cx, [part.job.of.id for part in parts])
        pairs = [change.pairs(part.job.of.data, part.job.seen) for part in parts]
        before = dict(change.known(cx, {(c, one.subject) for each in pairs for c, one in each}))
        persons: dict[tuple[str, str], change.Moved] = {}
        total: Counter[tuple[str, int]] = Counter()
        for part, found in zip(parts, pairs, strict=True):
            reservation, leases = part.job.of, ends.get(part.job.of.id, ())
            if len(leases) != len(reservation.amounts) or min(leases) <= now:
                part.refused = StoreError(LEASE_LOST.of())
                continue
            moved = change.moved(before, found, today)
            code = overflow(reservation, moved, today)
            if code is None:
                # Whoever is next in this commit finds them counted.
                before.update({(m.counter, m.subject): (m.day, m.weight) for m in moved})
                persons.update({(m.counter, m.subject): m for m in moved})
                total.update(change.buckets(moved))
                part.done = reservation
            else:
                part.refused = ActRefused(Refusal("10", ("budget",), None, code))
                if code == FROZEN and reservation.who is not None:
                    part.after = partial(self._freeze, reservation.who, now)
            looks = [name for name in reservation.amounts if name not in reservation.data]
            total.update({(name, today): part.job.looks for name in looks})
        change.remember(cx, persons.values())
        change.add(cx, total)

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

    def _now(self) -> tuple[int, int]:
        """This second, and the first one of this day."""
        moment = self._clock.now()
        return int(moment.timestamp()), day_start(moment)

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


def _free(cx: Connection, parts: Sequence[Part[Reservation, Reservation]]) -> None:
    change.take(cx, [part.job.id for part in parts])
    for part in parts:
        part.done = part.job


def _locks(reservation: Reservation) -> set[str]:
    return {change.lock_of(counter) for counter in reservation.amounts}
