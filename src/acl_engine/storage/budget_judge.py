"""What limits say of what is used: how much room there is, what is refused, what is warned of."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from acl_engine.domain.budgets import FROZEN, SPENT, STEP_UP, Warned
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.principal import Principal
from acl_engine.storage import budget_changes as change
from acl_engine.storage.budget_room import Charge
from acl_engine.storage.budget_use import Counted, handled, scale


class Judge:
    """Judges charges by the counts of their counters. It remembers the parcels that somebody
    handled, which a limit may grow by."""

    def __init__(self) -> None:
        self._handled: dict[tuple[str, str, int], int] = {}

    def refusal(
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

    def warnings(
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
                count.warned = {**count.warned, limit.window: 1}
                yield Warned(limit, one.who, used / scale(limit))

    def room(
        self, cx: Connection, who: Principal, charge: Charge, count: Counted, today: int
    ) -> int:
        """How much of a charge still fits under its limit; 0: nothing, or less."""
        limit = charge.limit
        used = count.used[limit.window] + count.held
        if not self._past(cx, who, limit, limit.limit, used + charge.amount - 1, today):
            return charge.amount
        return max(0, self._most(who, limit, today) - used)

    def freezing(
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
