"""Named controls: what stops a leak, where it stands, and how replay switches it off.

A control is declared in a pack (`controls.yaml`). `line` is the step of the lookup line where it
acts (`login`, or 0 to 11). Switching one off is data: a derived pack, made only for replay in a
synthetic world.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    id: str
    zh: str
    en: str
    line: str
    pattern: str  # C1..C20 of the leak-pattern catalogue


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused, for the audit record: the step, the controls, the rule."""

    line: str
    controls: tuple[str, ...]
    rule: str | None
    code: str
