"""The company's scans, as detection reads them. Implements `domain.alarm.Scans`."""

from collections.abc import Iterator

from sqlalchemy import select

from acl_engine.domain.alarm import Scanned
from acl_engine.storage.database import Database
from acl_engine.storage.tables import scans, waybills

_PAGE = 5_000


class ScanFeed:
    """Scans by id, a page at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, scan: int, since: int = 0) -> Iterator[Scanned]:
        """Scans with an id above `scan` and not before `since` (epoch ms), by id."""
        c = scans.c
        columns = (c.id, c.at, c.kind, waybills.c.waybill_no, c.account, c.unit, c.device)
        while True:
            query = (
                select(*columns)
                .join(waybills, waybills.c.id == c.waybill)
                .where(c.id > scan, c.at >= since // 1000)
                .order_by(c.id)
                .limit(_PAGE)
            )
            with self._database.read() as cx:
                rows = cx.execute(query).all()
            for row in rows:
                yield Scanned(row[0], row[1] * 1000, *row[2:])
            if len(rows) < _PAGE:
                return
            scan = int(rows[-1][0])
