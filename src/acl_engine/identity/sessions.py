"""Server-side sessions: resolved anew at every request, against the account as it is now.

INVARIANTS
- The token is 256 random bits; its SHA-256 is what is stored.
- A session lives while its account and person are active and in force (see `standing`), its epoch
  is the account's, its device (where binding is required) is still bound and leased, and neither
  limit has passed.
- Anything in doubt is a dead session. One that detection holds is dead until its person shows a
  second factor (`identity/fresh.py`).
"""

import hashlib
import secrets

from acl_engine.domain.accounts import Account, Device, IdentityStore, SessionState
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import SessionDead
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.identity import old_scanners, standing
from acl_engine.identity.standing import NOTHING_ASKED, Rules

ACCOUNT_STATE = "account-state"
_TOKEN_BYTES = 32
# A session is marked as seen once in this share of its idle limit: a write for every look is dear.
_TOUCH_SHARE = 20


class StoredSessions:
    """Implements `domain.ports.Sessions`."""

    def __init__(
        self,
        store: IdentityStore,
        settings: LoginSettings,
        clock: Clock,
        rules: Rules = NOTHING_ASKED,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._rules = rules

    def resolve(self, token: str) -> Principal:
        """The live person behind a token. Raises SessionDead, with the refusal for the audit."""
        return self.standing(hash_token(token))

    def standing(
        self, token_hash: str, *, live: bool = True, touch: bool = True, held: bool = False
    ) -> Principal:
        """The same for a session's id, which opens nothing: for what hangs on a session.

        `live` False is replay's: whose session it was counts, alive or dead. `touch` False: it is
        not its person who asks, so it grows no younger. `held`: one that waits for a second factor
        is let through, to show it.
        """
        now = int(self._clock.now().timestamp())
        found = self._store.session(token_hash)
        if found is None:
            raise _dead("unknown-session")
        if live:
            self._check(found, now)
            if found.held_at and not held:
                raise _dead("factor-asked", "step-up")
        if touch and now - found.seen_at >= self._settings.idle_minutes * 60 // _TOUCH_SHARE:
            self._store.touch(token_hash, now)
        return principal_of(found.account, found.token_hash, found.device, found.device_id)

    def of_login(self, login: str) -> Principal:
        """The person behind a login, by the session that lives now. Raises SessionDead."""
        session = self._store.live_session(login, int(self._clock.now().timestamp()))
        if session is None:
            raise _dead("no-session")
        return self.standing(session, touch=False)

    def end(self, token: str) -> None:
        """End the session; ending one that is over or unknown changes nothing."""
        self._store.end_session(hash_token(token), int(self._clock.now().timestamp()))

    def _check(self, found: SessionState, now: int) -> None:
        if self._rules.settings.live:
            if not found.account.active or found.epoch != found.account.epoch:
                raise _dead("account-changed", ACCOUNT_STATE)
            if found.ended_at is not None:
                raise _dead("session-ended")
        if now >= found.expires_at:
            raise _dead("session-expired")
        if now - found.seen_at >= self._settings.idle_minutes * 60:
            raise _dead("session-idle")
        if lapsed := self._rules.lapses(found.account, now):
            raise _dead(lapsed[0], standing.CONTROL)
        if needs_device(found.account, self._settings) and (
            found.device is None or not found.device.bound_to(found.account, now)
        ):
            raise _dead("device-not-bound", "device-binding")
        if found.device is not None and needs_device(found.account, self._settings):
            device, settings = found.device, self._settings
            if code := old_scanners.refusal(self._store, found.account, device, settings, now):
                raise _dead(code, "device-binding")


def needs_device(account: Account, settings: LoginSettings) -> bool:
    """Whether a session must be on a bound device: all staff, and every service.

    Customers and merchants use devices of their own; their rights end at their own parcels.
    """
    if account.service:
        return True
    return settings.device_binding == "required" and not account.outside


def new_token() -> str:
    """Letters and figures alone, so that it may stand in a CAS cookie (specification, 3.7)."""
    return secrets.token_hex(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """The token as it is stored. A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def principal_of(
    account: Account, session: str, device: Device | None, device_id: str | None
) -> Principal:
    """Who this is. The session's id is the hash of its token: it opens nothing."""
    return Principal(
        account=account.login,
        person=account.owner,
        role=account.role,
        unit=account.unit,
        session=session,
        device=device_id,
        device_class=device.device_class if device else None,
        tenant=account.tenant,
        customer=account.customer,
    )


def _dead(code: str, *controls: str) -> SessionDead:
    return SessionDead(Refusal(line="0", controls=controls, rule=None, code=code))
