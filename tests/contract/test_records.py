"""Records: what matches and is in the scope, no more; broad search only where it is switched on."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, insert

from acl_engine.domain.errors import InputError
from acl_engine.domain.scope import EVERYTHING, NOTHING, Compare, Scope
from acl_engine.storage import records
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.payload import phone_index
from acl_engine.storage.records import RecordStore
from acl_engine.storage.resources import RESOURCES, ResourceMap
from tests.contract.company import (
    COURIER,
    INDEX_KEY,
    NOW,
    PHONE,
    SENDER_PHONE,
    FixedClock,
    change,
    put,
    request,
    vault,
)

MINE = Compare("assignee", "==", "p-1")


def find(
    database: Database, scope: Scope = EVERYTHING, *, broad: bool = False, **asked: Any
) -> list[str]:
    asked.setdefault("action", "search")
    store = RecordStore(database, INDEX_KEY, vault(), broad=broad)
    return [record.key for record in store.find(request(**asked), scope)]


def test_by_key_and_scope(company: Database) -> None:
    """The key finds the record only where the scope holds."""
    assert find(company, key="SF0001") == ["SF0001"]
    assert find(company, MINE, key="SF0001") == ["SF0001"]
    assert find(company, MINE, key="SF0004") == []
    assert find(company, NOTHING, key="SF0001") == []
    assert find(company, key="SF9999") == []


@pytest.mark.parametrize("kept", [1, 512])
def test_each_scope_gets_its_own_rows(
    company: Database, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """One store asked by many, over and over: the query kept for one scope serves no other."""
    monkeypatch.setattr(records, "MOST_KEPT", kept)
    store, mine = RecordStore(company, INDEX_KEY, vault()), Compare("assignee", "==", "p-1")
    wanted = {
        mine: ["SF0001"],
        Compare("assignee", "==", "p-2"): [],
        Compare("assignee", "!=", "p-1"): [],
        Compare("cod", "==", True): find(company, Compare("cod", "==", True), key="SF0001"),
        Compare("cod", "==", False): find(company, Compare("cod", "==", False), key="SF0001"),
        NOTHING: [],
        EVERYTHING: ["SF0001"],
    }
    one = request("search", by={"waybill_no": "SF0001"})
    for _ in range(3):
        for scope, keys in wanted.items():
            assert [found.key for found in store.find(one, scope)] == keys
    assert sorted(map(len, (wanted[one] for one in list(wanted)[3:5]))) == [0, 1]


def test_record_as_stored(company: Database) -> None:
    """Fields are clear, empty ones are absent, facts are the policy's attributes."""
    (record,) = RecordStore(company, INDEX_KEY, vault()).find(request(key="SF0001"), EVERYTHING)
    assert record.type == "waybill"
    assert record.attributes["custody_sound"] is True
    assert record.fields["recipient_name"] == "张三1"
    assert record.fields["route"] == "r-1"
    assert "remark" not in record.fields
    assert "张三" not in repr(record)
    assert "SF0001" not in repr(record)


@pytest.mark.parametrize(
    "written", [PHONE, f"+86 {PHONE}", "１９０１２３４５６７８", "190-1234-5678"]
)
def test_phone_is_found_however_it_is_written(company: Database, written: str) -> None:
    """The keyed index is of the number, not of its writing."""
    assert find(company, by={"recipient_phone": written}) == [f"SF000{n}" for n in range(1, 6)]
    assert find(company, by={"sender_phone": written}) == ["SF0006"]
    assert len(find(company, by={"phone": written})) == 6
    assert find(company, MINE, by={"phone": written}) == ["SF0001", "SF0002", "SF0003", "SF0005"]


@pytest.mark.parametrize("part", ["1901234567", "190*", "19012345_78", "%", "", PHONE + "0"])
def test_part_of_a_phone_finds_nothing(company: Database, part: str) -> None:
    """No prefix, wildcard or empty value is a number."""
    assert find(company, by={"phone": part}) == []


def test_another_index_key_finds_nothing(company: Database) -> None:
    """The index cannot be searched without its key."""
    store = RecordStore(company, b"another key", vault())
    assert store.find(request("search", by={"phone": PHONE}), EVERYTHING) == []


def test_by_policy_facts(company: Database) -> None:
    """Exact match in the fact's own kind; a value of another kind matches nothing."""
    assert find(company, by={"stage": "AT_BRANCH"}) == ["SF0004"]
    assert find(company, by={"stage": "at_branch"}) == []
    assert find(company, by={"stage": "AT%"}) == []
    assert find(company, by={"stop_seq": "2"}) == ["SF0002"]
    assert find(company, by={"stop_seq": "2 or 1"}) == []
    assert find(company, by={"stop_seq": "9" * 30}) == []
    assert find(company, by={"cod": "false", "stage": "DELIVERED"}) == ["SF0005"]
    assert find(company, by={"cod": "0"}) == []
    assert find(company, by={"stage": "A\0"}) == []


@pytest.mark.parametrize("name", ["recipient_name", "unit", "payload", "id", "1=1; --"])
def test_other_criteria_are_refused(company: Database, name: str) -> None:
    """Text inside a payload is not searchable, and the error repeats no odd input."""
    with pytest.raises(InputError) as caught:
        find(company, by={name: "张三1"})
    assert caught.value.message.code == "records.unsearchable"
    assert "张三" not in caught.value.render()
    assert ";" not in caught.value.render()


def test_everything_is_too_broad(company: Database) -> None:
    """Without a criterion and without a scope there is nothing to answer."""
    with pytest.raises(InputError) as caught:
        find(company)
    assert caught.value.message.code == "records.too-broad"
    assert len(find(company, MINE)) == 4


@pytest.mark.parametrize("scope", [EVERYTHING, MINE, Compare("stage", "!=", "DELIVERED")])
@pytest.mark.parametrize("state", ["sealed", "put away", "destroyed", "unknown"])
def test_a_key_finds_what_a_search_finds(company: Database, scope: Scope, state: str) -> None:
    """One record, with the same facts and fields, whichever query chose it; one that is put away,
    or whose key was destroyed, has no more than its facts either way."""
    if state == "put away":
        change(company, "SF0005", stage="ARCHIVED")
    if state == "destroyed":
        with company.write() as cx:
            assert vault().destroy(cx, "waybill_people", [5]) == 1
    number = "SF9999" if state == "unknown" else "SF0005"
    maps = {"waybill": replace(RESOURCES["waybill"], put_away=frozenset({"ARCHIVED"}))}
    store = RecordStore(company, INDEX_KEY, vault(), resources=maps)
    by_key = store.find(request(key=number), scope)
    searched = store.find(request("search", by={"waybill_no": number}), scope)
    shown = [(one.key, one.type, dict(one.attributes), dict(one.fields)) for one in by_key]
    assert shown == [(o.key, o.type, dict(o.attributes), dict(o.fields)) for o in searched]
    opened = any("recipient_name" in one.fields for one in by_key)
    assert opened is (state == "sealed" and bool(by_key))
    assert len(by_key) == (
        (state != "unknown" and scope in (EVERYTHING, MINE)) or state == "put away"
    )


def test_an_odd_key_finds_nothing(company: Database) -> None:
    """What is no key is no error either; nor does a limit of none give one."""
    assert find(company, key="SF0001\0") == []
    assert find(company, key="") == []
    assert find(company, key="SF0001", limit=0) == []


def test_pages_follow_the_key(company: Database) -> None:
    """A cursor goes on behind a key; a key out of scope tells nothing more than one that is not."""
    assert find(company, MINE, limit=2) == ["SF0001", "SF0002"]
    assert find(company, MINE, limit=2, after="SF0002") == ["SF0003", "SF0005"]
    assert find(company, MINE, after="SF0004") == find(company, MINE, after="SF0003x")
    assert find(company, MINE, limit=0) == []


def test_trace_is_made_from_scans(company: Database) -> None:
    """Events in order, with unit and city; no account and no device."""
    scan = {"waybill": 1, "account": "keeper-2", "device": "pc-7", "counterpart": "b-1"}
    put(company, t.scans, kind="out", unit="b-2", at=NOW - 20, **scan)
    put(company, t.scans, kind="in", unit="b-1", at=NOW - 10, **scan)
    store = RecordStore(company, INDEX_KEY, vault())
    (record,) = store.find(request("trace", key="SF0001"), EVERYTHING)
    events = json.loads(record.fields["trace"])
    assert [(e["at"], e["kind"], e["unit"], e["city"]) for e in events] == [
        (NOW - 20, "out", "b-2", "深圳市"),
        (NOW - 10, "in", "b-1", "深圳市"),
    ]
    assert "keeper" not in record.fields["trace"]
    (record,) = store.find(request(key="SF0001", fields=("route",)), EVERYTHING)
    assert "trace" not in record.fields


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ({"recipient_name": "张*"}, 6),
        ({"recipient_name": "张三4"}, 1),
        ({"recipient_name": "三4"}, 0),
        ({"unit": "?栋101", "stage": "AT*"}, 1),
        ({"phone": "190123%"}, 6),
        ({"recipient_phone": "1908*"}, 1),
        ({"recipient_name": "(.*)"}, 0),
        ({"nothing": "x"}, 0),
        ({}, 6),
    ],
    ids=str,
)
def test_broad_search(company: Database, by: dict[str, str], found: int) -> None:
    """As in 2020: wildcards over any field, or no criterion; the scope still holds."""
    assert len(find(company, broad=True, by=by)) == found
    assert find(company, NOTHING, broad=True, by=by) == []
    assert len(find(company, broad=True, by=by, limit=1)) == min(found, 1)


def test_second_resource_needs_no_path_of_its_own(company: Database) -> None:
    """A housing list is a further map: directory and records serve it as they serve waybills."""
    meta = MetaData()
    facts = Table("flats", meta, Column("id", Integer, primary_key=True),
                  Column("flat_no", String(20)), Column("stage", String(20)))  # fmt: skip
    people = Table("flat_people", meta, Column("flat", Integer, primary_key=True),
                   Column("phone_index", String(64)), Column("payload", LargeBinary))  # fmt: skip
    flat = ResourceMap(
        type="flat",
        facts=facts,
        key=facts.c.flat_no,
        attributes={"flat_no": facts.c.flat_no, "stage": facts.c.stage},
        people=people,
        people_id=people.c.flat,
        phones={"phone": {"phone": people.c.phone_index}},
    )
    with company.write() as cx:
        meta.create_all(cx)
        cx.execute(insert(facts).values(id=1, flat_no="F1", stage="OPEN"))
        cx.execute(
            insert(people).values(
                flat=1,
                phone_index=phone_index(INDEX_KEY, SENDER_PHONE),
                payload=vault().put(cx, people.name, 1, {"owner": "李四"}),
            )
        )
    asked = request("search", resource="flat", by={"phone": SENDER_PHONE})
    maps = {"flat": flat}
    (record,) = RecordStore(company, INDEX_KEY, vault(), resources=maps).find(asked, EVERYTHING)
    assert record.fields == {"owner": "李四"}
    directory = DirectoryStore(company, FixedClock(), maps)
    found = directory.facts(COURIER, request(resource="flat", key="F1"))
    assert found.resource == {"type": "flat", "flat_no": "F1", "stage": "OPEN"}
    assert "released_stop" not in found.subject
