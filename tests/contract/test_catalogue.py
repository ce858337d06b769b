"""A record type that has no tables of its own is stored and filtered like one that has."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import insert, select

from acl_engine.domain.errors import InputError, StoreError
from acl_engine.domain.pack import FieldSpec, Kind, Pack, ResourceSpec
from acl_engine.domain.principal import Principal
from acl_engine.domain.scope import EVERYTHING, Compare, Scope, holds
from acl_engine.policy.pack import load_pack
from acl_engine.storage import tables as t
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.records import RecordStore
from acl_engine.storage.scope_sql import condition
from tests.contract.company import INDEX_KEY, FixedClock, request, vault
from tests.contract.test_scope_sql import ROWS, scopes
from tests.unit.policy.test_pack_defects import SMALL

KEY, TYPE = "no", "thing"
SPEC = ResourceSpec(
    TYPE,
    KEY,
    MappingProxyType({"no": FieldSpec("no", Kind.CODE, "identifier", "编号", "number")}),
    MappingProxyType(
        {"type": "text", "no": "text", "stage": "text", "t1": "text", "t2": "text",
         "n1": "int", "n2": "int", "b1": "bool", "b2": "bool", "none": "text"}
    ),
    ("IN", "OUT"),
)  # fmt: skip


def pack() -> Pack:
    small = load_pack(SMALL)
    return Pack(
        **{name: getattr(small, name) for name in Pack.__slots__ if name != "resources"},
        resources={**small.resources, TYPE: SPEC},
    )


TYPES = stored_types(pack())
THING = TYPES[TYPE]


def fill(database: Database) -> None:
    safe = vault()
    with database.write() as cx:
        cx.execute(
            insert(t.records),
            [
                {"id": id_, "type": type_, "record_key": f"K{id_:03}", "stage": "IN",
                 "attributes": {name: value for name, value in row.items() if value is not None}}
                for type_, start in ((TYPE, 1), ("other", 501))
                for id_, row in enumerate(ROWS, start)
            ],
        )  # fmt: skip
        ids = (*range(1, len(ROWS) + 1), *range(501, 501 + len(ROWS)))
        sealed = {id_: safe.put(cx, "record_people", id_, {"name": f"张{id_}"}) for id_ in ids}
        people = [{"record": id_, "payload": payload} for id_, payload in sealed.items()]
        cx.execute(insert(t.record_people), people)


@pytest.fixture
def things(database: Database) -> Database:
    fill(database)
    return database


def held(scope: Scope) -> list[str]:
    return [
        f"K{id_:03}"
        for id_, row in enumerate(ROWS, 1)
        if holds(scope, row | {"type": TYPE, "none": None})
    ]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scope=scopes)
def test_a_scope_over_a_catalogue_s_attributes_is_what_holds_says(
    things: Database, scope: Scope
) -> None:
    """They lie in one JSON column; text, numbers, booleans and absence keep their kind."""
    columns = THING.columns() | {"type": TYPE}
    with things.read() as cx:
        where = condition(scope, columns, things.dialect)
        found = list(cx.scalars(select(THING.key).where(where).order_by(THING.key)))
    assert found == held(scope)


def find(database: Database, scope: Scope = EVERYTHING, **asked: Any) -> list[str]:
    store = RecordStore(database, INDEX_KEY, vault(), resources=TYPES)
    asked.setdefault("action", "search")
    return [one.key for one in store.find(request(resource=TYPE, **asked), scope)]


def test_records_are_found_by_key_criterion_and_page(things: Database) -> None:
    assert find(things, key="K003") == ["K003"]
    assert find(things, key="K503") == [], "a record of another type"
    assert find(things, Compare("n1", "==", 1), limit=3) == held(Compare("n1", "==", 1))[:3]
    assert find(things, by={"t1": "欧"}) == held(Compare("t1", "==", "欧"))
    assert find(things, Compare("b1", "==", True), after="K040")[0] > "K040"
    with pytest.raises(InputError):
        find(things, by={"name": "张1"})


def test_a_record_is_its_catalogue_s_attributes_and_fields(things: Database) -> None:
    (one,) = RecordStore(things, INDEX_KEY, vault(), resources=TYPES).find(
        request(resource=TYPE, key="K002"), EVERYTHING
    )
    assert one.type == TYPE
    assert one.fields == {"no": "K002", "name": "张2"}
    wanted = {name: ROWS[1].get(name) for name in ("t1", "n1", "b1", "n2", "b2", "t2")}
    assert {name: one.attributes[name] for name in wanted} == wanted
    assert one.attributes["none"] is None
    assert type(one.attributes["b1"]) in (bool, type(None))


def test_facts_and_counts_are_of_the_type_alone(things: Database) -> None:
    directory = DirectoryStore(things, FixedClock(), TYPES)
    who = Principal("a", "p", "clerk", "u", "s")
    facts = directory.facts(who, request(resource=TYPE, key="K002"))
    assert facts.resource is not None
    assert facts.resource["no"] == "K002"
    assert directory.facts(who, request(resource=TYPE, key="K502")).resource is None
    assert directory.count(request(resource=TYPE), EVERYTHING) == {"IN": len(ROWS)}


def test_a_type_that_is_in_no_catalogue_is_not_stored(things: Database) -> None:
    with pytest.raises(StoreError):
        RecordStore(things, INDEX_KEY, vault(), resources=TYPES).find(
            request(resource="other", key="K501"), EVERYTHING
        )
