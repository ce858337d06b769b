"""Where the record types of a pack are stored: in tables of their own, or in `records`.

A type that `resources.RESOURCES` does not name is read from the catalogue alone: its attributes
are columns of a subquery over `records`, typed as the catalogue says, so that a scope, a criterion
and a page are written for it as for any other.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, select

from acl_engine.domain.pack import Pack, ResourceSpec
from acl_engine.storage.resources import RESOURCES, ResourceMap
from acl_engine.storage.tables_records import record_people, records

# Attributes that every record has, besides its key.
_OWN = frozenset({"type", "stage"})


def stored_types(pack: Pack) -> Mapping[str, ResourceMap]:
    """The map of every record type of the pack, and of those that every database has."""
    found = {**RESOURCES}
    for name, spec in pack.resources.items():
        stored = found[name] if name in found else _generic(spec)
        found[name] = replace(stored, put_away=spec.put_away)
    return found


def _generic(spec: ResourceSpec) -> ResourceMap:
    names = [name for name in spec.attributes if name not in _OWN | {spec.key}]
    facts = (
        select(
            records.c.id,
            records.c.record_key.label(spec.key),
            records.c.stage,
            *(_attribute(name, spec.attributes[name]).label(name) for name in names),
        )
        .where(records.c.type == spec.type)
        .subquery(f"of_{spec.type}")
    )
    return ResourceMap(
        type=spec.type,
        facts=facts,
        key=facts.c[spec.key],
        attributes={name: facts.c[name] for name in (spec.key, "stage", *names)},
        people=record_people,
        people_id=record_people.c.record,
        field_columns={spec.key: facts.c[spec.key]} if spec.key in spec.fields else {},
    )


def _attribute(name: str, kind: str) -> ColumnElement[Any]:
    value: Any = records.c.attributes[name]  # a JSON path; SQLAlchemy types it loosely
    written: ColumnElement[Any] = value.as_boolean() if kind == "bool" else value.as_string()
    # Epoch seconds do not fit the 32 bits of a plain INTEGER cast.
    return cast(written, BigInteger) if kind == "int" else written
