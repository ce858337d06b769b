"""The end of a record's life: what is due, and the port to the store that carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from acl_engine.domain.pack import RetentionRule


@dataclass(frozen=True, slots=True)
class Due:
    """How many records of a type a rule applies to now."""

    resource: str
    rule: RetentionRule
    records: int


class RetentionStore(Protocol):
    """`now` is in epoch seconds UTC."""

    def count(self, resource: str, rule: RetentionRule, now: int) -> int: ...

    def due(self, resource: str, rule: RetentionRule, now: int, limit: int) -> Sequence[str]:
        """The keys of at most `limit` records that the rule applies to, in order."""
        ...

    def carry_out(
        self, resource: str, rule: RetentionRule, keys: Sequence[str], now: int
    ) -> Sequence[str]:
        """Move these records on, those that are still due, all or none; their keys. With
        `destroy` nothing personal of them can be read from then on."""
        ...
