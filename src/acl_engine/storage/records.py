"""The store of unmasked records. PROTECTED: only `bootstrap` opens it.

INVARIANTS
- Every query carries the scope as WHERE; a scope that SQL cannot say raises.
- A criterion is an exact match on a policy fact or a phone's keyed hash. Anything else, and any
  wildcard, is refused unless `broad` was set (the company of 2020); then text is compared here,
  row by row, never by SQL patterns.
- Pages follow the key, so that a cursor tells nothing about rows out of scope.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    or_,
    select,
)

from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Value
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Request
from acl_engine.domain.scope import EVERYTHING, Scope
from acl_engine.domain.text import Text
from acl_engine.storage.criteria import equals, unsearchable
from acl_engine.storage.database import Database
from acl_engine.storage.payload import phone_index, unpack_fields
from acl_engine.storage.resources import RESOURCES, ResourceMap, stored
from acl_engine.storage.scope_sql import condition

TOO_BROAD = Text(
    "records.too-broad",
    "没有条件的全库查找被拒绝",
    "a search over everything without a criterion is refused",
    "请给出运单号或其他准确条件",
    "name a key or another exact criterion",
)

_WILDCARDS = {"*": ".*", "%": ".*", "?": "."}


class RecordStore:
    """The Records port over the database.

    `index_key` is the key of the phone index. `broad` allows wildcards and searches by any field
    or by nothing: set by bootstrap from the pack's settings, never by a request.
    """

    def __init__(
        self,
        database: Database,
        index_key: bytes,
        *,
        broad: bool = False,
        resources: Mapping[str, ResourceMap] = RESOURCES,
    ) -> None:
        self._database = database
        self._index_key = index_key
        self._broad = broad
        self._resources = resources
        self._rows = {name: _row_query(one) for name, one in resources.items()}

    def find(self, request: Request, scope: Scope) -> Sequence[PersonalRecord]:
        """At most `request.limit` matching records in the scope, in the order of their keys."""
        resource = stored(self._resources, request.resource)
        exact, patterns = self._criteria(resource, request, scope)
        where = condition(scope, resource.columns(), self._database.dialect)
        query = self._rows[resource.type].where(where, *exact)
        if request.after is not None:
            query = query.where(resource.key > request.after)
        limit = max(request.limit, 0)
        with self._database.read() as cx:
            rows = list(_matching(cx, query, resource, patterns, limit))
            return _records(cx, resource, rows, request.fields)

    def _criteria(
        self, resource: ResourceMap, request: Request, scope: Scope
    ) -> tuple[list[ColumnElement[bool]], dict[str, re.Pattern[str]]]:
        exact: list[ColumnElement[bool]] = []
        patterns: dict[str, re.Pattern[str]] = {}
        if request.key is not None:
            exact.append(equals(resource.key, request.key))
        for name, value in request.by:
            wild = self._broad and any(sign in value for sign in _WILDCARDS)
            if name in resource.phones and not wild:
                digest = phone_index(self._index_key, value)
                exact.append(or_(*(c == digest for c in resource.phones[name].values())))
            elif name in resource.attributes and not wild:
                exact.append(equals(resource.attributes[name], value))
            elif self._broad:
                patterns[name] = _pattern(value)
            else:
                raise unsearchable(resource.type, name)
        if not exact and scope == EVERYTHING and not self._broad:
            raise InputError(TOO_BROAD.of())
        return exact, patterns


def _row_query(resource: ResourceMap) -> Select[Any]:
    """Facts, payload and field columns of every row, in the order of the keys."""
    return (
        select(
            *resource.attributes.values(),
            resource.facts.c.id.label("_id"),
            resource.people.c.payload.label("_payload"),
            *(column.label(f"_{name}") for name, column in resource.field_columns.items()),
        )
        .join(resource.people, resource.people_id == resource.facts.c.id)
        .order_by(resource.key)
    )


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile("".join(_WILDCARDS.get(c, re.escape(c)) for c in value), re.DOTALL)


def _matching(
    cx: Connection,
    query: Select[Any],
    resource: ResourceMap,
    patterns: Mapping[str, re.Pattern[str]],
    limit: int,
) -> Iterator[RowMapping]:
    if not patterns:
        yield from cx.execute(query.limit(limit)).mappings()
        return
    found = 0
    rows = cx.execution_options(yield_per=500).execute(query).mappings()
    for row in rows:
        if found == limit:
            break
        if _fits(row, resource, patterns):
            found += 1
            yield row
    rows.close()


def _fits(row: RowMapping, resource: ResourceMap, patterns: Mapping[str, re.Pattern[str]]) -> bool:
    fields = _fields(row, resource) | {n: str(row[n]) for n in resource.attributes}
    for name, pattern in patterns.items():
        names = resource.phones.get(name, {name: None})
        if not any(pattern.fullmatch(fields.get(one, "")) for one in names):
            return False
    return True


def _fields(row: RowMapping, resource: ResourceMap) -> dict[str, str]:
    fields = unpack_fields(row["_payload"])
    for name in resource.field_columns:
        if row[f"_{name}"] is not None:
            fields[name] = str(row[f"_{name}"])
    return fields


def _records(
    cx: Connection, resource: ResourceMap, rows: Sequence[RowMapping], wanted: Sequence[str]
) -> list[PersonalRecord]:
    derived = {
        name: derive(cx, [row["_id"] for row in rows])
        for name, derive in resource.derived.items()
        if rows and (not wanted or name in wanted)
    }
    records = []
    for row in rows:
        fields = _fields(row, resource)
        fields |= {name: texts[row["_id"]] for name, texts in derived.items()}
        attributes: dict[str, Value] = resource.row_attributes(dict(row))
        key = str(row[resource.key.name])
        records.append(PersonalRecord(resource.type, key, attributes, fields))
    return records
