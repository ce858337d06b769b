"""Which waybills a data subject has, for the report of who has seen them."""

from sqlalchemy import or_, select

from acl_engine.storage.database import Database
from acl_engine.storage.tables import waybill_people, waybills


def waybills_of_customer(database: Database, customer: str) -> list[str]:
    """The waybill numbers that a customer id sent or receives, sorted."""
    w = waybills.c
    query = select(w.waybill_no).where(or_(w.sender == customer, w.recipient == customer))
    with database.read() as cx:
        return sorted(str(number) for number in cx.execute(query).scalars())


def waybills_of_phone(database: Database, index: str) -> list[str]:
    """The waybill numbers with this keyed phone index on either side, sorted."""
    p = waybill_people.c
    people = select(p.waybill).where(
        or_(p.recipient_phone_index == index, p.sender_phone_index == index)
    )
    query = select(waybills.c.waybill_no).where(waybills.c.id.in_(people))
    with database.read() as cx:
        return sorted(str(number) for number in cx.execute(query).scalars())
