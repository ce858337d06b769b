"""Organisation units: what a person, an account and a device belong to, and scopes reach down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `parent` None: the head of the company; `kind` is the company's own word for it
    (hq, province, hub, branch, station); a franchise is another legal person."""

    id: str
    parent: str | None
    kind: str
    name_zh: str
    name_en: str
    city: str = ""
    district: str = ""
    franchise: bool = False


class Organisation(Protocol):
    """The units that there are. StoreError on failure."""

    def units(self) -> tuple[Unit, ...]:
        """All, in order of id."""
        ...

    def add(self, units: Sequence[Unit]) -> None:
        """All of them or none; parents first. Raises InputError for one that is there, or whose
        parent is not."""
        ...
