"""Logging in and out, and applications that bring a ticket."""

import base64
import binascii

from acl_engine.domain.accounts import DeviceProof
from acl_engine.web.api import bodies
from acl_engine.web.api.session import Asking


def challenge(asking: Asking, body: bodies.Device) -> bodies.Challenge:
    return bodies.Challenge(challenge=asking.engine.challenge(body.device))


def login(asking: Asking, body: bodies.Login) -> bodies.Session:
    token = asking.engine.login(
        body.login, body.password, totp=body.code or None, device=_proof(body.device)
    )
    who = asking.engine.sessions.resolve(token)
    return bodies.Session(token=token, account=who.account, role=who.role, unit=who.unit)


def step_up(asking: Asking, body: bodies.StepUp) -> None:
    """Raises AccessDenied for a session that is over, too: why stands in the log."""
    asking.engine.prove(asking.token, body.code, device=_proof(body.device))


def enter(asking: Asking, body: bodies.Ticket) -> bodies.Visit:
    visit = asking.access.enter(body.ticket)
    return bodies.Visit(token=visit.token, account=visit.account, seconds=visit.seconds)


def leave(asking: Asking, body: None) -> None:
    """Over for the applications that were visited, too. Raises SessionDead for who is not in."""
    asking.engine.sessions.resolve(asking.token)
    if asking.central.login.leave(asking.token):
        asking.central.farewells.wake()


def _proof(answer: bodies.DeviceAnswer | None) -> DeviceProof | None:
    """A signature that cannot be read is one that does not fit."""
    if answer is None:
        return None
    try:
        padded = answer.signature + "=" * (-len(answer.signature) % 4)
        signature = base64.urlsafe_b64decode(padded)
    except (binascii.Error, ValueError):
        signature = b""
    return DeviceProof(answer.id, answer.challenge, signature)
