"""One line of a check, whatever was checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Message

Level = Literal["error", "warning", "note"]
_ORDER = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """How bad, what, and where; `stops` for what keeps a policy from being loaded at all."""

    level: Level
    message: Message
    where: Where
    stops: bool = False


def error_of(failure: PolicyError) -> Finding:
    """What stops a load."""
    return Finding("error", failure.message, failure.where or Where("policy"), stops=True)


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by place."""
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.level), one.where)))
