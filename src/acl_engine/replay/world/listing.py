"""Lists that a company keeps: rows of any record type, from files of the shape they had in life.

The seed names a CSV file, what its columns are, and the policy facts that hold for all of its
rows. A row is a record; its number is the list's id and its place.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text

DAY = 86_400

MISSHAPEN = Text(
    "seed.list-column",
    "名单没有列 `{column}`",
    "the list has no column `{column}`",
    "检查 company.yaml 中该名单的 `columns`",
    "check the list's `columns` in company.yaml",
)


class ListSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One list. `columns`: header -> field. `facts` hold for every row; `days` are facts that are
    times, in days from the world's now. `names`: what scenarios call a row, by its place from 1."""

    id: str
    type: str
    key: str
    file: str
    stage: str
    columns: dict[str, str]
    facts: dict[str, str | int | bool] = {}
    days: dict[str, int] = {}
    names: dict[str, int] = {}
    person: str | None = None  # the field that says whose row it is
    rows: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list, as a record. Implements `entry.Entry`."""

    id: int
    type: str
    name: str | None
    key: str
    key_field: str
    stage: str
    facts: dict[str, str | int | bool | None]
    fields: dict[str, str]
    person: str


def read_list(spec: ListSpec, folder: Path) -> ListSpec:
    """The list with its rows, as fields. Raises InputError for a column that is not there."""
    path = folder / spec.file
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for column in spec.columns:
            if column not in (reader.fieldnames or ()):
                raise InputError(MISSHAPEN.of(column=column), Where(str(path), 1))
        rows = tuple(
            {field: row[column] for column, field in spec.columns.items() if row[column]}
            for row in reader
        )
    return msgspec.structs.replace(spec, rows=rows)


def listed(lists: tuple[ListSpec, ...], now: int) -> Iterator[Listed]:
    """Every row of every list. `now` is the world's, in epoch seconds."""
    id_ = 0
    for spec in lists:
        names = {place: name for name, place in spec.names.items()}
        times = {name: now + days * DAY for name, days in spec.days.items()}
        for place, row in enumerate(spec.rows, 1):
            id_ += 1
            key = f"{spec.id}-{place:04d}"
            facts: dict[str, str | int | bool | None] = {
                "stage": spec.stage,
                spec.key: key,
                **spec.facts,
                **times,
            }
            fields = {spec.key: key, **row}
            yield Listed(
                id_,
                spec.type,
                names.get(place),
                key,
                spec.key,
                spec.stage,
                facts,
                fields,
                fields.get(spec.person or spec.key, key),
            )
