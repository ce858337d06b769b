"""Named controls: what stops a leak, where it stands, and how replay switches it off.

A control is declared in a pack (`controls.yaml`). `line` is the step of the lookup line where it
acts (`login`, or 0 to 11). Switching one off is data: a derived pack, made only for replay in a
synthetic world.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of switching a control off, as data.

    relation    relation `name` becomes true
    setting     setting `name` (dotted) becomes `value`
    remove      the policy row with id `name` is taken out
    add         the policy row `value` is put in
    stages      every row applies at any stage
    unmask      every allow row that shows anything shows every field in clear
    component   component `name` becomes a no-op (budgets)
    secrets     the world is built with the weak secrets of 2020
    """

    kind: Literal[
        "relation", "setting", "remove", "add", "stages", "unmask", "component", "secrets"
    ]
    name: str = ""
    value: str | int | bool | None = None


@dataclass(frozen=True, slots=True)
class Control:
    id: str
    zh: str
    en: str
    line: str
    pattern: str  # C1..C20 of the leak-pattern catalogue
    rules: tuple[str, ...] = ()  # ids of the deny rows that are this control
    off: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused, for the audit record: the step, the controls, the rule."""

    line: str
    controls: tuple[str, ...]
    rule: str | None
    code: str
