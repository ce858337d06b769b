"""Which signed policy runs over a database, and which ran before."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Running:
    """What runs now, and what has run: `highest` is the largest sequence that ever ran, `orders`
    the digests of the rollback orders that were used."""

    pack: str
    sequence: int
    digest: str
    highest: int
    orders: frozenset[str] = frozenset()


class PolicyLoads(Protocol):
    """The memory of what was loaded. Each method is one transaction; StoreError on failure."""

    def running(self) -> Running | None:
        """None: nothing was ever loaded here."""
        ...

    def record(self, before: Running | None, now: Running, order: str | None, at: int) -> bool:
        """Make `now` run, if `before` still does; False: another process loaded meanwhile.

        `order` is the digest of the rollback order that was used, `at` epoch seconds.
        """
        ...
