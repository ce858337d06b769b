"""The ports: what the door needs from outside, as Protocols. Adapters live in storage and identity.

`personal.Records` stands apart, because the unmasked record is protected.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.budgets import NO_WEIGHTS, Reservation, Seen
from acl_engine.domain.calls import Binding, Call, Ends, Kept
from acl_engine.domain.decision import Decision
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.parts import Part
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Request
from acl_engine.domain.scope import Scope


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

    def count(self, request: Request, scope: Scope) -> Mapping[str, int]:
        """How many records of the scope are at each stage. No record is named."""
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

    def judge(self, request: Request, facts: Facts, row: Mapping[str, Value]) -> Decision:
        """Step 8: the same decision for one fetched row's attributes; it needs no scope."""
        ...

    def permits(self, request: Request, facts: Facts) -> bool:
        """Whether `decide` allows: the answer alone, for an application that enforces it itself."""
        ...


class Budgets(Protocol):
    """Atomic counters that survive a restart. Each change is a part: it shares the commit of the
    record that tells of it."""

    def reserve(
        self,
        principal: Principal,
        request: Request,
        amount: int,
        weights: Mapping[str, int] = NO_WEIGHTS,
        *,
        fresh: bool = False,
    ) -> Part[Any, Reservation]:
        """Set `amount` looks aside in every window, and so many times the `weights` of persons.

        `weights`: per kind of data, what one record may show of persons, in hundredths. `fresh`: a
        second factor was shown just now. Refused with ActRefused: spent, or a fresh factor is
        needed.
        """
        ...

    def settle(
        self, reservation: Reservation, amount: int, seen: Sequence[Seen] = ()
    ) -> Part[Any, Reservation]:
        """Charge what was shown, at most what was set aside; the rest is free again. A person
        stands in `seen` once for each kind of data. Refused with ActRefused: too many persons."""
        ...

    def release(self, reservation: Reservation) -> Part[Any, Reservation]:
        """Nothing was shown: all of it is free again."""
        ...


class AuditLog(Protocol):
    def append(self, entry: AuditEntry) -> Receipt:
        """Write one record; it is durable when this returns. Raises AuditUnavailable."""
        ...


class SharedLog(AuditLog, Protocol):
    """A log whose commits others share."""

    def append(self, entry: AuditEntry, part: Part[Any, Any] | None = None) -> Receipt:
        """Write one record, and carry out the part that it tells of: both are durable when this
        returns. Raises AuditUnavailable, or what the part is refused with: no record then."""
        ...


class Pseudonyms(Protocol):
    def digest(self, kind: str, value: str) -> str:
        """A keyed hash: the log can be searched for a value without holding it."""
        ...


class Acts(Protocol):
    """Changes of custody, assignment and purpose; each is one transaction that records its maker.

    All raise ActRefused, with the control, when the state of the parcel does not allow the act.
    Times are epoch seconds UTC.
    """

    def scan_out(self, who: Principal, waybill_no: str, to_unit: str, now: int) -> None: ...

    def scan_in(self, who: Principal, waybill_no: str, now: int, *, dual: bool) -> None:
        """`dual`: refused unless the last out-scan was to this unit (control dual-scan).
        Otherwise custody moves here all the same and counts as sound, as it did in 2020."""
        ...

    def reassign(
        self, who: Principal, waybill_no: str, to_person: str, now: int, *, rostered: bool
    ) -> None:
        """`rostered`: refused unless `to_person` is rostered for the area now, works in the
        parcel's destination branch and is not `who` (control rostered-reassign). Otherwise the
        assignment counts as sound all the same, as it did in 2020."""
        ...

    def open_ticket(
        self,
        who: Principal,
        waybill_no: str,
        source: str,
        caller_index: str | None,
        pickup_code: str | None,
        now: int,
        *,
        verified: bool,
    ) -> str:
        """A ticket held by `who`; its id. `verified`: refused unless the network's caller number
        (its keyed index) is the sender's or the recipient's, or the pickup code fits (control
        caller-verification). `source` is the telephone or app event behind it."""
        ...


class Dials(Protocol):
    """State of one-click dial. No number is stored in any form."""

    def live(self, waybill_no: str, person: str, now: int) -> Binding | None:
        """The binding of this parcel and person that has neither expired nor ended."""
        ...

    def bind(self, binding: Binding) -> None:
        """Keep a binding; those of the waybill before it have ended."""
        ...

    def kept(
        self,
        now: int,
        *,
        waybill_no: str | None = None,
        provider_ref: str | None = None,
        after: Binding | None = None,
    ) -> Sequence[Kept]:
        """What the provider still has: all, of one parcel, or by the provider's reference; a page,
        the next one `after` the last of it, until one is empty."""
        ...

    def released(self, binding_id: str, now: int) -> None:
        """The provider has let go of it: it is over."""
        ...

    def mint(
        self,
        token_hash: str,
        binding: Binding,
        session: str,
        expires_at: int,
        *,
        since: int,
        most: int,
    ) -> bool:
        """Keep a capability for one call, unless the parcel has had `most` since then: False.
        Atomic: who asks many times at once gets no more."""
        ...

    def take(self, token_hash: str, session: str, now: int) -> Binding | None:
        """Use a capability up, atomically; None if it is unknown, used, expired, or another's."""
        ...

    def attempts(self, waybill_no: str, since: int) -> int:
        """How often this parcel's contact was or may be rung since then, calls by hand included."""
        ...

    def record(self, call: Call) -> None: ...


class DialProvider(Protocol):
    """A telephone provider with privacy numbers. Only the broker hands it a number.

    Raises StoreError when it cannot or will not: a call that is not sure to be allowed is none.
    """

    def bind(self, ends: Ends) -> str:
        """Bind an intermediate number (AXB); the provider's reference, without a person's number.
        The provider forgets it by itself when it expires."""
        ...

    def call(self, reference: str, ends: Ends) -> str:
        """Ring both ends; the outcome as a word: see `Call`."""
        ...

    def unbind(self, reference: str) -> None: ...


class TimeStamper(Protocol):
    """A time stamping authority (RFC 3161): it says when a digest was there."""

    def stamp(self, request: bytes) -> bytes:
        """The answer to a request, both in DER. Raises ConfigError when there is none."""
        ...
