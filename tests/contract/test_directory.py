"""Directory: facts of now, complete, free of personal data, not made by their gainer."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event

from acl_engine.domain.errors import InputError, StoreError
from acl_engine.domain.facts import Facts
from acl_engine.domain.scope import EVERYTHING, Compare
from acl_engine.policy.pack import load_pack
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.prepared import Prepared
from tests.contract.company import (
    AGENT,
    COURIER,
    DAY,
    HOUR,
    NOW,
    PHONE,
    FixedClock,
    change,
    put,
    request,
)

ITEM = {"waybill_no": "SF0001", "holder": "cs-1", "source": "call-1", "made_by": "svc-ivr",
        "opened_at": NOW - HOUR, "closed_at": None}  # fmt: skip


def facts(
    database: Database, who: Any = COURIER, key: str | None = "SF0001", at: int = NOW
) -> Facts:
    return DirectoryStore(database, FixedClock(at)).facts(who, request(key=key))


def test_every_attribute_of_the_pack_is_there(company: Database) -> None:
    """What the courier pack declares for `sub` and `res` is what the directory fetches."""
    pack = load_pack("policies/courier/after")
    found = facts(company)
    assert set(found.subject) == set(pack.subject_attributes)
    assert found.resource is not None
    assert set(found.resource) == set(pack.resources["waybill"].attributes)
    case = replace(request(key="A-0"), resource="approval", purpose="precheck")
    subject = DirectoryStore(company, FixedClock()).facts(COURIER, case).subject
    assert set(subject) == set(pack.subject_attributes)


def test_facts_of_an_honest_courier(company: Database) -> None:
    """Device, shift, roster and released stops, as they stand."""
    subject = facts(company).subject
    assert subject["device_bound"] is True
    assert subject["on_shift"] is True
    assert subject["unit_path"] == "/hq/hub/b-1/"
    assert subject["roster_areas"] == {"a-1"}
    assert subject["released_stop"] == 3
    assert (subject["now"], subject["week_ago"]) == (NOW, NOW - 7 * DAY)


def test_released_stop_follows_the_lowest_open_one(company: Database) -> None:
    """Delivering stop 1 releases stop 4; an unsound assignment releases nothing."""
    change(company, "SF0001", stage="DELIVERED")
    assert facts(company).subject["released_stop"] == 4
    change(company, "SF0002", assignee_sound=False)
    assert facts(company).subject["released_stop"] == 5
    assert facts(company, AGENT).subject["released_stop"] == 0


def test_unknown_record_looks_like_none(company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record and no key leave `resource` None, after the same queries."""
    counted: list[str] = []
    run = Prepared.all

    def counting(self: Prepared, cx: Connection, values: Any) -> list[dict[str, Any]]:
        counted.append(str(self._statement))
        return run(self, cx, values)

    monkeypatch.setattr(Prepared, "all", counting)

    @event.listens_for(company._engine, "before_cursor_execute")
    def count(*args: Any) -> None:
        counted.append(args[2])

    directory = DirectoryStore(company, FixedClock())
    statements = []
    for key in ("SF0001", "SF9999", None):
        counted.clear()
        found = directory.facts(COURIER, request(key=key))
        statements.append([s for s in counted if not s.startswith("BEGIN")])
        assert (found.resource is None) is (key != "SF0001")
    assert statements[0] == statements[1] == statements[2]
    assert len(statements[0]) == 3
    assert "payload" not in "".join(statements[0])


def test_device_must_be_this_one_and_leased(company: Database) -> None:
    """Another device, no device, another person, or a lease run out: not bound."""
    assert facts(company, replace(COURIER, device="pda-2")).subject["device_bound"] is False
    assert facts(company, replace(COURIER, device=None)).subject["device_bound"] is False
    assert facts(company, replace(COURIER, person="p-2")).subject["device_bound"] is False
    assert facts(company, at=NOW + HOUR).subject["device_bound"] is False


@pytest.mark.parametrize("status", ["lost", "revoked"])
def test_lost_device_is_not_bound(company: Database, status: str) -> None:
    """A device reported lost counts from the next request on."""
    with company.write() as cx:
        cx.execute(t.devices.update().values(status=status))
    assert facts(company).subject["device_bound"] is False


def test_shift_ends_on_the_second(company: Database) -> None:
    """The start is in the shift, the end is not."""
    assert facts(company, at=NOW - HOUR).subject["on_shift"] is True
    assert facts(company, at=NOW - HOUR - 1).subject["on_shift"] is False
    assert facts(company, at=NOW + HOUR).subject["on_shift"] is False


@pytest.mark.parametrize("maker", ["p-1", "courier-1"])
def test_self_made_shift_and_roster_grant_nothing(company: Database, maker: str) -> None:
    """A courier who writes his own shift is not on shift, nor rostered where he says."""
    with company.write() as cx:
        cx.execute(t.shifts.update().values(made_by=maker))
        cx.execute(t.roster.update().values(made_by=maker))
    subject = facts(company).subject
    assert subject["on_shift"] is False
    assert subject["roster_areas"] == frozenset()


def test_open_items_by_kind(company: Database) -> None:
    """Each kind of work item opens its own set; an item without a waybill stands for itself."""
    for kind in ("ticket", "claim", "batch", "print_job"):
        put(company, t.work_items, id=f"i-{kind}", kind=kind, **ITEM)
    put(company, t.work_items, id="i-change", kind="change", **{**ITEM, "waybill_no": None})
    subject = facts(company, AGENT).subject
    for name in ("tickets", "claims", "batches", "print_jobs"):
        assert subject[name] == {"SF0001"}
    assert subject["changes"] == {"i-change"}
    assert facts(company).subject["tickets"] == frozenset()


@pytest.mark.parametrize(
    "over",
    [
        {"closed_at": NOW - 1},
        {"made_by": "cs-1"},
        {"made_by": "p-6"},
        {"source": ""},
        {"opened_at": NOW + 1},
        {"holder": "cs-2"},
    ],
    ids=str,
)
def test_unsound_ticket_opens_nothing(company: Database, over: dict[str, Any]) -> None:
    """Closed, made by its holder, without an event behind it, not yet open, or another's."""
    put(company, t.work_items, **{"id": "i-1", "kind": "ticket", **ITEM, **over})
    assert facts(company, AGENT).subject["tickets"] == frozenset()


def test_claim_lasts_thirty_days(company: Database) -> None:
    """A claim case older than that opens nothing; a ticket has no such end."""
    old = {**ITEM, "opened_at": NOW - 30 * DAY}
    put(company, t.work_items, id="i-1", kind="claim", **old)
    put(company, t.work_items, id="i-2", kind="ticket", **old)
    subject = facts(company, AGENT).subject
    assert subject["claims"] == frozenset()
    assert subject["tickets"] == {"SF0001"}


def test_customer_facts(company: Database) -> None:
    """When a customer proved the phone, or None: then nothing is theirs."""
    proven = replace(COURIER, customer="c-1")
    assert facts(company, proven).subject["bound_since"] == NOW - 2 * DAY
    for other in ("c-2", "c-9", None):
        assert facts(company, replace(COURIER, customer=other)).subject["bound_since"] is None


def test_unit_without_a_path_is_over_nothing(company: Database) -> None:
    """An empty path would be a prefix of every unit's."""
    with company.write() as cx:
        cx.execute(t.units.update().values(path=""))
    assert facts(company).subject["unit_path"] is None
    assert facts(company, replace(COURIER, unit="nowhere")).subject["unit_path"] is None


def test_no_personal_field_among_the_facts(company: Database) -> None:
    """Neither a phone nor a name is in the facts."""
    found = facts(company)
    assert PHONE not in str(found)
    assert "张三" not in str(found)


def test_count_by_stage(company: Database) -> None:
    """Counts stay in the scope, and only policy facts are criteria."""
    directory = DirectoryStore(company, FixedClock())
    asked = request("aggregate")
    assert directory.count(asked, EVERYTHING) == {
        "OUT_FOR_DELIVERY": 3, "AT_BRANCH": 1, "DELIVERED": 1, "PICKED_UP": 1,
    }  # fmt: skip
    mine = Compare("assignee", "==", "p-1")
    assert directory.count(asked, mine) == {"OUT_FOR_DELIVERY": 3, "DELIVERED": 1}
    narrow = request("aggregate", by={"cod": "false", "stop_seq": "2"})
    assert directory.count(narrow, mine) == {"OUT_FOR_DELIVERY": 1}
    with pytest.raises(InputError):
        directory.count(request("aggregate", by={"recipient_phone": PHONE}), EVERYTHING)


def test_unknown_resource_type(company: Database) -> None:
    """A type that is not stored is an error, never an empty answer."""
    with pytest.raises(StoreError):
        DirectoryStore(company, FixedClock()).facts(COURIER, replace(request(), resource="ghost"))
