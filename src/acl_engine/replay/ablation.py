"""Switching controls off, as data: a derived pack, made only for replay.

The engine that runs it is the same one. Everything that comes from here opens a synthetic world
or nothing: `Engine.open` demands the mark whenever it is given a `Weakened`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from acl_engine.decision import PackDecider
from acl_engine.domain.control import Edit
from acl_engine.domain.errors import PolicyError, PolicyErrors, ScenarioError, Where
from acl_engine.domain.pack import Pack, Row
from acl_engine.policy.pack_rows import read_rows
from acl_engine.replay.reading import UNDEFINED


@dataclass(frozen=True)
class Derived:
    """A pack without some controls, the components to leave out, and whether secrets are weak."""

    pack: Pack
    components: frozenset[str]
    weak: bool

    @cached_property
    def decider(self) -> PackDecider:
        """Made once for all the runs under this pack."""
        return PackDecider(self.pack)


def without(pack: Pack, controls: Iterable[str]) -> Derived:
    """The pack with these controls off. Raises ScenarioError for one that it does not have."""
    names = sorted(controls)
    edits: list[Edit] = []
    for name in names:
        if name not in pack.controls:
            known = ", ".join(sorted(pack.controls))
            where = Where(f"{pack.folder}/controls.yaml")
            raise ScenarioError(UNDEFINED.of(what="control", name=name, known=known), where)
        edits.extend(pack.controls[name].off)
    # Rows first: what is then done to every row must reach those that another control adds.
    edits.sort(key=lambda edit: edit.kind in ("stages", "unmask"))
    derived = pack
    for edit in edits:
        derived = edited(derived, edit)
    mark = hashlib.sha256(f"{pack.version}-{' '.join(names)}".encode()).hexdigest()[:16]
    weakened = replace(derived.settings, replay_only=True)
    return Derived(
        replace(derived, version=mark, settings=weakened),
        frozenset(edit.name for edit in edits if edit.kind == "component"),
        not pack.settings.login.strong_passwords or any(edit.kind == "secrets" for edit in edits),
    )


def edited(pack: Pack, edit: Edit) -> Pack:
    """The pack after one step of switching a control off."""
    match edit.kind:
        case "relation":
            spec = replace(pack.relations[edit.name], expression="true")
            return replace(pack, relations={**pack.relations, edit.name: spec})
        case "setting":
            return replace(pack, settings=_set(pack.settings, edit.name.split("."), edit.value))
        case "remove":
            return replace(pack, rows=tuple(row for row in pack.rows if row.id != edit.name))
        case "add":
            return replace(pack, rows=(*pack.rows, *_added(str(edit.value), pack)))
        case "stages":
            return replace(pack, rows=tuple(replace(row, stages=()) for row in pack.rows))
        case "unmask":
            return replace(pack, rows=tuple(_unmasked(row, pack) for row in pack.rows))
    return pack


def _set(settings: Any, path: list[str], value: object) -> Any:
    """The settings with one value changed; a wrong path is the pack's fault and raises."""
    first, *rest = path
    return replace(
        settings, **{first: _set(getattr(settings, first), rest, value) if rest else value}
    )


def _added(line: str, pack: Pack) -> tuple[Row, ...]:
    findings: list[PolicyError] = []
    rows, _ = read_rows(line, f"{pack.folder}/controls.yaml", findings)
    if findings:
        raise PolicyErrors(tuple(findings))
    return rows


def _unmasked(row: Row, pack: Pack) -> Row:
    """Whatever the row shows anything of, it shows in clear, every field."""
    if not (row.grants and row.allow):
        return row
    fields = pack.resources[row.resource].fields
    return replace(row, grants=tuple((name, "clear") for name in fields))
