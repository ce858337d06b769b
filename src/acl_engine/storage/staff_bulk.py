"""Applying a plan to the staff directory: everything in one transaction, or nothing.

INVARIANT: whoever loses a right by it has the epoch raised and their sessions ended, as by a
single change.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import Staff
from acl_engine.domain.staff_plan import Joiner, Mover, Plan
from acl_engine.domain.text import Text
from acl_engine.storage.releases import release, revoke
from acl_engine.storage.staff_rows import (
    account_row,
    account_values,
    person_of,
    person_row,
    person_values,
)
from acl_engine.storage.tables import accounts, devices, persons

STALE = Text(
    "staff-plan-stale",
    "人员目录在生成计划之后已改变，未作任何修改",
    "the directory has changed since the plan was made: nothing was changed",
    "重新试运行后再应用",
    "run it dry again, then apply",
)
BROKEN = Text(
    "staff-plan-broken",
    "计划引用了不存在的人员或单位，未作任何修改",
    "the plan names a person or unit that is not there: nothing was changed",
    "检查文件",
    "check the file",
)
# Bounds the variables of one statement.
_AT_ONCE = 500


def apply_plan(cx: Connection, plan: Plan, password_hash: str, by: str, now: int) -> None:
    """Apply it. Raises InputError when the directory is no longer the plan's basis."""
    if cx.dialect.name == "postgresql":
        cx.execute(text("LOCK TABLE persons, accounts IN SHARE ROW EXCLUSIVE MODE"))
    if _shape(cx) != shape_of(plan.basis):
        raise InputError(STALE.of())
    try:
        _join(cx, plan.joiners, password_hash)
        _move(cx, plan.movers, now)
        _leave(cx, plan.leavers, by, now)
    except IntegrityError:
        raise InputError(BROKEN.of()) from None


def shape_of(staff: Staff) -> tuple[Any, Any]:
    """What a plan rests on: everything but when an account was used or confirmed."""
    held = [(a.login, a.person, a.role, a.unit, a.status, a.epoch) for a in staff.accounts]
    return list(staff.persons), held


def _shape(cx: Connection) -> tuple[Any, Any]:
    a = accounts.c
    held = select(a.login, a.person, a.role, a.unit, a.status, a.epoch).order_by(a.login)
    people = cx.execute(select(persons).order_by(persons.c.id))
    return [person_of(row) for row in people], [tuple(row) for row in cx.execute(held)]


def _join(cx: Connection, joiners: Sequence[Joiner], password_hash: str) -> None:
    _insert(cx, persons, [person_row(one.person) for one in joiners if one.person is not None])
    _insert(cx, accounts, [account_row(one.account, password_hash) for one in joiners])


def _insert(cx: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        cx.execute(insert(table), rows)


def _move(cx: Connection, movers: Sequence[Mover], now: int) -> None:
    moved: list[str] = []
    for one in movers:
        if values := person_values(one.whose):
            cx.execute(update(persons).where(persons.c.id == one.person).values(values))
        if one.login is None:
            continue
        values = account_values(one.changes) | {"changed_at": now}
        mine = accounts.c.login == one.login
        cx.execute(update(accounts).where(mine).values(values))
        if one.changes.role is not None or one.changes.unit is not None:
            moved.append(one.login)
    for logins in _parts(moved):
        release(cx, accounts.c.login.in_(logins), now)
    for logins in _parts(one.login for one in movers if one.login is not None):
        revoke(cx, accounts.c.login.in_(logins), now)


def _leave(cx: Connection, leavers: Sequence[str], by: str, now: int) -> None:
    for people in _parts(leavers):
        theirs = accounts.c.person.in_(people)
        cx.execute(update(persons).where(persons.c.id.in_(people)).values(status="left"))
        left = {"status": "left", "status_by": by, "totp_seed": None}
        cx.execute(update(accounts).where(theirs).values(left))
        held = update(devices).where(devices.c.person.in_(people))
        cx.execute(held.values(person=None, lease_until=0))
        release(cx, theirs, now)
        revoke(cx, theirs, now)


def _parts(items: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for one in items:
        part.append(one)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part
