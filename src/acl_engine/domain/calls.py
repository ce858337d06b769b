"""One-click dial: what is bound, for whom, until when. Never a number."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Binding:
    """An intermediate number bound between a person's phone and a parcel's contact.

    Times are epoch seconds UTC. `provider_ref` is the provider's name for it, and holds no number.
    """

    id: str
    waybill_no: str
    person: str
    device: str | None
    stage: str
    provider_ref: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Capability:
    """The right to one call, by one session, for a few minutes."""

    request_id: str
    token: str = field(repr=False)
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt. `outcome` is answered, busy, no-answer or off: it is an oracle, so attempts are
    limited and counted."""

    binding: str
    at: int
    outcome: str
