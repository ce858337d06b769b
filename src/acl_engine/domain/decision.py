"""What was decided, and why. Values only; the deciding is in `decision`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NoReturn

from acl_engine.domain.scope import NOTHING, Scope
from acl_engine.domain.text import Message


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Show(StrEnum):
    """How much of one field is shown. To dial is an action of its own, not a grade of seeing."""

    HIDDEN = "hidden"
    MASK = "mask"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Grant:
    """One field's obligation: the masking `profiles` whose shown positions are joined, or clear."""

    show: Show
    profiles: tuple[str, ...] = ()


HIDDEN = Grant(Show.HIDDEN)
CLEAR = Grant(Show.CLEAR)


@dataclass(frozen=True, slots=True)
class Decision:
    """`rules` are the ids of the policy rows that made it; `controls` name what said no.

    `scope` is the row filter over the resource's attributes that this decision grants; NOTHING on
    a denial, and for one row that was fetched already. `grants` holds one obligation per granted
    field; a field not named is hidden.
    """

    effect: Effect
    rules: tuple[str, ...]
    reason: Message
    version: str
    scope: Scope = NOTHING
    grants: Mapping[str, Grant] = field(default_factory=lambda: MappingProxyType({}))
    controls: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOW

    def __bool__(self) -> NoReturn:
        # casbin's `(False, [])` is truthy; a decision must be read by name.
        raise TypeError("a decision is not a bool: read `decision.allowed`")
