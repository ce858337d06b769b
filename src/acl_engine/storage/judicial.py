"""The register of judicial requests. Implements `domain.judicial.Disclosures`.

A line is the case as `approvals` keeps it, with its paper, and the delivery if there was one.
"""

from dataclasses import asdict

from sqlalchemy import insert, select

from acl_engine.domain.judicial import Disclosure, Entry
from acl_engine.storage.approvals import case_of
from acl_engine.storage.database import Database
from acl_engine.storage.tables import approvals, judicial_deliveries
from acl_engine.storage.vault import Vault

_KIND = "judicial"


class DisclosureStore:
    """Deliveries of one database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def add(self, disclosure: Disclosure) -> None:
        """Register a delivery, once."""
        row = asdict(disclosure) | {"fields": " ".join(disclosure.fields)}
        with self._database.write() as cx:
            cx.execute(insert(judicial_deliveries).values(row))

    def register(self) -> tuple[Entry, ...]:
        """Every request, the newest first."""
        ids = select(approvals.c.approval_no).where(approvals.c.kind == _KIND)
        newest = ids.order_by(approvals.c.asked_at.desc(), approvals.c.approval_no)
        with self._database.read() as cx:
            rows = cx.execute(select(judicial_deliveries)).mappings().all()
            left = {
                row["case"]: Disclosure(**row | {"fields": tuple(row["fields"].split())})
                for row in map(dict, rows)
            }
            cases = [case_of(cx, self._vault, one) for one in cx.scalars(newest)]
        return tuple(Entry(one, left.get(one.id)) for one in cases)
