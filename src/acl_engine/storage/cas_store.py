"""Tickets, grants and farewells: the adapter behind `domain.cas.TicketStore`.

INVARIANTS
- What may happen once (a ticket, a form, a turn at a farewell) is decided by one conditional
  statement, so two processes racing cannot both win.
- A ticket is used up in the commit of the record that tells what came of it.
- Whoever changes several tickets in one transaction takes them in one order.
- A farewell becomes due in the transaction that ends what it is about.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.cas import (
    USED,
    Described,
    Failure,
    Farewell,
    Grant,
    NewTicket,
    Offered,
    TicketKind,
)
from acl_engine.domain.errors import TicketRefused
from acl_engine.domain.parts import Part
from acl_engine.storage.database import Database
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import (
    accounts,
    cas_grants,
    cas_spent,
    cas_tickets,
    cas_warned,
    persons,
    roster,
    sessions,
    units,
)

# A session that a fresh login replaces hands its visits over a moment after it ended.
GRACE_SECONDS = 10
# What is over is kept a while, so that "expired" and "used" can be told apart in the log.
_KEPT_SECONDS = 3600

# Built once: a validation is little more than these.
_MINE = cas_tickets.c.ticket_hash == bindparam("mine")
_TAKE = update(cas_tickets).where(_MINE).values(used_at=bindparam("now"), ticket=bindparam("index"))
_AGAIN, _ONCE = Prepared(_TAKE), Prepared(_TAKE.where(cas_tickets.c.used_at.is_(None)))
_OFFERED = Prepared(
    select(cas_tickets, sessions.c.created_at.label("since"))
    .outerjoin(sessions, cas_tickets.c.session == sessions.c.token_hash)
    .where(_MINE)
)


@dataclass(frozen=True, slots=True)
class _Use:
    """A ticket to use up. `index`: the ticket itself."""

    mine: str
    index: str
    now: int
    once: bool


class SqlTicketStore:
    """Implements `domain.cas.TicketStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- forms, tickets, grants --------------------------------------------------------------

    def spend(self, form: str, now: int, expires_at: int) -> bool:
        row = {"form_hash": form, "expires_at": expires_at}
        with self._database.write() as cx:
            return _insert_new(cx, cas_spent, row)

    def issue(self, new: NewTicket) -> None:
        row = {
            "ticket_hash": new.ticket_hash,
            "kind": new.kind.value,
            "service": new.service,
            "url": new.url,
            "session": new.session,
            "fresh": new.fresh,
            "proxies": json.dumps(new.proxies),
            "issued_at": new.now,
            "expires_at": new.expires_at,
        }
        with self._database.write() as cx:
            cx.execute(insert(cas_tickets).values(row))

    def offered(self, ticket_hash: str) -> Offered | None:
        with self._database.read() as cx:
            row = _OFFERED.first(cx, {"mine": ticket_hash})
        return None if row is None else _to_offered(row)

    def use(self, ticket_hash: str, index: str, *, once: bool, now: int) -> Part[Any, bool]:
        return Part(_Use(ticket_hash, index, now, once), _use_up)

    def keep_grant(self, grant: Grant) -> None:
        row = {
            "grant_hash": grant.grant_hash,
            "service": grant.service,
            "session": grant.session,
            "callback": grant.callback,
            "proxies": json.dumps(grant.proxies),
            "expires_at": grant.expires_at,
        }
        with self._database.write() as cx:
            cx.execute(insert(cas_grants).values(row))

    def grant(self, grant_hash: str) -> Grant | None:
        live = cas_grants.c.grant_hash == grant_hash, cas_grants.c.ended_at.is_(None)
        with self._database.read() as cx:
            row = cx.execute(select(cas_grants).where(*live)).first()
        return None if row is None else _to_grant(row)

    # --- the session that all of it hangs on -------------------------------------------------

    def move(self, old: str, new: str) -> None:
        with self._database.write() as cx:
            c = cas_tickets.c
            held = select(c.ticket_hash).where(c.session == old).order_by(c.ticket_hash)
            cx.execute(held.with_for_update())
            for table in (cas_tickets, cas_grants):
                cx.execute(update(table).where(table.c.session == old).values(session=new))

    def set_warn(self, session: str, now: int) -> None:
        with self._database.write() as cx:
            _insert_new(cx, cas_warned, {"session": session, "at": now})

    def warns(self, session: str) -> bool:
        with self._database.read() as cx:
            query = select(cas_warned.c.session).where(cas_warned.c.session == session)
            return cx.execute(query).first() is not None

    def part(self, session: str, now: int) -> int:
        with self._database.write() as cx:
            return _part(cx, cas_tickets.c.session == session, cas_grants.c.session == session, now)

    def part_dead(self, now: int) -> int:
        with self._database.write() as cx:
            dead = _dead(now).scalar_subquery()
            of_tickets, of_grants = cas_tickets.c.session.in_(dead), cas_grants.c.session.in_(dead)
            return _part(cx, of_tickets, of_grants, now)

    # --- farewells ---------------------------------------------------------------------------

    def claim(self, now: int, lease: int, limit: int) -> tuple[Farewell, ...]:
        c = cas_tickets.c
        due = (c.farewell_at <= now, c.told_at.is_(None))
        query = select(c.ticket_hash).where(*due).order_by(c.farewell_at).limit(limit)
        found: list[Farewell] = []
        with self._database.write() as cx:
            # Another process that is at one of them is passed over, not waited for.
            for name in cx.execute(query.with_for_update(skip_locked=True)).scalars().all():
                mine = (c.ticket_hash == name, *due)
                later = {"farewell_at": now + lease, "tries": c.tries + 1}
                if cx.execute(update(cas_tickets).where(*mine).values(later)).rowcount == 1:
                    row = cx.execute(select(cas_tickets).where(c.ticket_hash == name)).one()
                    index = str(row.ticket)
                    found.append(Farewell(name, row.service, row.url, index, row.tries))
        return tuple(found)

    def settle(self, ticket_hash: str, now: int, *, retry_at: int | None) -> None:
        mine = cas_tickets.c.ticket_hash == ticket_hash
        done = {"told_at": now} if retry_at is None else {"farewell_at": retry_at}
        with self._database.write() as cx:
            cx.execute(update(cas_tickets).where(mine).values(done))

    def forget(self, now: int) -> None:
        c, old = cas_tickets.c, now - _KEPT_SECONDS
        with self._database.write() as cx:
            cx.execute(delete(cas_spent).where(cas_spent.c.expires_at <= now))
            cx.execute(delete(cas_tickets).where(c.expires_at <= old, c.used_at.is_(None)))
            cx.execute(delete(cas_tickets).where(c.told_at <= old))
            cx.execute(delete(cas_grants).where(cas_grants.c.expires_at <= now))
            lived = select(sessions.c.token_hash).where(sessions.c.expires_at > now)
            cx.execute(delete(cas_warned).where(cas_warned.c.session.not_in(lived)))

    # --- people ------------------------------------------------------------------------------

    def describe(self, account: str, now: int) -> Described | None:
        query = (
            select(persons.c.id, persons.c.name, persons.c.superior, units.c.name_zh, units.c.path)
            .select_from(accounts)
            .join(units, accounts.c.unit == units.c.id)
            .outerjoin(persons, accounts.c.person == persons.c.id)
            .where(accounts.c.login == account)
        )
        with self._database.read() as cx:
            row = cx.execute(query).first()
            if row is None:
                return None
            areas = cx.execute(_areas(row.id, now)).scalars().all() if row.id else ()
        above = tuple(part for part in row.path.split("/") if part)
        return Described(row.name or "", row.name_zh, above, row.superior, tuple(areas))


def _use_up(cx: Connection, parts: Sequence[Part[_Use, bool]]) -> None:
    """Use tickets up, each once: of those who offer one together, the first has it."""
    for way, once in ((_ONCE, True), (_AGAIN, False)):
        mine = sorted((p for p in parts if p.job.once is once), key=lambda part: part.job.mine)
        rows = [{"mine": p.job.mine, "now": p.job.now, "index": p.job.index} for p in mine]
        for part, changed in zip(mine, way.each(cx, rows), strict=True):
            if changed == 1:
                part.done = True
            else:
                part.refused = TicketRefused(Failure.INVALID_TICKET, USED.of())


def _insert_new(cx: Connection, table: Table, row: dict[str, object]) -> bool:
    """Insert, unless the key is there; whether it was new. The database decides between racers."""
    dialect = postgresql if cx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(row).on_conflict_do_nothing()
    return cx.execute(statement.returning(literal(1))).first() is not None


def _areas(person: str, now: int) -> Any:
    c = roster.c
    live = (c.person == person, c.valid_from <= now, c.valid_to > now)
    return select(c.area).where(*live).distinct().order_by(c.area)


def _dead(now: int) -> Any:
    """Sessions that ended by themselves or by an administrator, and have visits to end.

    One that is merely idle is left alone: its person may be at work in an application.
    """
    s = sessions.c
    over = (
        (s.ended_at <= now - GRACE_SECONDS)
        | (s.expires_at <= now)
        | (s.epoch != accounts.c.epoch)
        | (accounts.c.status != "active")
        | (persons.c.status != "active")
    )
    visited = select(cas_tickets.c.session).where(
        cas_tickets.c.ticket.is_not(None), cas_tickets.c.farewell_at.is_(None)
    )
    return (
        select(s.token_hash)
        .join(accounts, s.login == accounts.c.login)
        .outerjoin(persons, accounts.c.person == persons.c.id)
        .where(over, s.token_hash.in_(visited.scalar_subquery()))
    )


def _part(
    cx: Connection, of_tickets: ColumnElement[bool], of_grants: ColumnElement[bool], now: int
) -> int:
    c = cas_tickets.c
    cx.execute(update(cas_grants).where(of_grants, cas_grants.c.ended_at.is_(None)).values(
        ended_at=now
    ))  # fmt: skip
    visits = (of_tickets, c.ticket.is_not(None), c.farewell_at.is_(None))
    cx.execute(select(c.ticket_hash).where(*visits).order_by(c.ticket_hash).with_for_update())
    return cx.execute(update(cas_tickets).where(*visits).values(farewell_at=now)).rowcount


def _to_offered(row: Mapping[str, Any]) -> Offered:
    return Offered(
        ticket_hash=row["ticket_hash"],
        kind=TicketKind(row["kind"]),
        service=row["service"],
        url=row["url"],
        session=row["session"],
        fresh=row["fresh"],
        proxies=tuple(json.loads(row["proxies"])),
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        used=row["used_at"] is not None,
        since=row["since"] or 0,
    )


def _to_grant(row: Any) -> Grant:
    return Grant(
        grant_hash=row.grant_hash,
        service=row.service,
        session=row.session,
        callback=row.callback,
        proxies=tuple(json.loads(row.proxies)),
        expires_at=row.expires_at,
    )
