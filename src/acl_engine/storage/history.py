"""Reading what is still known of the past: one pass over each table, nothing personal."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, func, literal, select

from acl_engine.domain.approvals import LOOK
from acl_engine.domain.facts import Value
from acl_engine.domain.history import OPEN, Assigned, History, Lasted, PastAccount, Scanned
from acl_engine.domain.pack import Pack
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.database import Database
from acl_engine.storage.directory import CLAIM_DAYS, DAY, SETS
from acl_engine.storage.resources import ResourceMap, stored
from acl_engine.storage.tables import (
    accounts,
    approvals,
    assignments,
    customers,
    roster,
    scans,
    shifts,
    units,
    waybills,
    work_items,
)

# Rows fetched at a time.
_PART = 10_000

_Row = TypeVar("_Row", bound=NamedTuple)


def read_history(database: Database, pack: Pack, resource: str) -> History:
    """The past of one record type, fetched as it is read. Raises StoreError."""
    kind = stored(stored_types(pack), resource)
    in_custody = kind.facts is waybills
    return History(
        accounts=list(_rows(database, PastAccount, _accounts())),
        lasted={"on_shift": list(_rows(database, Lasted, _shifts()))} | _sets(database),
        approved=_approved(database, kind.type),
        stations=_stations(database),
        attributes=tuple(kind.attributes),
        records=_records(database, kind),
        scans=_rows(database, Scanned, _scans()) if in_custody else (),
        assignments=_rows(database, Assigned, _assignments()) if in_custody else (),
        claims=_plain(database, _claims()) if in_custody else (),
        in_custody=in_custody,
    )


def _accounts() -> Select[Any]:
    a = accounts.c
    return (
        select(
            a.login,
            a.person,
            a.role,
            a.unit,
            units.c.path,
            a.tenant,
            a.customer,
            customers.c.phone_bound_at,
        )
        .join(units, units.c.id == a.unit, isouter=True)
        .join(customers, customers.c.id == a.customer, isouter=True)
        .order_by(a.login)
    )


def _shifts() -> Select[Any]:
    """As the directory counts them: not one that its gainer made."""
    s = shifts.c
    own = select(accounts.c.login).where(accounts.c.person == s.person)
    return select(s.person, literal("").label("value"), s.starts_at, s.ends_at).where(
        s.made_by != s.person, s.made_by.not_in(own)
    )


def _sets(database: Database) -> dict[str, Sequence[Lasted]]:
    r, w = roster.c, work_items.c
    own = select(accounts.c.login).where(accounts.c.person == r.person)
    holder = select(accounts.c.person).where(accounts.c.login == w.holder, accounts.c.person != "")
    areas = select(r.person, r.area, r.valid_from, r.valid_to).where(
        r.made_by != r.person, r.made_by.not_in(own)
    )
    items = select(
        w.kind, w.holder, func.coalesce(w.waybill_no, w.id), w.opened_at, w.closed_at
    ).where(w.source != "", w.made_by != w.holder, w.made_by.not_in(holder))
    found: dict[str, list[Lasted]] = {name: [] for name in SETS.values()}
    for kind, owner, value, start, closed in _plain(database, items):
        if kind not in SETS:
            continue
        end = OPEN if closed is None else closed
        if kind == "claim":
            end = min(end, start + CLAIM_DAYS * DAY)
        found[SETS[kind]].append(Lasted(owner, value, start, end))
    return {"roster_areas": list(_rows(database, Lasted, areas)), **found}


def _approved(database: Database, resource: str) -> dict[str, list[Lasted]]:
    a = approvals.c
    query = select(a.purpose, a.account, a.object, a.granted_at, a.lives_until).where(
        a.kind == LOOK,
        a.resource == resource,
        a.granted_at.is_not(None),
        a.lives_until.is_not(None),
    )
    found: dict[str, list[Lasted]] = {}
    for purpose, *row in _plain(database, query):
        found.setdefault(purpose, []).append(Lasted(*row))
    return found


def _stations(database: Database) -> frozenset[str]:
    query = select(units.c.id).where(units.c.kind == "station")
    return frozenset(row[0] for row in _plain(database, query))


def _scans() -> Select[Any]:
    s = scans.c
    return select(
        waybills.c.waybill_no, s.at, s.kind, s.unit, s.counterpart, s.answers.is_not(None)
    ).join(waybills, waybills.c.id == s.waybill)


def _assignments() -> Select[Any]:
    a = assignments.c
    return select(waybills.c.waybill_no, a.at, a.person, a.sound).join(
        waybills, waybills.c.id == a.waybill
    )


def _claims() -> Select[Any]:
    w = work_items.c
    return select(w.waybill_no, w.opened_at).where(w.kind == "claim", w.waybill_no.is_not(None))


def _records(database: Database, kind: ResourceMap) -> Iterator[Sequence[Value]]:
    return _plain(database, select(kind.key, *kind.attributes.values()))


def _rows(database: Database, kind: type[_Row], query: Select[Any]) -> Iterator[_Row]:
    return map(kind._make, _plain(database, query))


def _plain(database: Database, query: Select[Any]) -> Iterator[Any]:
    """The rows, a part at a time; the connection is given back at the end."""
    with database.read() as cx:
        yield from cx.execute(query, execution_options={"yield_per": _PART})
