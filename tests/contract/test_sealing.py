"""Payloads at rest: sealed each under its own key, opened only where they belong, gone for good."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
from sqlalchemy import delete, select, update

from acl_engine.bootstrap.keys import LocalKeyService
from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.domain.pack import RetentionRule
from acl_engine.domain.scope import EVERYTHING
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.key_rotation import KeyRotation
from acl_engine.storage.payload import pack_fields
from acl_engine.storage.records import RecordStore
from acl_engine.storage.resources import WAYBILL
from acl_engine.storage.retention import SqlRetention
from acl_engine.storage.tables_keys import data_keys, record_keys
from acl_engine.storage.vault import Vault
from tests.contract.company import DAY, INDEX_KEY, NOW, PHONE, change, request, rows, vault

ARCHIVE = RetentionRule(("DELIVERED",), "delivered_at", 0, "ARCHIVED", destroy=False)
SHRED = RetentionRule(("ARCHIVED",), "delivered_at", 1, "SHREDDED", destroy=True)


def read(database: Database, key: str, safe: Vault | None = None) -> dict[str, str]:
    store = RecordStore(database, INDEX_KEY, safe or vault())
    (record,) = store.find(request(key=key), EVERYTHING)
    return dict(record.fields)


def payload_of(database: Database, row: int) -> bytes:
    (found,) = (one for one in rows(database, t.waybill_people) if one["waybill"] == row)
    return bytes(found["payload"])


def set_payload(database: Database, row: int, payload: bytes) -> None:
    with database.write() as cx:
        cx.execute(
            update(t.waybill_people)
            .where(t.waybill_people.c.waybill == row)
            .values(payload=payload)
        )


def rotate(database: Database) -> tuple[int, ...]:
    desk = KeyRotation(database, vault())
    desk.begin()
    for _ in desk.rewrap():
        pass
    return desk.destroy_old()


def test_nothing_clear_is_stored(company: Database) -> None:
    """Every payload of the company is noise; no two are alike, though the people are."""
    stored = [bytes(row["payload"]) for row in rows(company, t.waybill_people)]
    stored += [bytes(row["payload"]) for row in rows(company, t.customers)]
    assert len(set(stored)) == len(stored) > 6
    assert all(PHONE.encode() not in one and "张三".encode() not in one for one in stored)
    assert read(company, "SF0001")["recipient_phone"] == PHONE


@pytest.mark.parametrize("byte", [0, 12, -1])
def test_a_changed_payload_does_not_open(company: Database, byte: int) -> None:
    whole = bytearray(payload_of(company, 1))
    whole[byte] ^= 1
    set_payload(company, 1, bytes(whole))
    with pytest.raises(StoreError) as refused:
        read(company, "SF0001")
    assert refused.value.message.code == "store.seal-broken"
    assert PHONE not in str(refused.value)


def test_a_payload_of_another_row_does_not_open(company: Database) -> None:
    """Neither alone nor together with its key: who may write the table cannot move a person."""
    set_payload(company, 1, payload_of(company, 2))
    with pytest.raises(StoreError):
        read(company, "SF0001")
    keys = {
        row["row"]: row for row in rows(company, record_keys) if row["store"] == "waybill_people"
    }
    with company.write() as cx:
        cx.execute(
            update(record_keys)
            .where(record_keys.c.store == "waybill_people", record_keys.c.row == "1")
            .values(wrapped=keys["2"]["wrapped"])
        )
    with pytest.raises(StoreError):
        read(company, "SF0001")
    assert read(company, "SF0002")["recipient_phone"] == PHONE


@pytest.mark.parametrize("suite", ["", "none", "A128GCM", "SM4GCM"])
def test_an_unknown_suite_is_refused_by_name(company: Database, suite: str) -> None:
    with company.write() as cx:
        cx.execute(update(record_keys).values(suite=suite))
    with pytest.raises(StoreError) as refused:
        read(company, "SF0001")
    assert refused.value.message.code == "store.unknown-suite"


def test_a_payload_that_was_never_sealed_is_refused_then_sealed(company: Database) -> None:
    """What an earlier version stored in clear is read by nobody until `acl keys seal` ran."""
    clear = read(company, "SF0001")
    stored = {name: clear[name] for name in ("recipient_phone", "recipient_name")}
    set_payload(company, 1, pack_fields(stored))
    with company.write() as cx:
        own = (record_keys.c.store == "waybill_people") & (record_keys.c.row == "1")
        cx.execute(delete(record_keys).where(own))
    with pytest.raises(StoreError) as refused:
        read(company, "SF0001")
    assert refused.value.message.code == "store.never-sealed"
    desk = KeyRotation(company, vault())
    assert desk.unsealed() == 1
    assert list(desk.seal()) == [1]
    assert desk.unsealed() == 0
    assert PHONE.encode() not in payload_of(company, 1)
    assert read(company, "SF0001")["recipient_phone"] == PHONE


def test_rotation_wraps_every_key_anew_and_destroys_the_old(company: Database) -> None:
    """The payloads stay as they are; a process that knew only the old data key reads on."""
    knew = vault()
    assert read(company, "SF0001", knew)
    before = rows(company, t.waybill_people)
    assert rotate(company) == (1,)
    assert rows(company, t.waybill_people) == before
    assert {row["generation"] for row in rows(company, record_keys)} == {2}
    assert [row["generation"] for row in rows(company, data_keys)] == [2]
    assert read(company, "SF0001", knew) == read(company, "SF0001")


def test_a_rotation_that_was_stopped_goes_on(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acl_engine.storage.key_rotation.BATCH", 2)
    desk = KeyRotation(company, vault())
    total = len(rows(company, record_keys))
    desk.begin()
    assert sum(islice(desk.rewrap(), 2)) == 4
    assert desk.destroy_old() == ()  # what still serves records stays
    again = KeyRotation(company, vault())
    assert again.left() == total - 4
    assert sum(again.rewrap()) == total - 4
    assert again.destroy_old() == (1,)
    assert read(company, "SF0001")["recipient_phone"] == PHONE


def test_lookups_and_writes_go_on_while_keys_rotate(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five rotations, each in batches of one, beside a reader and a writer: nobody fails."""
    monkeypatch.setattr("acl_engine.storage.key_rotation.BATCH", 1)
    failed: list[BaseException] = []
    done = threading.Event()
    safe = vault()

    def reads() -> None:
        while not done.is_set():
            assert read(company, "SF0001", safe)["recipient_phone"] == PHONE

    def writes() -> None:
        while not done.is_set():
            with company.write() as cx:
                sealed = safe.put(cx, "waybill_people", 2, {"recipient_name": "李四"})
                one = t.waybill_people.c.waybill == 2
                cx.execute(update(t.waybill_people).where(one).values(payload=sealed))

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test says it
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in (reads, writes)]
    for one in threads:
        one.start()
    try:
        for _ in range(5):
            rotate(company)
    finally:
        done.set()
        for one in threads:
            one.join()
    assert not failed
    assert read(company, "SF0002")["recipient_name"] == "李四"


def test_the_key_of_an_earlier_version_is_gone(company: Database) -> None:
    """A payload from before a change, out of an old copy of the table, is noise."""
    old = payload_of(company, 1)
    with company.write() as cx:
        sealed = vault().put(cx, "waybill_people", 1, {"recipient_name": "李四"})
    set_payload(company, 1, old)
    assert sealed != old
    with pytest.raises(StoreError):
        read(company, "SF0001")


def test_put_away_then_destroyed(company: Database) -> None:
    """ARCHIVED shows nothing of a person, SHREDDED has nothing: no key, no index, no payload."""
    store = SqlRetention(company, vault(), {"waybill": WAYBILL})
    assert store.count("waybill", ARCHIVE, NOW) == 1
    assert store.due("waybill", ARCHIVE, NOW, 10) == ["SF0005"]
    assert store.carry_out("waybill", ARCHIVE, ["SF0005", "SF0001"], NOW) == ["SF0005"]
    away = {"waybill": replace(WAYBILL, put_away=frozenset({"ARCHIVED"}))}
    (record,) = RecordStore(company, INDEX_KEY, vault(), resources=away).find(
        request(key="SF0005"), EVERYTHING
    )
    assert "recipient_phone" not in record.fields
    assert store.due("waybill", SHRED, NOW, 10) == []
    change(company, "SF0005", delivered_at=NOW - 2 * DAY)
    assert store.carry_out("waybill", SHRED, ["SF0005"], NOW) == ["SF0005"]
    assert store.carry_out("waybill", SHRED, ["SF0005"], NOW) == []
    (left,) = (row for row in rows(company, t.waybill_people) if row["waybill"] == 5)
    assert left["payload"] == b""
    assert left["recipient_phone_index"] == ""
    assert "recipient_phone" not in read(company, "SF0005")
    with company.read() as cx:
        keys = cx.scalars(select(record_keys.c.row).where(record_keys.c.store == "waybill_people"))
        assert "5" not in set(keys)


def test_another_root_opens_nothing(company: Database) -> None:
    with pytest.raises(ConfigError) as refused:
        read(company, "SF0001", Vault(LocalKeyService(b"x" * 32)))
    assert PHONE not in str(refused.value)
