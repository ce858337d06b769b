"""What is set aside under each limit, and whether what was shown stayed within it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from acl_engine.domain.budgets import DAYS, FROZEN, SPENT, Reservation
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.storage.budget_changes import Moved
from acl_engine.storage.budget_use import DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Charge:
    """What one limit is asked for."""

    limit: BudgetLimit
    who: str
    counter: str
    amount: int


def reservation_of(looks: int, charges: Sequence[Charge], rooms: Sequence[int]) -> Reservation:
    """What is set aside. A counter with room in one window and less in another holds the more."""
    amounts: dict[str, int] = {}
    within: dict[tuple[str, str], int] = {}
    for one, room in zip(charges, rooms, strict=True):
        amounts[one.counter] = max(room, amounts.get(one.counter, 0))
        key = (one.counter, one.limit.window)
        within[key] = min(room, within.get(key, room))
    data = {one.counter: one.limit.data for one in charges if one.limit.of == "persons"}
    return Reservation(secrets.token_hex(16), looks, amounts, data, within)


def overflow(reservation: Reservation, moved: Sequence[Moved], today: int) -> str | None:
    """Which code says no, if any, to persons who add more to a window than was set aside in it.

    It freezes where not even the lightest of them fitted, had nobody else set anything aside.
    """
    refused = None
    for key, room in reservation.within.items():
        counter, window = key
        since = today - DAYS[window] * DAY_SECONDS
        added = [one.added(since) for one in moved if one.counter == counter]
        if sum(added) <= room:
            continue
        left = reservation.freezing.get(key)
        if left is not None and min(by for by in added if by > 0) > left:
            return FROZEN
        refused = SPENT
    return refused
