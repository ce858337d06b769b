"""The store of unmasked records. PROTECTED: only `bootstrap` opens it.

INVARIANTS
- No record leaves that is out of the scope. Many are chosen by it as WHERE, and a scope that SQL
  cannot say raises; one that its key finds is held against it before its payload is opened.
- A criterion is an exact match on a policy fact or a phone's keyed hash. Anything else, and any
  wildcard, is refused unless `broad` was set (the company of 2020); then text is compared here,
  row by row, never by SQL patterns.
- Pages follow the key, so that a cursor tells nothing about rows out of scope.
- A payload is opened for a row that the query chose, never to choose rows (2020 apart), and not at
  all at a stage that is put away.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    cast,
    or_,
    select,
)

from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Value
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Request
from acl_engine.domain.scope import EVERYTHING, Scope, holds
from acl_engine.domain.text import Text
from acl_engine.storage.criteria import equals, unsearchable
from acl_engine.storage.database import Database
from acl_engine.storage.payload import phone_index
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.resources import RESOURCES, ResourceMap, stored
from acl_engine.storage.scope_sql import condition
from acl_engine.storage.tables_keys import record_keys
from acl_engine.storage.vault import Vault

TOO_BROAD = Text(
    "records.too-broad",
    "没有条件的全库查找被拒绝",
    "a search over everything without a criterion is refused",
    "请给出运单号或其他准确条件",
    "name a key or another exact criterion",
)

# Rows whose payloads are opened at a time when a pattern is sought.
BATCH = 500
# A scope is of one person at one moment; so many queries of scopes are kept.
MOST_KEPT = 512
_Row = Mapping[Any, Any]
_Found = tuple[_Row, dict[str, str]]
# Of a record's key, what opens its payload besides the row.
_KEY = ("generation", "suite", "wrapped")
_WILDCARDS = {"*": ".*", "%": ".*", "?": "."}


class RecordStore:
    """The Records port over the database.

    `index_key` is the key of the phone index, `vault` opens payloads. `broad` allows wildcards and
    searches by any field or by nothing: set by bootstrap from the pack, never by a request.
    """

    def __init__(
        self,
        database: Database,
        index_key: bytes,
        vault: Vault,
        *,
        broad: bool = False,
        resources: Mapping[str, ResourceMap] = RESOURCES,
    ) -> None:
        self._database = database
        self._index_key = index_key
        self._vault = vault
        self._broad = broad
        self._resources = resources
        self._rows = {name: _row_query(one) for name, one in resources.items()}
        self._one = {name: Prepared(_one_query(one)) for name, one in resources.items()}
        self._scoped: dict[tuple[str, str], Select[Any]] = {}

    def find(self, request: Request, scope: Scope) -> Sequence[PersonalRecord]:
        """At most `request.limit` matching records in the scope, in the order of their keys."""
        resource = stored(self._resources, request.resource)
        if request.key is not None and not request.by and request.after is None:
            return self._of_key(resource, request, scope)[: max(request.limit, 0)]
        exact, patterns = self._criteria(resource, request, scope)
        query = self._in_scope(resource, scope).where(*exact)
        if request.after is not None:
            query = query.where(resource.key > request.after)
        limit = max(request.limit, 0)
        with self._database.read() as cx:
            found = list(islice(self._matching(cx, query, resource, patterns, limit), limit))
            return _records(cx, resource, found, request.fields)

    def _of_key(
        self, resource: ResourceMap, request: Request, scope: Scope
    ) -> list[PersonalRecord]:
        """The record of this key, if it is in the scope: most looks are at one. Its scope is that
        of one person at one moment, and to write it as SQL takes longer than all the rest."""
        if request.key is None or "\0" in request.key:
            return []
        with self._database.read() as cx:
            row = self._one[resource.type].first(cx, {"key": request.key})
            if row is None or not holds(scope, resource.row_attributes(row)):
                return []
            fields = _columns(row, resource)
            if row["stage"] not in resource.put_away:
                fields = (self._vault.open_one(cx, *_sealed(row, resource)) or {}) | fields
            return _records(cx, resource, [(row, fields)], request.fields)

    def _in_scope(self, resource: ResourceMap, scope: Scope) -> Select[Any]:
        """The rows of a scope. Writing the query takes longer than running it, so it is kept, by
        the scope as it is written out: a scope that says True equals one that says 1."""
        key = resource.type, repr(scope)
        known = self._scoped.get(key)
        if known is None:
            where = condition(scope, resource.columns(), self._database.dialect)
            known = self._rows[resource.type].where(where)
            if len(self._scoped) >= MOST_KEPT:
                self._scoped.clear()
            self._scoped[key] = known
        return known

    def _matching(
        self,
        cx: Connection,
        query: Select[Any],
        resource: ResourceMap,
        patterns: Mapping[str, re.Pattern[str]],
        limit: int,
    ) -> Iterator[_Found]:
        if not patterns:
            yield from self._opened(cx, resource, cx.execute(query.limit(limit)).mappings().all())
            return
        with cx.execute(query, execution_options={"yield_per": BATCH}) as rows:
            for batch in rows.mappings().partitions(BATCH):
                for row, fields in self._opened(cx, resource, batch):
                    if _fits(row, fields, resource, patterns):
                        yield row, fields

    def _opened(
        self, cx: Connection, resource: ResourceMap, rows: Sequence[_Row]
    ) -> Iterator[_Found]:
        """Each row with its clear fields. One put away, or whose key was destroyed, has none."""
        kept = {r["_id"]: r["_payload"] for r in rows if r["stage"] not in resource.put_away}
        clear = self._vault.open(cx, resource.people.name, kept)
        for row in rows:
            yield row, clear.get(row["_id"], {}) | _columns(row, resource)

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


def _one_query(resource: ResourceMap) -> Select[Any]:
    """The row of one key, and what its payload is opened with; nothing of that if its key was
    destroyed."""
    mine = (record_keys.c.store == resource.people.name) & (
        record_keys.c.row == cast(resource.facts.c.id, String)
    )
    return (
        _row_query(resource)
        .join(record_keys, mine, isouter=True)
        .add_columns(*(record_keys.c[name].label(f"_{name}") for name in _KEY))
        .where(resource.key == bindparam("key"))
    )


def _sealed(row: _Row, resource: ResourceMap) -> tuple[str, object, bytes, _Row | None]:
    """Table, row, payload and key, of a row of `_one_query`."""
    key = {name: row[f"_{name}"] for name in _KEY}
    known = None if key["suite"] is None else key
    return resource.people.name, row["_id"], row["_payload"], known


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile("".join(_WILDCARDS.get(c, re.escape(c)) for c in value), re.DOTALL)


def _fits(
    row: _Row,
    fields: Mapping[str, str],
    resource: ResourceMap,
    patterns: Mapping[str, re.Pattern[str]],
) -> bool:
    known = {**fields, **{n: str(row[n]) for n in resource.attributes}}
    for name, pattern in patterns.items():
        names = resource.phones.get(name, {name: None})
        if not any(pattern.fullmatch(known.get(one, "")) for one in names):
            return False
    return True


def _columns(row: _Row, resource: ResourceMap) -> dict[str, str]:
    names = (name for name in resource.field_columns if row[f"_{name}"] is not None)
    return {name: str(row[f"_{name}"]) for name in names}


def _records(
    cx: Connection, resource: ResourceMap, found: Sequence[_Found], wanted: Sequence[str]
) -> list[PersonalRecord]:
    ids = [row["_id"] for row, _ in found]
    derived = {
        name: derive(cx, ids)
        for name, derive in resource.derived.items()
        if ids and (not wanted or name in wanted)
    }
    records = []
    for row, fields in found:
        shown = fields | {name: texts[row["_id"]] for name, texts in derived.items()}
        attributes: dict[str, Value] = resource.row_attributes(dict(row))
        key = str(row[resource.key.name])
        records.append(PersonalRecord(resource.type, key, attributes, shown))
    return records
