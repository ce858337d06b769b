"""Which waybills a data subject has, and the names of units, for the report of who saw them."""

from collections.abc import Callable, Collection

from sqlalchemy import or_, select

from acl_engine.storage.database import Database
from acl_engine.storage.tables import scans, units, waybill_people, waybills

# Fewer than any driver's limit of bound values.
_CHUNK = 500
_PAGE = 10_000


def waybills_of_customer(database: Database, customer: str) -> list[str]:
    """The waybill numbers that a customer id sent or receives, sorted."""
    w = waybills.c
    query = select(w.waybill_no).where(or_(w.sender == customer, w.recipient == customer))
    with database.read() as cx:
        return sorted(str(number) for number in cx.execute(query).scalars())


def waybills_of_phones(database: Database, indexes: Collection[str]) -> dict[str, list[str]]:
    """Keyed phone index -> the waybill numbers that have it on either side, sorted."""
    p, wanted = waybill_people.c, sorted(indexes)
    found: dict[str, set[str]] = {index: set() for index in wanted}
    with database.read() as cx:
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            for side in (p.recipient_phone_index, p.sender_phone_index):
                query = select(side, waybills.c.waybill_no).where(
                    side.in_(part), waybills.c.id == p.waybill
                )
                for index, number in cx.execute(query):
                    found[index].add(str(number))
    return {index: sorted(numbers) for index, numbers in found.items()}


def at_work(database: Database, numbers: Collection[str]) -> list[str]:
    """Of these waybills those that work needs: somebody's task, or scanned. Sorted."""
    w, wanted, found = waybills.c, sorted({*numbers}), list[str]()
    scanned = select(scans.c.id).where(scans.c.waybill == w.id).exists()
    needed = or_(w.assignee.is_not(None), w.pickup_courier.is_not(None), scanned)
    with database.read() as cx:
        for start in range(0, len(wanted), _CHUNK):
            part = w.waybill_no.in_(wanted[start : start + _CHUNK])
            found += map(str, cx.execute(select(w.waybill_no).where(part, needed)).scalars())
    return sorted(found)


def recipients(
    database: Database, digest: Callable[[str], str], wanted: Collection[str]
) -> dict[str, str]:
    """Digest -> customer id of the recipient, for waybills whose `digest` is wanted."""
    query, found = select(waybills.c.waybill_no, waybills.c.recipient), dict[str, str]()
    with database.read() as cx:
        for number, recipient in cx.execute(query).yield_per(_PAGE) if wanted else ():
            if (known := digest(str(number))) in wanted:
                found[known] = str(recipient)
    return found


def unit_names(database: Database) -> dict[str, tuple[str, str]]:
    """Unit id -> its name in Chinese and in English."""
    with database.read() as cx:
        rows = cx.execute(select(units.c.id, units.c.name_zh, units.c.name_en)).all()
    return {str(row[0]): (str(row[1]), str(row[2])) for row in rows}
