"""A small company written row by row, for the contract suites. Every number is invented."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from acl_engine.bootstrap.keys import LocalKeyService
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.payload import phone_index
from acl_engine.storage.vault import Vault

NOW = 1_772_458_800
HOUR = 3600
DAY = 24 * HOUR
INDEX_KEY = b"a key of the tests"
PHONE = "19012345678"
SENDER_PHONE = "19087654321"

COURIER = Principal("courier-1", "p-1", "courier", "b-1", "s-1", "pda-1", "app")
MANAGER = Principal("sup-1", "p-5", "branch_mgr", "b-1", "s-5", "pc-5", "pc")
KEEPER = Principal("keeper-2", "p-7", "warehouse_keeper", "b-2", "s-7", "pc-7", "pc")
SORTER = Principal("sorter-3", "p-8", "hub_sorter", "hub", "s-8", "pda-8", "app")
AGENT = Principal("cs-1", "p-6", "cs_agent", "b-1", "s-6", "pc-6", "pc")


def vault() -> Vault:
    """One for each database: it remembers data keys by their number."""
    return Vault(LocalKeyService(b"w" * 32))


class FixedClock:
    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def request(action: str = "read", key: str | None = None, **rest: Any) -> Request:
    """A normalised request, with the rest at rest."""
    made = Request("r-1", Action(action), "waybill", key, (), (), None, None, (), 50, None)
    if "by" in rest:
        rest["by"] = tuple(sorted(rest["by"].items()))
    return replace(made, **rest)


def put(database: Database, table: Table, **row: Any) -> None:
    with database.write() as cx:
        cx.execute(insert(table).values(row))


def change(database: Database, waybill_no: str, **values: Any) -> None:
    with database.write() as cx:
        cx.execute(t.waybills.update().where(t.waybills.c.waybill_no == waybill_no).values(values))


def waybill(database: Database, waybill_no: str) -> dict[str, Any]:
    with database.read() as cx:
        row = cx.execute(select(t.waybills).where(t.waybills.c.waybill_no == waybill_no))
        return dict(row.mappings().one())


def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    with database.read() as cx:
        return [dict(row) for row in cx.execute(select(table)).mappings()]


def _waybill(number: int, **over: Any) -> dict[str, Any]:
    base = {
        "id": number,
        "waybill_no": f"SF{number:04}",
        "stage": "OUT_FOR_DELIVERY",
        "tenant": "t-1",
        "origin_unit": "b-2",
        "dest_unit": "b-1",
        "dest_path": "/hq/hub/b-1/",
        "custody_unit": "b-1",
        "custody_sound": True,
        "route": "r-1",
        "area": "a-1",
        "city": "深圳市",
        "pickup_courier": None,
        "assignee": "p-1",
        "assignee_sound": True,
        "stop_seq": number,
        "station": None,
        "sender": "c-2",
        "recipient": "c-1",
        "cod": False,
        "ordered_at": NOW - DAY,
        "out_at": NOW - HOUR,
        "delivered_at": None,
    }
    return base | over


def build(database: Database) -> None:
    """Two branches and a hub, five people, six waybills."""
    unit = {"city": "深圳市", "district": "宝安区", "franchise": False}
    units = [
        {"id": "hq", "kind": "hq", "parent": None, "path": "/hq/"},
        {"id": "hub", "kind": "hub", "parent": "hq", "path": "/hq/hub/"},
        {"id": "b-1", "kind": "branch", "parent": "hub", "path": "/hq/hub/b-1/"},
        {"id": "b-2", "kind": "branch", "parent": "hub", "path": "/hq/hub/b-2/"},
        {"id": "s-1", "kind": "station", "parent": "b-1", "path": "/hq/hub/b-1/s-1/"},
    ]
    people = {"p-1": "b-1", "p-2": "b-1", "p-3": "b-2", "p-5": "b-1", "p-6": "b-1", "p-7": "b-2",
              "p-8": "hub"}  # fmt: skip
    logins = {"courier-1": "p-1", "courier-2": "p-2", "courier-3": "p-3", "sup-1": "p-5",
              "cs-1": "p-6", "keeper-2": "p-7", "sorter-3": "p-8"}  # fmt: skip
    waybills = [
        *(_waybill(n) for n in (1, 2, 3)),
        _waybill(4, stage="AT_BRANCH", assignee=None, assignee_sound=False, stop_seq=None),
        _waybill(5, stage="DELIVERED", delivered_at=NOW - HOUR),
        _waybill(6, stage="PICKED_UP", custody_unit="b-2", assignee=None, assignee_sound=False,
                 stop_seq=None, sender="c-1", recipient="c-2"),
    ]  # fmt: skip
    with database.write() as cx:
        for row in units:
            cx.execute(insert(t.units), row | unit | {"name_zh": row["id"], "name_en": row["id"]})
        place = {"city": "深圳市", "district": "宝安区", "street": "西乡", "name_zh": "小区"}
        for area, branch in (("a-1", "b-1"), ("a-2", "b-2")):
            cx.execute(insert(t.areas), {"id": area, "branch": branch, "route": "r-1"} | place)
        for person, home in people.items():
            who = {"id": person, "unit": home, "name": person, "superior": None}
            cx.execute(insert(t.persons), who | {"status": "active"})
        for login, person in logins.items():
            account = {"login": login, "person": person, "role": "courier", "unit": people[person]}
            cx.execute(insert(t.accounts), account | {"status": "active", "password_hash": "-"})
        cx.execute(insert(t.devices), _device())
        cx.execute(insert(t.shifts), _shift())
        for person in ("p-1", "p-2"):
            cx.execute(insert(t.roster), _roster(person))
        safe = vault()
        cx.execute(insert(t.customers), _customer(cx, safe, "c-1", PHONE, NOW - 2 * DAY))
        cx.execute(insert(t.customers), _customer(cx, safe, "c-2", SENDER_PHONE, None))
        cx.execute(insert(t.waybills), waybills)
        cx.execute(insert(t.waybill_people), [_people(cx, safe, row) for row in waybills])


def _device() -> dict[str, Any]:
    return {"id": "pda-1", "device_class": "app", "unit": "b-1", "person": "p-1",
            "public_key": None, "status": "active", "lease_until": NOW + HOUR}  # fmt: skip


def _shift() -> dict[str, Any]:
    return {"person": "p-1", "unit": "b-1", "starts_at": NOW - HOUR, "ends_at": NOW + HOUR,
            "made_by": "desk"}  # fmt: skip


def _roster(person: str) -> dict[str, Any]:
    return {"person": person, "area": "a-1", "kind": "regular", "valid_from": NOW - DAY,
            "valid_to": NOW + DAY, "made_by": "desk"}  # fmt: skip


def _customer(
    cx: Connection, safe: Vault, key: str, phone: str, bound: int | None
) -> dict[str, Any]:
    return {"id": key, "phone_index": phone_index(INDEX_KEY, phone), "phone_bound_at": bound,
            "payload": safe.put(cx, "customers", key, {"name": key})}  # fmt: skip


def _people(cx: Connection, safe: Vault, row: dict[str, Any]) -> dict[str, Any]:
    swapped = row["recipient"] == "c-2"
    to, by = (SENDER_PHONE, PHONE) if swapped else (PHONE, SENDER_PHONE)
    fields = {
        "recipient_name": f"张三{row['id']}",
        "recipient_phone": to,
        "sender_phone": by,
        "unit": f"{row['id']}栋101",
        "pickup_code": f"77-{row['id']}",
        "remark": "",
    }
    return {
        "waybill": row["id"],
        "recipient_phone_index": phone_index(INDEX_KEY, to),
        "sender_phone_index": phone_index(INDEX_KEY, by),
        "payload": safe.put(cx, "waybill_people", row["id"], fields),
    }
