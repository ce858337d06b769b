"""Whoever moves or leaves takes nothing along: every fact that gave a right ends."""

import pytest
from sqlalchemy import insert, select

from acl_engine.domain.staff import AccountChange
from acl_engine.storage.database import Database
from acl_engine.storage.staff import SqlStaffDirectory
from acl_engine.storage.tables import persons, roster, shifts, waybills, work_items
from tests.contract.company import DAY, HOUR, NOW, change, put, rows, waybill


@pytest.fixture
def held(company: Database) -> Database:
    """courier-1 (p-1) of b-1 with a later shift, a pickup task and an open item."""
    change(company, "SF0006", pickup_courier="p-1", stage="ORDERED")
    line = {"person": "p-1", "unit": "b-1", "made_by": "p-5"}
    put(company, shifts, starts_at=NOW + DAY, ends_at=NOW + DAY + HOUR, **line)
    put(
        company,
        work_items,
        id="w-1",
        kind="ticket",
        waybill_no="SF0001",
        holder="courier-1",
        source="call",
        made_by="x",
        opened_at=NOW,
    )
    return company


def live(database: Database) -> list[object]:
    """What p-1 holds that gives a right now or later."""
    found: list[object] = [
        r for r in rows(database, roster) if r["person"] == "p-1" and r["valid_to"] > NOW
    ]
    found += [
        r
        for r in rows(database, shifts)
        if r["person"] == "p-1" and r["ends_at"] > max(NOW, r["starts_at"])
    ]
    found += [
        r
        for r in rows(database, waybills)
        if r["assignee"] == "p-1" and r["assignee_sound"] and r["stage"] != "DELIVERED"
    ]
    found += [r for r in rows(database, waybills) if r["pickup_courier"] == "p-1"]
    found += [
        r
        for r in rows(database, work_items)
        if r["holder"] == "courier-1" and r["closed_at"] is None
    ]
    return found


@pytest.mark.parametrize("change", [AccountChange(unit="b-2"), AccountChange(role="cs_agent")])
def test_a_mover_keeps_nothing_of_the_old_place(held: Database, change: AccountChange) -> None:
    assert len(live(held)) >= 5
    SqlStaffDirectory(held).change_account("courier-1", change, NOW)
    assert live(held) == []
    assert waybill(held, "SF0005")["assignee_sound"], (
        "a delivered parcel stays theirs to answer for"
    )


def test_a_mover_is_a_person_of_the_new_unit(held: Database) -> None:
    """Or they could still be given parcels of the old branch."""
    SqlStaffDirectory(held).change_account("courier-1", AccountChange(unit="b-2"), NOW)
    with held.read() as cx:
        assert cx.scalar(select(persons.c.unit).where(persons.c.id == "p-1")) == "b-2"


def test_a_leaver_holds_nothing(held: Database) -> None:
    SqlStaffDirectory(held).leave("p-1", "admin", NOW)
    assert live(held) == []


def test_a_colleague_keeps_theirs(held: Database) -> None:
    with held.write() as cx:
        line = {"area": "a-1", "kind": "regular", "valid_from": 0, "valid_to": NOW + DAY}
        cx.execute(insert(roster).values(person="p-2", made_by="p-5", **line))
    change(held, "SF0002", assignee="p-2")
    SqlStaffDirectory(held).leave("p-1", "admin", NOW)
    assert [r for r in rows(held, roster) if r["person"] == "p-2" and r["valid_to"] > NOW]
    assert waybill(held, "SF0002")["assignee_sound"]
