"""Where each resource type with tables of its own is stored; `catalogue.py` serves all others.

INVARIANTS
- `attributes` are policy facts and never personal data; `fields` may be.
- Nothing is searchable that is not listed here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.sql.elements import KeyedColumnElement

from acl_engine.domain.errors import StoreError
from acl_engine.domain.facts import Value
from acl_engine.domain.text import Text
from acl_engine.storage.approval_facts import approver_facts
from acl_engine.storage.scope_sql import Columns
from acl_engine.storage.tables import (
    approval_papers,
    approvals,
    scans,
    units,
    waybill_people,
    waybills,
)

UNKNOWN_RESOURCE = Text(
    "store.unknown-resource",
    "资源类型 `{resource}` 没有对应的存储",
    "the resource type `{resource}` is not stored",
    "在 storage/resources.py 中登记该类型",
    "register it in storage/resources.py",
)

# The lowest open stop of one's own load and the next two (next-N stops, N = 3).
RELEASED_AHEAD = 2

# Fields of many rows at once, made from other tables: row ids -> text by row id.
Derive = Callable[[Connection, Sequence[int]], Mapping[int, str]]
# Facts about the asking person that need more than one scalar query.
SubjectSets = Callable[[Connection, Mapping[str, Any]], Mapping[str, Value]]


@dataclass(frozen=True)
class ResourceMap:
    """One resource type.

    `facts` is the table of policy facts, `people` the one of personal payloads, joined on
    `facts.id == people_id`. `phones` are criteria answered by keyed-hash columns, each with the
    field it hashes. `subject_facts` are scalar queries about the asking person (`:person`),
    `subject_sets` the facts of them that are sets. At a stage in `put_away` no payload is opened.
    """

    type: str
    facts: FromClause
    key: KeyedColumnElement[str]
    attributes: Mapping[str, KeyedColumnElement[Any]]
    people: Table
    people_id: Column[int]
    field_columns: Mapping[str, KeyedColumnElement[Any]] = field(default_factory=dict)
    phones: Mapping[str, Mapping[str, Column[Any]]] = field(default_factory=dict)
    derived: Mapping[str, Derive] = field(default_factory=dict)
    subject_facts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    subject_sets: SubjectSets = lambda cx, asked: {}
    put_away: frozenset[str] = frozenset()

    @property
    def home(self) -> Table:
        """The table whose rows these are: where a stage is changed."""
        (key,) = self.people_id.foreign_keys
        return key.column.table

    def columns(self) -> Columns:
        """What a scope may name."""
        return {"type": self.type, **self.attributes}

    def row_attributes(self, row: Mapping[str, Any]) -> dict[str, Value]:
        """The policy facts of one fetched row."""
        return {"type": self.type} | {name: row[name] for name in self.attributes}


_SCANS = (
    select(scans.c.waybill, scans.c.at, scans.c.kind, scans.c.unit, units.c.city)
    .join(units, units.c.id == scans.c.unit, isouter=True)
    .where(scans.c.waybill.in_(bindparam("ids", expanding=True)))
    .order_by(scans.c.at, scans.c.id)
)


def _trace(cx: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    """Tracking events from the scans: when, what, which unit and city. No account, no person."""
    events: dict[int, list[dict[str, object]]] = {one: [] for one in ids}
    for waybill, at, kind, unit, city in cx.execute(_SCANS, {"ids": ids}):
        events[waybill].append({"at": at, "kind": kind, "unit": unit, "city": city or ""})
    return {one: json.dumps(found, ensure_ascii=False) for one, found in events.items()}


_RELEASED_STOP = func.coalesce(
    select(func.min(waybills.c.stop_seq) + RELEASED_AHEAD)
    .where(
        waybills.c.assignee == bindparam("person"),
        waybills.c.stage == "OUT_FOR_DELIVERY",
        waybills.c.assignee_sound,
    )
    .scalar_subquery(),
    0,
)

WAYBILL = ResourceMap(
    type="waybill",
    facts=waybills,
    key=waybills.c.waybill_no,
    attributes={column.name: column for column in waybills.columns if column.name != "id"},
    people=waybill_people,
    people_id=waybill_people.c.waybill,
    field_columns={"waybill_no": waybills.c.waybill_no, "route": waybills.c.route},
    phones={
        "phone": {
            "recipient_phone": waybill_people.c.recipient_phone_index,
            "sender_phone": waybill_people.c.sender_phone_index,
        },
        "recipient_phone": {"recipient_phone": waybill_people.c.recipient_phone_index},
        "sender_phone": {"sender_phone": waybill_people.c.sender_phone_index},
    },
    derived={"trace": _trace},
    subject_facts={"released_stop": _RELEASED_STOP},
)

# Policy facts of a case: its columns up to `lives_until`.
_CASE = approvals.columns.keys()
APPROVAL = ResourceMap(
    type="approval",
    facts=approvals,
    key=approvals.c.approval_no,
    attributes={name: approvals.c[name] for name in _CASE[1 : _CASE.index("epoch")]},
    people=approval_papers,
    people_id=approval_papers.c.approval,
    field_columns={
        name: approvals.c[name]
        for name in ("approval_no", "kind", "purpose", "object", "account", "ticket")
    },
    subject_sets=approver_facts,
)

RESOURCES: Mapping[str, ResourceMap] = MappingProxyType(
    {WAYBILL.type: WAYBILL, APPROVAL.type: APPROVAL}
)


def stored(resources: Mapping[str, ResourceMap], resource: str) -> ResourceMap:
    """The map of a resource type. Raises StoreError when it has none."""
    if resource not in resources:
        raise StoreError(UNKNOWN_RESOURCE.of(resource=resource))
    return resources[resource]
