"""The staff directory: the adapter behind `domain.staff.StaffDirectory`.

INVARIANT: no statement here changes an account or a person, or takes a device away, without
`revoke`, but for what the port calls a renewal.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.accounts import Device
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import (
    DETECTION,
    AccountChange,
    DeviceChange,
    Judge,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
)
from acl_engine.domain.staff_plan import Plan
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.enrolments import use_enrolment
from acl_engine.storage.factors import set_recovery
from acl_engine.storage.releases import release, revoke
from acl_engine.storage.staff_bulk import apply_plan
from acl_engine.storage.staff_devices import (
    NO_ACCOUNT,
    NO_DEVICE,
    NO_PERSON,
    change_device,
    device_row,
    refuse_known_key,
)
from acl_engine.storage.staff_rows import (
    account_of,
    account_row,
    account_values,
    person_of,
    person_row,
    person_values,
)
from acl_engine.storage.tables import accounts, devices, persons, units

TAKEN = Text(
    "staff-taken",
    "`{name}` 已存在，或引用了不存在的人员或单位",
    "`{name}` exists already, or names a person or unit that does not",
    "换一个名称，或先创建被引用的对象",
    "take another name, or create what it names first",
)
CHANGED = Text(
    "staff-changed",
    "账号 `{name}` 已被他人修改",
    "somebody else has changed account `{name}` meanwhile",
    "重新读取后再改",
    "read it again, then change it",
)
# Longest chain of superiors that is followed; a longer one is a cycle, which the audit reports.
_MOST_ABOVE = 30


class SqlStaffDirectory:
    """Implements `domain.staff.StaffDirectory` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- reading -------------------------------------------------------------------------------

    def staff(self) -> Staff:
        """One consistent snapshot, in order of id."""
        with self._database.read() as cx:
            people = cx.execute(select(persons).order_by(persons.c.id)).all()
            held = cx.execute(select(accounts).order_by(accounts.c.login)).all()
            tools = cx.execute(select(devices).order_by(devices.c.id)).all()
        return Staff(
            tuple(map(person_of, people)),
            tuple(map(account_of, held)),
            tuple(Device(**row._mapping) for row in tools),
        )

    def around(self, login: str) -> Staff:
        with self._database.read() as cx:
            row = cx.execute(select(accounts).where(accounts.c.login == login)).first()
            if row is None:
                raise InputError(NO_ACCOUNT.of(name=login))
            if row.person is None:
                tools = cx.execute(select(devices).where(devices.c.person == login)).all()
                return Staff((), (account_of(row),), tuple(Device(**t._mapping) for t in tools))
            return _of_person(cx, row.person)

    def of_person(self, person: str) -> Staff:
        with self._database.read() as cx:
            return _of_person(cx, person)

    def is_person(self, person: str) -> bool:
        with self._database.read() as cx:
            return cx.scalar(select(persons.c.id).where(persons.c.id == person)) is not None

    def makers(self, login: str) -> tuple[str, ...]:
        found: list[str] = []
        seen: set[str] = set()
        with self._database.read() as cx:
            while login and login not in seen and len(seen) <= _MOST_ABOVE:
                seen.add(login)
                row = cx.execute(
                    select(accounts.c.made_by, accounts.c.person).where(accounts.c.login == login)
                ).first()
                if row is None:
                    break
                if len(seen) > 1 and row.person is not None:
                    found.append(row.person)
                login = row.made_by
        return tuple(found)

    def holders(self, roles: Sequence[str]) -> tuple[StaffAccount, ...]:
        query = select(accounts).where(accounts.c.role.in_(roles), accounts.c.status == "active")
        with self._database.read() as cx:
            return tuple(map(account_of, cx.execute(query).all()))

    def units(self) -> tuple[str, ...]:
        with self._database.read() as cx:
            return tuple(cx.scalars(select(units.c.id).order_by(units.c.id)))

    # --- changing ------------------------------------------------------------------------------

    def add_person(self, person: Person) -> None:
        self._insert(person.id, insert(persons).values(person_row(person)))

    def add_account(
        self,
        account: StaffAccount,
        password_hash: str,
        judge: Judge | None = None,
        person: Person | None = None,
    ) -> None:
        row = account_row(account, password_hash)
        with self._database.write() as cx:
            if person is not None:
                self._execute(cx, person.id, insert(persons).values(person_row(person)))
            _judged(cx, account.person, judge)
            self._execute(cx, account.login, insert(accounts).values(row))

    def change_account(
        self,
        login: str,
        change: AccountChange,
        now: int,
        judge: Judge | None = None,
        person: PersonChange | None = None,
    ) -> None:
        mine = accounts.c.login == login
        same = mine if change.if_epoch is None else mine & (accounts.c.epoch == change.if_epoch)
        if change.totp_step is not None and change.totp_seed is None:
            same &= accounts.c.totp_last_step < change.totp_step
        with self._database.write() as cx:
            owner = cx.scalar(select(accounts.c.person).where(mine))
            _judged(cx, owner, judge)
            values = account_values(change) | {"changed_at": now}
            if self._execute(cx, login, update(accounts).where(same).values(values)) != 1:
                there = cx.execute(select(accounts.c.login).where(mine)).first()
                raise InputError(CHANGED.of(name=login) if there else NO_ACCOUNT.of(name=login))
            spent = change.enrolment
            if spent is not None and not use_enrolment(cx, login, spent, now):
                raise InputError(CHANGED.of(name=login))
            if change.recovery is not None:
                set_recovery(cx, login, change.recovery, now)
            if person is not None and owner is not None:
                self._change_person(cx, owner, person)
            if change.role is not None or change.unit is not None:
                self._moved(cx, login, change, now)
            revoke(cx, mine, now)

    def freeze(self, login: str, keepers: Sequence[str] | None, now: int) -> bool:
        mine, active = accounts.c.login == login, accounts.c.status == "active"
        with self._database.write() as cx:
            if keepers is not None:
                named = accounts.c.login.in_((*keepers, login))
                # In one order, so that two who freeze each other's keeper wait and do not deadlock.
                locked = select(accounts.c.login).where(named).order_by(accounts.c.login)
                cx.execute(locked.with_for_update())
                left = set(cx.scalars(select(accounts.c.login).where(named, active)))
                if not left - {login}:
                    return False
            frozen = {"status": "suspended", "status_by": DETECTION}
            here = accounts.c.status != "left"
            if cx.execute(update(accounts).where(mine, here).values(frozen)).rowcount:
                revoke(cx, mine, now)
            return True

    def change_person(self, person: str, change: PersonChange, now: int) -> None:
        with self._database.write() as cx:
            self._change_person(cx, person, change)
            if not change.renews:
                revoke(cx, accounts.c.person == person, now)

    def certify(self, login: str, by: str, now: int) -> None:
        with self._database.write() as cx:
            mine = update(accounts).where(accounts.c.login == login)
            if cx.execute(mine.values(certified_at=now, certified_by=by)).rowcount != 1:
                raise InputError(NO_ACCOUNT.of(name=login))

    def leave(self, person: str, by: str, now: int) -> None:
        with self._database.write() as cx:
            who = update(persons).where(persons.c.id == person).values(status="left")
            if cx.execute(who).rowcount != 1:
                raise InputError(NO_PERSON.of(name=person))
            mine = accounts.c.person == person
            left = {"status": "left", "status_by": by, "totp_seed": None}
            cx.execute(update(accounts).where(mine).values(left))
            release(cx, mine, now)
            held = update(devices).where(devices.c.person == person)
            cx.execute(held.values(person=None, lease_until=0))
            revoke(cx, mine, now)

    def apply(self, plan: Plan, password_hash: str, by: str, now: int) -> None:
        with self._database.write() as cx:
            apply_plan(cx, plan, password_hash, by, now)

    def device(self, device: str) -> Device:
        with self._database.read() as cx:
            row = cx.execute(select(devices).where(devices.c.id == device)).first()
        if row is None:
            raise InputError(NO_DEVICE.of(name=device))
        return Device(**row._mapping)

    def add_device(self, device: Device) -> None:
        with self._database.write() as cx:
            refuse_known_key(cx, device)
            self._execute(cx, device.id, insert(devices).values(device_row(device)))

    def change_device(self, device: str, change: DeviceChange, now: int) -> None:
        with self._database.write() as cx:
            change_device(cx, device, change, now)

    def _insert(self, name: str, statement: Any) -> None:
        with self._database.write() as cx:
            self._execute(cx, name, statement)

    def _change_person(self, cx: Connection, person: str, change: PersonChange) -> None:
        who = update(persons).where(persons.c.id == person).values(person_values(change))
        if self._execute(cx, person, who) != 1:
            raise InputError(NO_PERSON.of(name=person))

    def _moved(self, cx: Connection, login: str, change: AccountChange, now: int) -> None:
        """A mover keeps nothing of the old place: neither its facts nor its unit."""
        mine = (accounts.c.login == login) & (accounts.c.password_hash != "")
        release(cx, mine, now)
        if change.unit is not None:
            whose = persons.c.id.in_(select(accounts.c.person).where(mine))
            self._execute(cx, login, update(persons).where(whose).values(unit=change.unit))

    def _execute(self, cx: Connection, name: str, statement: Any) -> int:
        try:
            return int(cx.execute(statement).rowcount)
        except IntegrityError:
            raise InputError(TAKEN.of(name=name)) from None


def _judged(cx: Connection, person: str | None, judge: Judge | None) -> None:
    """Ask once more under a lock on the person: two grants at once cannot both be the only one."""
    if judge is None or person is None:
        return
    cx.execute(select(persons.c.id).where(persons.c.id == person).with_for_update())
    if refusal := judge(_of_person(cx, person)):
        raise InputError(refusal)


def _of_person(cx: Connection, person: str) -> Staff:
    """The person, those above them, and what is theirs. Raises InputError."""
    people: dict[str, Person] = {}
    above: str | None = person
    while above is not None and above not in people and len(people) <= _MOST_ABOVE:
        row = cx.execute(select(persons).where(persons.c.id == above)).first()
        if row is None:
            break
        people[above] = person_of(row)
        above = row.superior
    if person not in people:
        raise InputError(NO_PERSON.of(name=person))
    held = cx.execute(select(accounts).where(accounts.c.person.in_(people))).all()
    mine = [row.login for row in held if row.person == person]
    theirs = or_(devices.c.person == person, devices.c.person.in_(mine))
    tools = cx.execute(select(devices).where(theirs).order_by(devices.c.id)).all()
    return Staff(
        tuple(people.values()),
        tuple(sorted(map(account_of, held), key=lambda one: one.login)),
        tuple(Device(**row._mapping) for row in tools),
    )
