"""What a provisioning system sees: the adapter behind `domain.provisioning.ProvisionStore`."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.errors import InputError
from acl_engine.domain.provisioning import Entry, Group
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.staff import CHANGED, TAKEN
from acl_engine.storage.staff_rows import account_of, person_of
from acl_engine.storage.tables import accounts, persons, scim_groups, scim_members

NO_MEMBER = Text(
    "provisioning-no-member",
    "没有账号 `{name}`，不能加入组",
    "no account `{name}` to be a member",
    "先创建账号",
    "create the account first",
)
_STREAMED = 1_000
_COLUMNS = {
    "login": accounts.c.login,
    "external_id": accounts.c.external_id,
    "person": accounts.c.person,
}
_above = accounts.alias("above")
# Staff who have not left: a person behind it, a password of their own (or one to set).
_THERE = (
    (accounts.c.status != "left")
    & (accounts.c.password_hash != "")
    & accounts.c.tenant.is_(None)
    & accounts.c.customer.is_(None)
)


class SqlProvisioning:
    """Implements `domain.provisioning.ProvisionStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entry(self, login: str) -> Entry | None:
        found = self.equal("login", login)
        return found[0] if found else None

    def equal(self, column: str, value: str) -> Sequence[Entry]:
        with self._database.read() as cx:
            return _read(cx, _entries().where(_COLUMNS[column] == value))

    def entries(self, start: int, count: int | None) -> Sequence[Entry]:
        with self._database.read() as cx:
            return _read(cx, _entries().offset(start).limit(count))

    def every(self) -> Iterator[Entry]:
        after = ""
        while True:
            with self._database.read() as cx:
                page = _read(cx, _entries().where(accounts.c.login > after).limit(_STREAMED))
            yield from page
            if len(page) < _STREAMED:
                return
            after = page[-1].account.login

    def count(self) -> int:
        with self._database.read() as cx:
            query = select(func.count()).select_from(accounts.join(persons)).where(_THERE)
            return cx.execute(query).scalar_one()

    def holders(self, role: str) -> tuple[tuple[str, int], ...]:
        query = select(accounts.c.login, accounts.c.epoch).join(persons)
        with self._database.read() as cx:
            rows = cx.execute(
                query.where(_THERE, accounts.c.role == role).order_by(accounts.c.login)
            )
            return tuple((row.login, row.epoch) for row in rows)

    def groups(self) -> tuple[Group, ...]:
        with self._database.read() as cx:
            held: dict[str, list[str]] = {}
            for row in cx.execute(select(scim_members).order_by(scim_members.c.login)):
                held.setdefault(row.group, []).append(row.login)
            rows = cx.execute(select(scim_groups).order_by(scim_groups.c.name)).all()
        return tuple(
            Group(
                row.id,
                row.name,
                tuple(held.get(row.id, ())),
                str(row.version),
                row.created_at,
                row.changed_at,
                None,
                row.external_id,
            )
            for row in rows
        )

    def put_group(self, group: Group, expected: str | None) -> None:
        row: dict[str, Any] = {
            "name": group.name,
            "external_id": group.external_id,
            "changed_at": group.changed_at,
        }
        with self._database.write() as cx:
            _members_are_there(cx, group.members)
            mine = scim_groups.c.id == group.id
            try:
                if expected is None:
                    first = {"id": group.id, "version": 1, "created_at": group.created_at}
                    cx.execute(insert(scim_groups).values(row | first))
                else:
                    newer = row | {"version": scim_groups.c.version + 1}
                    same = mine & (scim_groups.c.version == int(expected))
                    if cx.execute(update(scim_groups).where(same).values(newer)).rowcount != 1:
                        raise InputError(CHANGED.of(name=group.id))
            except IntegrityError:
                raise InputError(TAKEN.of(name=group.name)) from None
            cx.execute(delete(scim_members).where(scim_members.c.group == group.id))
            if group.members:
                rows = [{"group": group.id, "login": login} for login in sorted(set(group.members))]
                cx.execute(insert(scim_members), rows)

    def drop_group(self, group: str, expected: str) -> None:
        with self._database.write() as cx:
            same = (scim_groups.c.id == group) & (scim_groups.c.version == int(expected))
            cx.execute(delete(scim_members).where(scim_members.c.group == group))
            if cx.execute(delete(scim_groups).where(same)).rowcount != 1:
                raise InputError(CHANGED.of(name=group))


def _entries() -> Select[Any]:
    """Accounts with their persons; `above` is the account of the person's superior."""
    superior = (
        select(func.min(_above.c.login))
        .where(
            _above.c.person == persons.c.superior,
            _above.c.status != "left",
            _above.c.password_hash != "",
        )
        .scalar_subquery()
    )
    own: list[ColumnElement[Any]] = [c.label(f"a_{c.name}") for c in accounts.c]
    whose: list[ColumnElement[Any]] = [c.label(f"p_{c.name}") for c in persons.c]
    query = select(*own, *whose, superior.label("above_login")).select_from(accounts.join(persons))
    return query.where(_THERE).order_by(accounts.c.login)


def _read(cx: Connection, query: Select[Any]) -> list[Entry]:
    return [
        Entry(account_of(_Part(row, "a_")), person_of(_Part(row, "p_")), row.above_login)
        for row in cx.execute(query)
    ]


class _Part:
    """The columns of one table in a joined row."""

    __slots__ = ("_prefix", "_row")

    def __init__(self, row: Any, prefix: str) -> None:
        self._row, self._prefix = row, prefix

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, self._prefix + name)


def _members_are_there(cx: Connection, logins: Sequence[str]) -> None:
    wanted = set(logins)
    query = select(accounts.c.login).join(persons).where(_THERE, accounts.c.login.in_(wanted))
    missing = wanted - set(cx.scalars(query))
    if missing:
        raise InputError(NO_MEMBER.of(name=min(missing)))
