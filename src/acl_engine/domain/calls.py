"""One-click dial: what is bound, for whom, until when. A person's number is in `Ends` alone."""

from dataclasses import dataclass, field

from acl_engine.domain.principal import Principal

# The outcome of a call of which the provider has said no more yet.
PLACED = "placed"


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a call, as the broker hands them to the provider; kept nowhere.

    `device` is the company's side: the provider knows its line. `number` is the person's.
    `expires_at` in epoch seconds UTC. `both_ways`: the person may call back while it is bound;
    `anyone` (replay alone): whoever rings is put through, as where X is bound to one end only.
    `name`: the broker's own for the binding, or BINDING.CALL for one call, by which a provider may
    report of it later.
    """

    device: str | None
    number: str = field(repr=False)
    expires_at: int
    both_ways: bool
    most_minutes: int
    anyone: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """An intermediate number bound between a device's line and a parcel's contact.

    Times are epoch seconds UTC. `provider_ref` is the provider's name for it, and holds no number
    of a person. `purpose` is what the right to call was asked for, if for anything.
    """

    id: str
    waybill_no: str
    account: str
    person: str
    device: str | None
    stage: str
    provider_ref: str
    expires_at: int
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A binding that the provider still has. `over`: it has ended, expired, or its parcel is at
    another stage. `who`: its person as they are now; None: no longer active."""

    binding: Binding
    over: bool
    who: Principal | None


@dataclass(frozen=True, slots=True)
class Capability:
    """The right to one call, by one session, for a few minutes."""

    request_id: str
    token: str = field(repr=False)
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, either way. `outcome` is a word: answered, busy, no-answer, off, placed (the
    provider does not say, or not yet), failed; of a callback: callback or hotline. It is an oracle,
    so attempts are limited and counted. `name`: by which a later report of the same call finds it.
    `by_hand`: the company's line rang the intermediate number, past the broker: an attempt too.
    """

    binding: str
    at: int
    outcome: str
    name: str | None = None
    by_hand: bool = False
