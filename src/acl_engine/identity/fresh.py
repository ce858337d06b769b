"""A second factor shown anew inside a session: for what asks for a fresh one, and to end a hold.

    (1) throttle   the bucket of this account on this device, as at login
    (2) session    live; one that detection holds may prove itself, and nothing else
    (3) device     the session's own device signs a challenge of now
    (4) code       its step is found
    (5) mark       one transaction: account unchanged, code unused, session still open

INVARIANTS
- A code read out over the telephone proves nothing: the session's device must sign beside it.
- Wrong codes lock the login like wrong ones there; a locked login proves nothing.
- A recovery code is no fresh factor.
"""

from acl_engine.domain.accounts import Account, DeviceProof, IdentityStore, LoginAttempt
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import LoginRefused, SessionDead
from acl_engine.domain.factors import FactorStore, Proved
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.identity.devices import Challenges
from acl_engine.identity.sessions import ACCOUNT_STATE, StoredSessions, hash_token, needs_device
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp

STEP_UP = "step-up"
DEVICE_BINDING = "device-binding"


class FreshFactors:
    """For one engine; shares the throttle of its `Logins`."""

    def __init__(
        self,
        store: IdentityStore,
        factors: FactorStore,
        settings: LoginSettings,
        clock: Clock,
        totp: Totp,
        throttle: Throttle,
        sessions: StoredSessions,
    ) -> None:
        self._store, self._factors, self._settings = store, factors, settings
        self._clock, self._totp, self._throttle = clock, totp, throttle
        self._sessions = sessions
        self._challenges = Challenges(store)

    def prove(self, token: str, code: str, device: DeviceProof | None) -> Principal:
        """Mark the session of `token` as proven now. Raises LoginRefused."""
        now, session = int(self._clock.now().timestamp()), hash_token(token)
        who = self._live(session)
        signer = self._challenges.check(device, now)
        account = self._store.account(who.account)
        if account is None or not self._throttle.take(f"{who.account}\n{who.device or ''}"):
            raise _refused(who, "throttled", ACCOUNT_STATE)
        if account.locked_until > now:
            raise _refused(who, "account-locked", ACCOUNT_STATE)
        own = signer is not None and signer.id == who.device and signer.bound_to(account, now)
        if needs_device(account, self._settings) and not own:
            raise _refused(who, "device-not-proven", DEVICE_BINDING)
        step = self._totp.match(account.login, account.totp_seed, code, now)
        if step is None:
            self._fail(account, now)
            raise _refused(who, "code-wrong", STEP_UP)
        proved = self._factors.prove(session, account.login, account.epoch, step, now)
        if proved is not Proved.PROVED:
            control = STEP_UP if proved is Proved.CODE_USED else ACCOUNT_STATE
            raise _refused(who, proved.value, control)
        return who

    def _live(self, session: str) -> Principal:
        try:
            return self._sessions.standing(session, held=True)
        except SessionDead as dead:
            raise LoginRefused(LoginAttempt(dead.refusal)) from None

    def _fail(self, account: Account, now: int) -> None:
        lock = now + self._settings.lock_minutes * 60
        most = self._settings.max_failures
        self._store.fail(account.login, most=most, now=now, locked_until=lock)


def _refused(who: Principal, code: str, control: str) -> LoginRefused:
    refusal = Refusal(line="login", controls=(control,), rule=None, code=code)
    return LoginRefused(
        LoginAttempt(refusal, who.account, who.person, who.role, who.unit, who.device)
    )
