"""One-click dial: a call without a number. Nobody but the broker reads it, and only to bind it.

INVARIANTS
- A capability is for one call, one session, one device, one parcel and its stage, for minutes.
- One binding per parcel until its reason ends (`hanging_up`); it expires within hours.
- The outcome of a call confirms that a number is live, so attempts are counted and limited.
- No number is stored, returned, logged or put into an exception: it is fetched for each call, with
  the broker's own right, and forgotten.
"""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace

from acl_engine.domain.calls import Binding, Call, Capability, Ends
from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Facts
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Query
from acl_engine.enforcement.door import Door, Refused, refuse
from acl_engine.enforcement.hanging_up import DAY, hang_up
from acl_engine.enforcement.lookup import gate
from acl_engine.enforcement.trail import Trail

# A binding outlives the capability that made it so many times, so that the contact may call back.
_CAPABILITIES = 6
# Whom a call reaches, by the parcel's stage: its sender while it is picked up or brought back.
_TO_SENDER = frozenset({"ORDERED", "RETURNING"})
_BROKER = Principal("svc-dial", "svc-dial", "dial_broker", "hq", "broker")


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What the provider said of the call: see `domain.calls.Call`."""

    request_id: str
    outcome: str


def dial(door: Door, token: str, query: Query) -> Capability:
    """A capability for one call to the parcel's contact. Raises AccessDenied, InputError."""
    trail = Trail.start(door, query)
    try:
        gate(trail, token, frozenset({Action.DIAL}))  # (0) to (4)
        if door.dials.attempts(trail.asked.key or "", _now(trail) - DAY) >= _most(door):
            raise _attempts_spent()
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        outward = trail.denied(error)  # (5), (6)
        raise (error if isinstance(error, InputError) else outward) from None
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        binding = _bound(trail)
        secret = secrets.token_urlsafe(24)
        expires = min(binding.expires_at, _now(trail) + _minutes(door) * 60)
        minted = door.dials.mint(
            _hash(secret),
            binding,
            trail.who.session,
            expires,
            since=_now(trail) - DAY,
            most=_most(door),
        )
        if not minted:
            raise _attempts_spent()
        trail.at("10")
        trail.settle(1)
        trail.write_outcome(count=1, subjects=(trail.subject(binding.waybill_no),))
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise trail.denied(error) from None
    return Capability(trail.id, secret, expires)


def call(door: Door, token: str, capability: str) -> CallOutcome:
    """Use a capability up. The rights are decided anew: the stage may have ended since."""
    query = Query(Action.DIAL, "waybill", key="-")
    trail = Trail.start(door, query)
    try:
        who = door.sessions.resolve(token)
        trail.principal = who
        binding = door.dials.take(_hash(capability), who.session, _now(trail))
        if binding is None or (binding.person, binding.device) != (who.person, who.device):
            raise refuse("0", "dial.capability", "dial-broker")
        trail.query = Query(Action.DIAL, "waybill", key=binding.waybill_no, purpose=binding.purpose)
        gate(trail, token, frozenset({Action.DIAL}))
        if _stage(trail) != binding.stage:
            raise refuse("3", "dial.stage", "stage-window")
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise trail.denied(error) from None
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        outcome = _rung(trail, binding)
        trail.at("10")
        trail.settle(1)
        trail.write_outcome(count=1, subjects=(trail.subject(binding.waybill_no),))
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise trail.denied(error) from None
    return CallOutcome(trail.id, outcome)


def _rung(trail: Trail, binding: Binding) -> str:
    """Ring, and keep a record of it whatever comes of it."""
    outcome, name = "failed", secrets.token_hex(8)
    try:
        ends = _ends(trail, binding.stage, binding.expires_at, f"{binding.id}.{name}")
        outcome = trail.door.provider.call(binding.provider_ref, ends)
    finally:
        trail.door.dials.record(Call(binding.id, _now(trail), outcome, name))
    return outcome


def _attempts_spent() -> Refused:
    return refuse("4", "dial.attempts", "call-attempts")


def _bound(trail: Trail) -> Binding:
    """The live binding, or a new one with the provider; whatever else was bound for the parcel is
    over then."""
    door, who, now = trail.door, trail.who, _now(trail)
    key, stage, purpose = trail.asked.key or "", _stage(trail), trail.asked.purpose
    found = door.dials.live(key, who.person, now)
    if found is not None and (found.stage, found.device, found.account, found.purpose) == (
        stage,
        who.device,
        who.account,
        purpose,
    ):
        return found
    expires = now + min(DAY, max(1, _minutes(door)) * 60 * _CAPABILITIES)
    name = secrets.token_hex(12)
    reference = door.provider.bind(_ends(trail, stage, expires, name))
    binding = Binding(
        name,
        key,
        who.account,
        who.person,
        who.device,
        stage,
        reference,
        expires,
        purpose,
    )
    try:
        door.dials.bind(binding)
    except Exception:
        door.provider.unbind(reference)  # or the number would stay bound with nobody knowing
        raise
    with suppress(Exception):  # the next round does it
        hang_up(door, key)
    return binding


def _ends(trail: Trail, stage: str, expires: int, name: str) -> Ends:
    dial = trail.door.pack.settings.dial
    number = _number(trail, stage)
    return Ends(
        trail.who.device,
        number,
        expires,
        both_ways=dial.callback,
        most_minutes=dial.call_minutes,
        anyone=not dial.known_callers,
        name=name,
    )


def _number(trail: Trail, stage: str) -> str:
    """The broker's own look: its rights are the pack's rows for `dial_broker`, no wider."""
    assert trail.facts is not None
    door, asked = trail.door, trail.asked

    request = replace(asked, action=Action.READ)
    subject = dict.fromkeys(door.pack.subject_attributes)
    facts = Facts(
        {**subject, "role": _BROKER.role, "account": _BROKER.account, "device_bound": True},
        trail.facts.resource,
    )
    decision = door.decider.decide(request, facts)
    if not decision.allowed:
        raise refuse("3", decision.reason.code, *decision.controls)
    rows = door.records.find(request, decision.scope)
    if len(rows) != 1 or rows[0].key != request.key:
        raise refuse("7", "dial.no-record")
    if not door.decider.judge(request, facts, rows[0].attributes).allowed:
        raise refuse("8", "dial.other-record")
    return _contact(rows[0], stage)


def _contact(row: PersonalRecord, stage: str) -> str:
    return row.fields["sender_phone" if stage in _TO_SENDER else "recipient_phone"]


def _stage(trail: Trail) -> str:
    assert trail.facts is not None
    resource = trail.facts.resource
    return str(resource["stage"]) if resource else ""


def _most(door: Door) -> int:
    return door.pack.settings.dial.attempts_per_day


def _minutes(door: Door) -> int:
    return door.pack.settings.dial.capability_minutes


def _now(trail: Trail) -> int:
    return int(trail.now.timestamp())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
