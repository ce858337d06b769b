"""Tickets: a purpose needs an event that the asking agent did not make.

INVARIANTS
- The caller's number comes from the exchange's own record (`contact_events`), keyed; what the
  agent types can only narrow it.
- One event opens one ticket, for one waybill, held by one account.
"""

import hashlib
from hmac import compare_digest

from sqlalchemy import Connection, RowMapping, insert, select

from acl_engine.domain.principal import Principal
from acl_engine.storage.custody import locked_waybill, refuse
from acl_engine.storage.database import Database
from acl_engine.storage.tables import contact_events, waybill_people, work_items
from acl_engine.storage.vault import Vault

CONTROL = "caller-verification"
# A call is worked on at once, or by the next day.
CONTACT_SECONDS = 24 * 3600
_SOURCE_CHARS = 64


def record_contact(
    database: Database,
    *,
    contact: str,
    kind: str,
    made_by: str,
    at: int,
    phone_index: str | None = None,
    waybill_no: str | None = None,
) -> None:
    """Keep what the telephone exchange or the app saw. Called by their integrations, never by a
    person's request. `kind` is call or app; `phone_index` is the keyed hash of the number as the
    network reported it. Raises StoreError."""
    with database.write() as cx:
        cx.execute(
            insert(contact_events).values(
                id=contact,
                kind=kind,
                waybill_no=waybill_no,
                phone_index=phone_index,
                made_by=made_by,
                at=at,
            )
        )


class TicketStore:
    """Opens tickets."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def open_ticket(
        self,
        who: Principal,
        waybill_no: str,
        source: str,
        caller_index: str | None,
        pickup_code: str | None,
        now: int,
        *,
        verified: bool,
    ) -> str:
        """A ticket held by `who`; its id. Asking again for the same event gives the same one.

        `verified`: the event `source` is on record, young, unused and not made by `who`, and its
        caller is the sender or recipient, or the pickup code fits. Otherwise (as in 2020) the
        agent's word is enough, and the ticket counts.
        """
        digest = hashlib.sha256(f"{source}\0{waybill_no}\0{who.account}".encode()).hexdigest()
        ticket = f"T-{digest[:24]}"
        with self._database.write() as cx:
            row = locked_waybill(cx, waybill_no, CONTROL)
            if cx.execute(select(work_items.c.id).where(work_items.c.id == ticket)).first():
                return ticket
            made_by = f"unverified:{source}"[:_SOURCE_CHARS]
            if verified:
                event = _event(cx, source, who, now)
                if not _is_party(cx, self._vault, row, event, caller_index, pickup_code):
                    raise refuse("act.caller-not-verified", CONTROL)
                made_by = event["made_by"]
                used = contact_events.update().where(contact_events.c.id == source)
                cx.execute(used.values(ticket=ticket))
            cx.execute(
                insert(work_items).values(
                    id=ticket,
                    kind="ticket",
                    waybill_no=waybill_no,
                    holder=who.account,
                    source=source[:_SOURCE_CHARS],
                    made_by=made_by,
                    opened_at=now,
                )
            )
        return ticket


def _event(cx: Connection, source: str, who: Principal, now: int) -> RowMapping:
    """The event behind a ticket, locked. Raises ActRefused."""
    query = select(contact_events).where(contact_events.c.id == source).with_for_update()
    event = cx.execute(query).mappings().first()
    if event is None or event["made_by"] in (who.account, who.person):
        raise refuse("act.no-contact", CONTROL)
    if event["ticket"] is not None or not now - CONTACT_SECONDS < event["at"] <= now:
        raise refuse("act.contact-used-or-old", CONTROL)
    return event


def _is_party(
    cx: Connection,
    vault: Vault,
    waybill: RowMapping,
    event: RowMapping,
    caller_index: str | None,
    pickup_code: str | None,
) -> bool:
    query = select(waybill_people).where(waybill_people.c.waybill == waybill["id"])
    people = cx.execute(query).mappings().one()
    parties = (people["recipient_phone_index"], people["sender_phone_index"])
    caller = event["phone_index"]
    if event["waybill_no"] is not None and event["waybill_no"] != waybill["waybill_no"]:
        return False
    if caller is not None and caller in parties and caller_index in (None, caller):
        return True
    opened = vault.open(cx, waybill_people.name, {waybill["id"]: people["payload"]})
    truth = opened.get(waybill["id"], {}).get("pickup_code", "")
    offered = pickup_code or ""
    return bool(truth) and compare_digest(truth.encode(), offered.encode())
