"""Acts: scans, reassignment, tickets, approvals. The same gate, (0) to (6); the act; then (10).

INVARIANTS
- A fact that grants a right never comes from its gainer alone: the act records its maker, and the
  store refuses what the pack's settings say it must.
- A refused act has changed nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from acl_engine.domain.approvals import Asking
from acl_engine.domain.errors import InputError
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Query, Request
from acl_engine.enforcement.approvals import APPROVAL_ACTS, Act, check_purpose
from acl_engine.enforcement.door import Door, Refused
from acl_engine.enforcement.hanging_up import hang_up
from acl_engine.enforcement.lookup import gate, raised
from acl_engine.enforcement.normalise import INCOMPLETE
from acl_engine.enforcement.trail import Trail
from acl_engine.masking.phone import parse as parse_phone


@dataclass(frozen=True, slots=True)
class Acted:
    """An act that took effect. `made` names what it made (a ticket's id), if anything."""

    request_id: str
    made: str = ""


def act(door: Door, token: str, query: Query) -> Acted:
    """One act. Raises AccessDenied, InputError, StoreError."""
    trail = Trail.start(door, query)
    try:
        _gate(trail, token)  # (0) to (4)
        _needed(query)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None  # (5), (6)
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        made = _ACTS[trail.asked.action](door, trail.who, trail.asked, _now(trail))
        trail.at("10")
        trail.settle(1)
        trail.write_outcome(count=1, subjects=(trail.subject(trail.asked.key or ""),))
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise trail.denied(error) from None
    if trail.asked.action in _MOVES:
        with suppress(Exception):  # the act stands; the next round hangs up
            hang_up(door, trail.asked.key)
    return Acted(trail.id, made)


def put_case(trail: Trail, case: Asking, subjects: tuple[str, ...]) -> Acted:
    """(5) to (10) of asking for what leaves as a whole, once its own gate is passed."""
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        made = trail.door.approvals.ask(trail.who, case, _now(trail))
        trail.at("10")
        trail.settle(1)
        trail.write_outcome(count=1, subjects=subjects)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None
    return Acted(trail.id, made)


def _gate(trail: Trail, token: str) -> None:
    asks = trail.query.action in (Action.ASK, Action.BREAK_GLASS)
    try:
        gate(trail, token, ACTS)
    except Refused:
        if asks and trail.line == "3":
            check_purpose(trail.door, trail.asked)  # a purpose that there is not is told so
        raise
    if asks:
        check_purpose(trail.door, trail.asked)


def _now(trail: Trail) -> int:
    return int(trail.now.timestamp())


_NEEDS: Mapping[str, tuple[str, ...]] = {
    Action.SCAN_OUT: ("to_unit",),
    Action.REASSIGN: ("to_person",),
    Action.OPEN_TICKET: ("source",),
    Action.REVIEW: ("finding",),
}


def _needed(query: Query) -> None:
    for name in _NEEDS.get(query.action, ()):
        if not query.params.get(name):
            raise InputError(INCOMPLETE.of(action=query.action, what=f"`{name}`"))


def _scan_out(door: Door, who: Principal, request: Request, now: int) -> str:
    door.acts.scan_out(who, request.key or "", dict(request.params)["to_unit"], now)
    return ""


def _scan_in(door: Door, who: Principal, request: Request, now: int) -> str:
    door.acts.scan_in(who, request.key or "", now, dual=door.pack.settings.acts.dual_scan)
    return ""


def _reassign(door: Door, who: Principal, request: Request, now: int) -> str:
    rostered = door.pack.settings.acts.rostered_reassign
    to_person = dict(request.params)["to_person"]
    door.acts.reassign(who, request.key or "", to_person, now, rostered=rostered)
    return ""


def _open_ticket(door: Door, who: Principal, request: Request, now: int) -> str:
    params = dict(request.params)
    caller = parse_phone(params.get("caller", ""))
    return door.acts.open_ticket(
        who,
        request.key or "",
        params["source"],
        door.index(caller.text) if caller else None,
        params.get("pickup_code"),
        now,
        verified=door.verified_callers,
    )


_ACTS: Mapping[Action, Act] = {
    Action.SCAN_OUT: _scan_out,
    Action.SCAN_IN: _scan_in,
    Action.REASSIGN: _reassign,
    Action.OPEN_TICKET: _open_ticket,
    **APPROVAL_ACTS,
}
ACTS = frozenset(_ACTS)
# Who may call a parcel's contact changes with these: what is bound for others is over.
_MOVES = frozenset({Action.SCAN_OUT, Action.SCAN_IN, Action.REASSIGN})
