"""Acts: no fact that grants a right is made by its gainer alone; nothing stale is acted upon."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from acl_engine.domain.errors import ActRefused
from acl_engine.domain.ports import Acts
from acl_engine.storage import tables as t
from acl_engine.storage.acts import ActStore
from acl_engine.storage.custody import CIRCLE_SECONDS
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.payload import phone_index
from acl_engine.storage.tickets import CONTACT_SECONDS, record_contact
from tests.contract.company import (
    AGENT,
    COURIER,
    INDEX_KEY,
    KEEPER,
    MANAGER,
    NOW,
    PHONE,
    SORTER,
    FixedClock,
    change,
    put,
    request,
    rows,
    vault,
    waybill,
)

HERE = replace(KEEPER, account="keeper-1", person="p-9", unit="b-1")
CALLER = phone_index(INDEX_KEY, PHONE)


def refused(control: str, act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ActRefused) as caught:
        act(*args, **kwargs)
    assert caught.value.refusal.controls == (control,)
    return caught.value.refusal.code


def test_port_is_whole(company: Database) -> None:
    """The store does what the door's port asks for."""
    acts: Acts = ActStore(company, vault())
    assert acts


# --- custody -----------------------------------------------------------------------------------


def test_custody_moves_by_two_scans(company: Database) -> None:
    """Branch to hub to branch: custody follows the in-scan that answers the out-scan."""
    store = ActStore(company, vault())
    store.scan_out(KEEPER, "SF0006", "hub", NOW)
    assert waybill(company, "SF0006")["custody_unit"] == "b-2"
    assert waybill(company, "SF0006")["stage"] == "IN_TRANSIT"
    store.scan_in(SORTER, "SF0006", NOW + 1, dual=True)
    assert waybill(company, "SF0006")["custody_unit"] == "hub"
    store.scan_out(SORTER, "SF0006", "b-1", NOW + 2)
    store.scan_in(HERE, "SF0006", NOW + 3, dual=True)
    after = waybill(company, "SF0006")
    assert (after["custody_unit"], after["custody_sound"]) == ("b-1", True)
    assert after["stage"] == "AT_BRANCH"
    out, in_ = rows(company, t.scans)[:2]
    assert (in_["answers"], in_["counterpart"], in_["account"]) == (out["id"], "b-2", "sorter-3")


def test_in_scan_without_out_scan(company: Database) -> None:
    """A branch cannot take a parcel by scanning its number; without the control it could."""
    store = ActStore(company, vault())
    assert refused("dual-scan", store.scan_in, HERE, "SF0006", NOW, dual=True)
    assert waybill(company, "SF0006")["custody_unit"] == "b-2"
    assert rows(company, t.scans) == []
    store.scan_in(HERE, "SF0006", NOW, dual=False)
    assert waybill(company, "SF0006")["custody_unit"] == "b-1"


def test_in_scan_of_a_parcel_sent_elsewhere(company: Database) -> None:
    """The out-scan names its counterpart: another unit's in-scan does not answer it."""
    store = ActStore(company, vault())
    store.scan_out(KEEPER, "SF0006", "hub", NOW)
    assert refused("dual-scan", store.scan_in, HERE, "SF0006", NOW + 1, dual=True)


def test_one_account_cannot_do_both_scans(company: Database) -> None:
    """An account moved between units does not hand a parcel to itself."""
    store = ActStore(company, vault())
    store.scan_out(KEEPER, "SF0006", "b-1", NOW)
    moved = replace(KEEPER, unit="b-1")
    assert refused("dual-scan", store.scan_in, moved, "SF0006", NOW + 1, dual=True)


def test_answered_out_scan_is_used_up(company: Database) -> None:
    """An old out-scan does not carry the parcel twice."""
    store = ActStore(company, vault())
    store.scan_out(KEEPER, "SF0006", "hub", NOW)
    store.scan_in(SORTER, "SF0006", NOW + 1, dual=True)
    change(company, "SF0006", custody_unit="b-2")
    assert refused("dual-scan", store.scan_in, SORTER, "SF0006", NOW + 2, dual=True)


def test_out_scan_needs_custody(company: Database) -> None:
    """Who has not got the parcel cannot hand it over; nor can anyone a delivered one."""
    store = ActStore(company, vault())
    assert refused("custody-scope", store.scan_out, HERE, "SF0006", "hub", NOW)
    assert refused("custody-scope", store.scan_out, HERE, "SF0005", "hub", NOW)
    assert refused("custody-scope", store.scan_out, HERE, "SF9999", "hub", NOW)
    assert refused("dual-scan", store.scan_out, KEEPER, "SF0006", "nowhere", NOW)
    assert rows(company, t.scans) == []


def test_repeated_scans_add_nothing(company: Database) -> None:
    """A scanner that sends twice makes one event."""
    store = ActStore(company, vault())
    for _ in range(2):
        store.scan_out(KEEPER, "SF0006", "hub", NOW)
    for _ in range(2):
        store.scan_in(SORTER, "SF0006", NOW + 1, dual=True)
    assert [row["kind"] for row in rows(company, t.scans)] == ["out", "in"]


def test_handed_to_the_courier(company: Database) -> None:
    """Out for delivery only with somebody assigned; to a station the stage changes on arrival."""
    store = ActStore(company, vault())
    assert refused("assignment-scope", store.scan_out, HERE, "SF0004", "b-1", NOW)
    change(company, "SF0004", assignee="p-1", assignee_sound=True)
    store.scan_out(HERE, "SF0004", "b-1", NOW)
    after = waybill(company, "SF0004")
    assert (after["stage"], after["out_at"]) == ("OUT_FOR_DELIVERY", NOW)
    store.scan_out(HERE, "SF0004", "s-1", NOW + 1)
    assert waybill(company, "SF0004")["stage"] == "OUT_FOR_DELIVERY"
    station = replace(HERE, account="station-1", unit="s-1")
    store.scan_in(station, "SF0004", NOW + 2, dual=True)
    after = waybill(company, "SF0004")
    assert (after["stage"], after["station"]) == ("AT_STATION", "s-1")


# --- reassignment ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p-2", "courier-2"])
def test_reassign_to_a_rostered_courier(company: Database, name: str) -> None:
    """By person or login; the maker is kept and the stop goes to the end of the load."""
    ActStore(company, vault()).reassign(MANAGER, "SF0001", name, NOW, rostered=True)
    after = waybill(company, "SF0001")
    assert (after["assignee"], after["assignee_sound"], after["stop_seq"]) == ("p-2", True, 1)
    (made,) = rows(company, t.assignments)
    assert (made["person"], made["made_by"], made["at"]) == ("p-2", "p-5", NOW)


def test_reassign_to_an_accomplice(company: Database) -> None:
    """A courier of another branch, an unrostered one, oneself, nobody: refused, unchanged."""
    store, before = ActStore(company, vault()), waybill(company, "SF0001")
    for who, to in ((MANAGER, "p-3"), (MANAGER, "p-6"), (MANAGER, "p-5"), (MANAGER, "nobody"),
                    (replace(MANAGER, person="p-2"), "p-2")):  # fmt: skip
        assert refused("rostered-reassign", store.reassign, who, "SF0001", to, NOW, rostered=True)
    assert waybill(company, "SF0001") == before
    assert rows(company, t.assignments) == []
    store.reassign(MANAGER, "SF0001", "p-3", NOW, rostered=False)
    assert waybill(company, "SF0001")["assignee"] == "p-3"


@pytest.mark.parametrize("maker", ["p-5", "sup-1", "p-2"])
def test_roster_made_by_the_same_hand(company: Database, maker: str) -> None:
    """A manager cannot roster the accomplice first, nor the accomplice himself."""
    with company.write() as cx:
        cx.execute(t.roster.update().where(t.roster.c.person == "p-2").values(made_by=maker))
    store = ActStore(company, vault())
    code = refused("rostered-reassign", store.reassign, MANAGER, "SF0001", "p-2", NOW,
                   rostered=True)  # fmt: skip
    assert code == "act.not-rostered"


def test_roster_line_that_has_ended(company: Database) -> None:
    """Relief cover of yesterday covers nothing today."""
    with company.write() as cx:
        cx.execute(t.roster.update().values(valid_to=NOW))
    store = ActStore(company, vault())
    assert refused("rostered-reassign", store.reassign, MANAGER, "SF0001", "p-2", NOW,
                   rostered=True)  # fmt: skip


def test_two_who_give_each_other_parcels(company: Database) -> None:
    """A circle of makers is refused for thirty days."""
    put(company, t.assignments, waybill=2, person="p-5", made_by="p-2", sound=True, at=NOW)
    store = ActStore(company, vault())
    code = refused("rostered-reassign", store.reassign, MANAGER, "SF0001", "p-2", NOW + 1,
                   rostered=True)  # fmt: skip
    assert code == "act.circle"
    with company.write() as cx:
        cx.execute(t.roster.update().values(valid_to=NOW + 2 * CIRCLE_SECONDS))
    store.reassign(MANAGER, "SF0001", "p-2", NOW + CIRCLE_SECONDS, rostered=True)


def test_reassign_a_delivered_parcel(company: Database) -> None:
    """What is over is not given to anyone."""
    store = ActStore(company, vault())
    for number in ("SF0005", "SF0006", "SF9999"):
        assert refused("rostered-reassign", store.reassign, MANAGER, number, "p-2", NOW,
                       rostered=True)  # fmt: skip


def test_reassigning_twice_is_once(company: Database) -> None:
    """Eight at once make one assignment."""
    store = ActStore(company, vault())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(
            lambda _: store.reassign(MANAGER, "SF0001", "p-2", NOW, rostered=True), range(8)
        ))  # fmt: skip
    assert len(rows(company, t.assignments)) == 1


# --- tickets -----------------------------------------------------------------------------------


def called(database: Database, **over: Any) -> None:
    event = {"contact": "call-1", "kind": "call", "made_by": "svc-ivr", "at": NOW - 60,
             "phone_index": CALLER}  # fmt: skip
    record_contact(database, **{**event, **over})


def open_ticket(database: Database, **over: Any) -> str:
    asked: dict[str, Any] = {
        "who": AGENT, "waybill_no": "SF0001", "source": "call-1", "caller_index": None,
        "pickup_code": None, "now": NOW, "verified": True,
    }  # fmt: skip
    return ActStore(database, vault()).open_ticket(**{**asked, **over})


def sees(database: Database) -> Any:
    return (
        DirectoryStore(database, FixedClock())
        .facts(AGENT, request(key="SF0001"))
        .subject["tickets"]
    )


def test_ticket_for_the_caller(company: Database) -> None:
    """The recipient calls: the ticket opens their parcel, once, and names the exchange."""
    called(company)
    ticket = open_ticket(company)
    assert open_ticket(company) == ticket
    (item,) = rows(company, t.work_items)
    assert (item["made_by"], item["source"], item["holder"]) == ("svc-ivr", "call-1", "cs-1")
    assert sees(company) == {"SF0001"}


def test_ticket_by_pickup_code(company: Database) -> None:
    """A caller from another phone who knows the code."""
    called(company, phone_index=phone_index(INDEX_KEY, "19055556666"))
    assert refused("caller-verification", open_ticket, company, pickup_code="77-2")
    assert refused("caller-verification", open_ticket, company, pickup_code="")
    assert open_ticket(company, pickup_code="77-1")


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (None, {}),
        ({"phone_index": phone_index(INDEX_KEY, "19055556666")}, {"caller_index": CALLER}),
        ({"phone_index": None}, {"caller_index": CALLER}),
        ({"made_by": "cs-1"}, {}),
        ({"made_by": "p-6"}, {}),
        ({"at": NOW - CONTACT_SECONDS}, {}),
        ({"at": NOW + 1}, {}),
        ({"waybill_no": "SF0002"}, {}),
        ({}, {"caller_index": phone_index(INDEX_KEY, "19055556666")}),
        ({}, {"waybill_no": "SF9999"}),
        ({}, {"source": "call-2"}),
    ],
    ids=str,
)
def test_ticket_without_a_caller(
    company: Database, event: dict[str, Any] | None, asked: dict[str, Any]
) -> None:
    """No event, another's number, the agent's own word or event, old, or of another parcel."""
    if event is not None:
        called(company, **event)
    assert refused("caller-verification", open_ticket, company, **asked)
    assert rows(company, t.work_items) == []
    assert sees(company) == frozenset()


def test_one_call_opens_one_ticket(company: Database) -> None:
    """Not a second parcel of the same caller, not a second agent."""
    called(company)
    open_ticket(company)
    other = replace(AGENT, account="cs-2", person="p-10")
    assert refused("caller-verification", open_ticket, company, waybill_no="SF0002")
    assert refused("caller-verification", open_ticket, company, who=other)


def test_agents_word_was_enough_in_2020(company: Database) -> None:
    """With caller verification off, any number opens any parcel, and counts."""
    assert open_ticket(company, source="says so", verified=False)
    assert sees(company) == {"SF0001"}


def test_scan_names_who_made_it(company: Database) -> None:
    """Account, device and unit of the session, never of the request."""
    ActStore(company, vault()).scan_out(replace(COURIER, unit="b-2"), "SF0006", "hub", NOW)
    (scan,) = rows(company, t.scans)
    assert (scan["account"], scan["device"], scan["unit"]) == ("courier-1", "pda-1", "b-2")
