"""What a person held in their old place, given back when they move or leave.

Rights rest on live facts (a roster line, a shift, an assignment, an open ticket). Whoever gets
another unit or role keeps none of those that the old one gave: they are made anew, by another.
"""

from typing import Any

from sqlalchemy import Connection, case, literal_column, select, update

from acl_engine.storage.tables import accounts, roster, sessions, shifts, waybills, work_items

# A delivered parcel stays its courier's to answer for; the stage's window closes it.
_UNDER_WAY = ("AT_BRANCH", "OUT_FOR_DELIVERY", "RETURNING")


def release(cx: Connection, whose: Any, now: int) -> None:
    """End the roster lines, shifts, tasks and open items of these persons.

    `whose` is a condition on `accounts`."""
    people = select(accounts.c.person).where(whose, accounts.c.person.is_not(None))
    lines = roster.c.person.in_(people) & (roster.c.valid_to > now)
    cx.execute(update(roster).where(lines).values(valid_to=now))
    duty = shifts.c.person.in_(people) & (shifts.c.ends_at > now)
    end = case((shifts.c.starts_at > now, shifts.c.starts_at), else_=now)
    cx.execute(update(shifts).where(duty).values(ends_at=end))
    load = waybills.c.assignee.in_(people) & waybills.c.stage.in_(_UNDER_WAY)
    cx.execute(update(waybills).where(load).values(assignee_sound=False))
    # Word for word what the partial index says, or it is not used.
    task = waybills.c.pickup_courier.in_(people) & (waybills.c.stage == literal_column("'ORDERED'"))
    cx.execute(update(waybills).where(task).values(pickup_courier=None))
    holders = select(accounts.c.login).where(whose)
    items = work_items.c.holder.in_(holders) & work_items.c.closed_at.is_(None)
    cx.execute(update(work_items).where(items).values(closed_at=now))


def revoke(cx: Connection, whose: Any, now: int) -> None:
    """Raise the epoch of these accounts and end their sessions."""
    cx.execute(update(accounts).where(whose).values(epoch=accounts.c.epoch + 1, changed_at=now))
    logins = select(accounts.c.login).where(whose).scalar_subquery()
    open_ones = sessions.c.login.in_(logins) & sessions.c.ended_at.is_(None)
    cx.execute(update(sessions).where(open_ones).values(ended_at=now))
