"""The signed sheet: level x role x stage x field, computed from a pack, not written beside it.

A line of the sheet says: when this condition holds, at these stages, this role may do these
actions and sees these fields, each in clear or through a mask. Where several lines of a role hold
at once, what they show joins. What an unconditional deny row takes away is not on the sheet.

INVARIANT: the sheet never shows less than the policy grants (a test compares it with decisions).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from acl_engine.analysis.rows import always, rows_of
from acl_engine.domain.pack import Pack, Pending, RoleSpec, Row
from acl_engine.domain.request import Action

CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Line:
    """`stages` in the order of the record's life; `fields` maps to `clear` or a mask profile."""

    resource: str
    stages: tuple[str, ...]
    condition: str
    actions: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleSheet:
    """`reach` is the strongest view of each field over all lines: what the role can see at most."""

    role: str
    spec: RoleSpec
    lines: tuple[Line, ...]
    denied: tuple[Row, ...]
    pending: tuple[Pending, ...]
    reach: tuple[tuple[str, tuple[str, ...]], ...]


def sheet(pack: Pack) -> tuple[RoleSheet, ...]:
    """One part a role, front line first, outside and services last; else in the file's order."""
    order = sorted(pack.roles, key=lambda role: pack.roles[role].level or 99)
    return tuple(_role(pack, role) for role in order)


def _role(pack: Pack, role: str) -> RoleSheet:
    rows = rows_of(pack, role)
    denied = tuple(row for row in rows if not row.allow)
    lines = tuple(_lines(pack, rows, denied))
    return RoleSheet(
        role,
        pack.roles[role],
        lines,
        denied,
        tuple(cell for cell in pack.pending if cell.role == role),
        _reach(pack, lines),
    )


def _lines(pack: Pack, rows: tuple[Row, ...], denied: tuple[Row, ...]) -> Iterator[Line]:
    """Rows that differ in nothing but their action are one line."""
    merged: dict[tuple[object, ...], tuple[Row, tuple[str, ...], list[Row]]] = {}
    for row in rows:
        stages = _stages(pack, row, denied) if row.allow else ()
        if stages:
            key = (row.resource, stages, row.relation, frozenset(row.grants))
            merged.setdefault(key, (row, stages, []))[2].append(row)
    every = {name: spec.stages for name, spec in pack.resources.items()}
    for first, stages, same in sorted(
        merged.values(), key=lambda one: every[one[0].resource].index(one[1][0])
    ):
        yield Line(
            first.resource,
            stages,
            first.relation,
            tuple(dict.fromkeys(row.action for row in same)),
            first.grants,
            tuple(row.id for row in same),
        )


def _stages(pack: Pack, row: Row, denied: tuple[Row, ...]) -> tuple[str, ...]:
    every = pack.resources[row.resource].stages
    taken = {
        stage
        for deny in denied
        if (deny.resource, deny.action) == (row.resource, row.action)
        and always(pack, deny.relation)
        for stage in (deny.stages or every)
    }
    return tuple(s for s in every if (not row.stages or s in row.stages) and s not in taken)


def _reach(pack: Pack, lines: tuple[Line, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    seen: dict[str, set[str]] = {}
    for line in lines:
        if line.actions == (Action.DISCLOSE,):
            continue  # sealed for an authority: the role reads none of it
        for field, how in line.fields:
            seen.setdefault(field, set()).add(how)
    fields = [field for spec in pack.resources.values() for field in spec.fields]
    return tuple(
        (field, (CLEAR,) if CLEAR in seen[field] else tuple(sorted(seen[field])))
        for field in dict.fromkeys(fields)
        if field in seen
    )
