"""Switching controls off, as data: a derived pack, made only for replay.

The engine that runs it is the same one. Everything that comes from here opens a synthetic world
or nothing: `Engine.open` demands the mark whenever it is given a `Weakened`.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from acl_engine.domain.control import Edit
from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.pack import Pack
from acl_engine.policy.pack import pack_from_files
from acl_engine.policy.strict_yaml import plain
from acl_engine.replay.scenario import UNDEFINED


@dataclass(frozen=True, slots=True)
class Derived:
    """A pack without some controls, the components to leave out, and whether secrets are weak."""

    pack: Pack
    components: frozenset[str]
    weak: bool


def without(pack: Pack, controls: Iterable[str]) -> Derived:
    """The pack with these controls off. Raises ScenarioError for one that it does not have."""
    files = dict(pack.files)
    components: set[str] = set()
    weak = pack.settings.replay_only
    for name in controls:
        if name not in pack.controls:
            known = ", ".join(sorted(pack.controls))
            raise ScenarioError(
                UNDEFINED.of(what="control", name=name, known=known),
                Where(f"{pack.folder}/controls.yaml"),
            )
        for edit in pack.controls[name].off:
            if edit.kind == "component":
                components.add(edit.name)
            elif edit.kind == "secrets":
                weak = True
            else:
                files = _edited(files, edit, pack)
    files["settings.yaml"] = _set(files["settings.yaml"], "replay_only", True)
    return Derived(pack_from_files(files, folder=pack.folder), frozenset(components), weak)


def _edited(files: dict[str, str], edit: Edit, pack: Pack) -> dict[str, str]:
    changed = dict(files)
    if edit.kind == "relation":
        document = plain(files["relations.yaml"], "relations.yaml")
        document["relations"][edit.name]["expression"] = "true"
        changed["relations.yaml"] = _dump(document)
    elif edit.kind == "setting":
        changed["settings.yaml"] = _set(files["settings.yaml"], edit.name, edit.value)
    elif edit.kind == "add":
        changed["policy.csv"] = f"{files['policy.csv']}\n{edit.value}\n"
    elif edit.kind == "remove":
        changed["policy.csv"] = _rows(files["policy.csv"], lambda row: row[1] != edit.name)
        changed["controls.yaml"] = _forget(files["controls.yaml"], edit.name)
    elif edit.kind == "stages":
        changed["policy.csv"] = _mapped(files["policy.csv"], _any_stage)
    elif edit.kind == "unmask":
        everything = " ".join(
            f"{field}=clear" for spec in pack.resources.values() for field in spec.fields
        )
        changed["policy.csv"] = _mapped(files["policy.csv"], lambda row: _unmasked(row, everything))
    return changed


def _set(text: str, path: str, value: object) -> str:
    document = plain(text, "pack")
    place = document
    *above, last = path.split(".")
    for name in above:
        place = place[name]
    place[last] = value
    return _dump(document)


def _forget(text: str, rule: str) -> str:
    document = plain(text, "pack")
    for control in document["controls"].values():
        control["rules"] = [one for one in control.get("rules", []) if one != rule]
        control["off"] = [one for one in control.get("off", []) if one.get("name") != rule]
    return _dump(document)


def _dump(document: object) -> str:
    # JSON is YAML, and keeps every string a string.
    return json.dumps(document, ensure_ascii=False, indent=1)


def _parsed(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)))]


def _rows(text: str, keep: Callable[[list[str]], bool]) -> str:
    return "\n".join(", ".join(row) for row in _parsed(text) if row[0] != "p" or keep(row)) + "\n"


def _mapped(text: str, change: Callable[[list[str]], list[str]]) -> str:
    return "\n".join(", ".join(change(row) if row[0] == "p" else row) for row in _parsed(text))


def _any_stage(row: list[str]) -> list[str]:
    return [*row[:6], "any", *row[7:]]


def _unmasked(row: list[str], everything: str) -> list[str]:
    shows = row[7] != "none" and row[8] == "allow"
    return [*row[:7], everything, row[8]] if shows else row
