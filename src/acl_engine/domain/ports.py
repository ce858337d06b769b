"""The ports: what the door needs from outside, as Protocols. Adapters live in storage and identity.

`personal.Records` stands apart, because the unmasked record is protected.
"""

from datetime import datetime
from typing import Protocol

from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.decision import Decision
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Request


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, with its zone."""
        ...


class Sessions(Protocol):
    def resolve(self, token: str) -> Principal:
        """The live person behind a token: account, epoch, device and expiry checked now.

        Raises SessionDead (a Refusal at line 0) for anything in doubt.
        """
        ...


class Directory(Protocol):
    def facts(self, principal: Principal, request: Request) -> Facts:
        """The live facts for this person and, when the request names one, this record."""
        ...


class Decider(Protocol):
    """The decision point. Pure: no I/O, no clock, no state that grows."""

    @property
    def version(self) -> str: ...

    def decide(self, request: Request, facts: Facts) -> Decision:
        """Allow or deny. With `facts.resource` None and an action over many records (search,
        aggregate), allowed when the scope is not empty; the rows are judged one by one later.
        """
        ...

    def judge(self, request: Request, facts: Facts, row: "dict[str, Value]") -> Decision:
        """Step 8: the same decision for one fetched row's attributes."""
        ...


class Budgets(Protocol):
    """Atomic counters that survive a restart."""

    def reserve(self, principal: Principal, request: Request, amount: int) -> str | None:
        """Set `amount` looks aside in every window; the reservation's id, or None: spent."""
        ...

    def settle(self, reservation: str, amount: int) -> None:
        """Charge what was shown, at most what was set aside; the rest is free again."""
        ...

    def release(self, reservation: str) -> None:
        """Nothing was shown: all of it is free again."""
        ...


class AuditLog(Protocol):
    def append(self, entry: AuditEntry) -> Receipt:
        """Write one record; it is durable when this returns. Raises AuditUnavailable."""
        ...


class Pseudonyms(Protocol):
    def digest(self, kind: str, value: str) -> str:
        """A keyed hash: the log can be searched for a value without holding it."""
        ...
