"""The staff directory: the adapter behind `domain.staff.StaffDirectory`.

INVARIANT: no statement here changes an account, or takes a device away, without `_revoke`.
"""

from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.accounts import Device
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import AccountChange, DeviceChange, Person, Staff, StaffAccount
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, devices, persons, sessions

MISSING = Text(
    "staff-missing",
    "没有{what} `{name}`",
    "no {what} `{name}`",
    "检查写法，或先创建",
    "check the spelling, or create it first",
)
TAKEN = Text(
    "staff-taken",
    "`{name}` 已存在，或引用了不存在的人员或单位",
    "`{name}` exists already, or names a person or unit that does not",
    "换一个名称，或先创建被引用的对象",
    "take another name, or create what it names first",
)


class SqlStaffDirectory:
    """Implements `domain.staff.StaffDirectory` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def staff(self) -> Staff:
        """One consistent snapshot, in order of id."""
        with self._database.read() as cx:
            people = cx.execute(select(persons).order_by(persons.c.id)).all()
            held = cx.execute(select(accounts).order_by(accounts.c.login)).all()
            tools = cx.execute(select(devices).order_by(devices.c.id)).all()
        return Staff(
            tuple(_person(row) for row in people),
            tuple(_account(row) for row in held),
            tuple(Device(**row._mapping) for row in tools),
        )

    def add_person(self, person: Person) -> None:
        row = {
            "id": person.id,
            "name": person.name,
            "unit": person.unit,
            "superior": person.superior,
            "status": person.status,
        }
        self._insert(person.id, insert(persons).values(row))

    def add_account(self, account: StaffAccount, password_hash: str) -> None:
        row = {
            "login": account.login,
            "person": account.person,
            "role": account.role,
            "unit": account.unit,
            "status": account.status,
            "password_hash": password_hash,
        }
        self._insert(account.login, insert(accounts).values(row))

    def change_account(self, login: str, change: AccountChange, now: int) -> None:
        given = {
            "status": change.status,
            "role": change.role,
            "unit": change.unit,
            "password_hash": change.password_hash,
            "totp_seed": change.totp_seed,
        }
        values = {name: value for name, value in given.items() if value is not None}
        with self._database.write() as cx:
            mine = accounts.c.login == login
            if cx.execute(update(accounts).where(mine).values(**values)).rowcount != 1:
                raise InputError(MISSING.of(what="account", name=login))
            _revoke(cx, mine, now)

    def leave(self, person: str, now: int) -> None:
        with self._database.write() as cx:
            who = update(persons).where(persons.c.id == person).values(status="left")
            if cx.execute(who).rowcount != 1:
                raise InputError(MISSING.of(what="person", name=person))
            mine = accounts.c.person == person
            cx.execute(update(accounts).where(mine).values(status="left", totp_seed=None))
            held = update(devices).where(devices.c.person == person)
            cx.execute(held.values(person=None, lease_until=0))
            _revoke(cx, mine, now)

    def add_device(self, device: Device) -> None:
        row = {
            "id": device.id,
            "device_class": device.device_class,
            "unit": device.unit,
            "person": device.person,
            "public_key": device.public_key,
            "status": device.status,
            "lease_until": device.lease_until,
        }
        self._insert(device.id, insert(devices).values(row))

    def change_device(self, device: str, change: DeviceChange, now: int) -> None:
        values: dict[str, Any] = {}
        if change.person is not None:
            values["person"] = change.person or None
        if change.status is not None:
            values["status"] = change.status
        if change.lease_until is not None:
            values["lease_until"] = change.lease_until
        with self._database.write() as cx:
            query = select(devices.c.person, devices.c.lease_until).where(devices.c.id == device)
            before = cx.execute(query.with_for_update()).first()
            if before is None:
                raise InputError(MISSING.of(what="device", name=device))
            cx.execute(update(devices).where(devices.c.id == device).values(**values))
            longer = set(values) == {"lease_until"} and values["lease_until"] >= before.lease_until
            if before.person is not None and not longer:
                _revoke(cx, accounts.c.person == before.person, now)

    def _insert(self, name: str, statement: Any) -> None:
        with self._database.write() as cx:
            try:
                cx.execute(statement)
            except IntegrityError:
                raise InputError(TAKEN.of(name=name)) from None


def _revoke(cx: Connection, whose: Any, now: int) -> None:
    """Raise the epoch of these accounts and end their sessions."""
    cx.execute(update(accounts).where(whose).values(epoch=accounts.c.epoch + 1))
    logins = select(accounts.c.login).where(whose).scalar_subquery()
    open_ones = sessions.c.login.in_(logins) & sessions.c.ended_at.is_(None)
    cx.execute(update(sessions).where(open_ones).values(ended_at=now))


def _person(row: Any) -> Person:
    return Person(row.id, row.name, row.unit, row.superior, row.status)


def _account(row: Any) -> StaffAccount:
    return StaffAccount(
        login=row.login,
        person=row.person,
        role=row.role,
        unit=row.unit,
        status=row.status,
        service=not row.password_hash,
        outside=row.tenant is not None or row.customer is not None,
        totp=row.totp_seed is not None,
        epoch=row.epoch,
    )
