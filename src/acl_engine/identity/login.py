"""Login: password, one-time code and device proof to a session token, or one same refusal.

    (1) throttle   before any hash: a flood costs a dictionary entry, not 19 MiB; without a device's
                   answer before the database as well, with one after its signature was read
    (2) device     the signature is checked, then the challenge's nonce is used up
    (3) password   one hash, also for a login that does not exist
    (4) code       its step is found, not yet used
    (5) judge      every control that says no is named; none is skipped because another said no
    (6) open       one transaction: account unchanged, code unused, no other live session

INVARIANTS
- Unknown, wrong, locked, suspended: the same exception, the same text, one hash and one commit.
- Failures lock only what they could have opened: where a bound device is required, tries without
  one cannot lock the person out.
- A code is used up only by a login that succeeds; a recovery code stands for the code alone.
"""

from dataclasses import dataclass

from acl_engine.domain.accounts import (
    Account,
    Device,
    DeviceProof,
    IdentityStore,
    LoginAttempt,
    LoginOutcome,
    NewSession,
    Opened,
)
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import LoginRefused
from acl_engine.domain.factors import FactorStore
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.ports import Clock
from acl_engine.identity import old_scanners
from acl_engine.identity.devices import Challenges
from acl_engine.identity.password_rules import weakness
from acl_engine.identity.passwords import Busy, HashPool, Passwords
from acl_engine.identity.recovery import digest_of
from acl_engine.identity.sessions import (
    ACCOUNT_STATE,
    hash_token,
    needs_device,
    new_token,
    principal_of,
)
from acl_engine.identity.standing import CONTROL as ACCOUNT_STANDING
from acl_engine.identity.standing import NOTHING_ASKED, Rules
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp

SECOND_FACTOR = "second-factor"
DEVICE_BINDING = "device-binding"
STRONG_PASSWORDS = "strong-passwords"
ONE_SESSION = "one-session"

_OPENED = {
    Opened.CODE_USED: ("code-used", SECOND_FACTOR),
    Opened.OTHER_SESSION: ("other-session", ONE_SESSION),
    Opened.CHANGED: ("account-changed", ACCOUNT_STATE),
}


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the attempt showed. `bound`: by a device that is this account's; `recovery`: the digest
    of a recovery code that is unused."""

    account: Account | None
    device: Device | None
    bound: bool
    password: bool
    weak: bool
    step: int | None
    recovery: str | None = None


class Logins:
    """The login of one engine. `settings` say which factors and bindings the pack asks for."""

    def __init__(
        self,
        store: IdentityStore,
        settings: LoginSettings,
        clock: Clock,
        passwords: Passwords,
        totp: Totp,
        throttle: Throttle | None = None,
        rules: Rules = NOTHING_ASKED,
        factors: FactorStore | None = None,
    ) -> None:
        """`factors` None: there are no recovery codes."""
        self._factors = factors
        self._store = store
        self._settings = settings
        self._clock = clock
        self._passwords = passwords
        self._totp = totp
        self._throttle = throttle or Throttle()
        self._rules = rules
        self._challenges = Challenges(store)
        self._proven, self._strangers = HashPool(), HashPool()

    def challenge(self, device: str) -> str:
        """A nonce for `devices.sign`; good once, for two minutes."""
        return self._challenges.issue(device, self._now())

    def adopt_challenge(self, nonce: str, device: str) -> None:
        """See `Challenges.adopt`."""
        self._challenges.adopt(nonce, device, self._now())

    def login(
        self,
        login: str,
        password: str,
        *,
        totp: str | None = None,
        device: DeviceProof | None = None,
        replaces: str | None = None,
        token: str | None = None,
    ) -> LoginOutcome:
        """A live session. Raises LoginRefused, whose `attempt` is for the audit record alone.

        `replaces`: the id of the session in the same browser, which ends. `token`: the session's
        token instead of a new one; replay's, see `CentralSettings.new_session`.
        """
        now = self._now()
        if device is None:
            self._try(f"{login}\n", None, None)
        account = self._store.account(login)
        signer = self._challenges.check(device, now)
        bound = bool(account and signer and self._bound(account, signer, now))
        if device is not None:
            own = signer.id if signer and bound else ""
            self._try(f"{login}\n{own}", account, signer)
        evidence = self._examine(account, signer, bound, (login, password, totp), now)
        code, controls = self._judge(evidence, now)
        if code or account is None:
            counted = bound or account is None or not needs_device(account, self._settings)
            self._fail(login, counted, now)
            raise self._refused(account, signer, code, controls)
        return self._open(account, evidence, password, now, (replaces, token))

    def _try(self, key: str, account: Account | None, signer: Device | None) -> None:
        if not self._throttle.take(key):
            raise self._refused(account, signer, "throttled", (ACCOUNT_STATE,))

    def _bound(self, account: Account, device: Device, now: int) -> bool:
        old = old_scanners.refusal(self._store, account, device, self._settings, now)
        return not old and device.bound_to(account, now)

    def _examine(
        self,
        account: Account | None,
        signer: Device | None,
        bound: bool,
        typed: tuple[str, str, str | None],
        now: int,
    ) -> _Evidence:
        login, password, totp = typed
        stored = account.password_hash if account else None
        try:
            with (self._proven if bound else self._strangers).slot():
                right = self._passwords.verify(stored, password)
        except Busy:
            raise self._refused(account, signer, "busy", (ACCOUNT_STATE,)) from None
        if account is not None and account.service:
            right = True  # it has no password: what `_judge` asks of it is its device's key
        weak = weakness(password, second_factor=self._second_factor(account), context=(login,))
        step = self._totp.match(login, account.totp_seed if account else None, totp, now)
        recovery = digest_of(login, totp)
        if recovery and not (self._factors and self._factors.knows_recovery(login, recovery)):
            recovery = None
        return _Evidence(account, signer, bound, right, weak is not None, step, recovery)

    def _judge(self, evidence: _Evidence, now: int) -> tuple[str, tuple[str, ...]]:
        """The first reason and every control that refuses; ('', ()) when none does."""
        account = evidence.account
        if account is None:
            return "unknown-login", ()
        found: list[tuple[str, str]] = []
        if not account.active:
            found.append(("account-not-active", ACCOUNT_STATE))
        found.extend((lapse, ACCOUNT_STANDING) for lapse in self._rules.lapses(account, now))
        if account.locked_until > now:
            found.append(("account-locked", ACCOUNT_STATE))
        if needs_device(account, self._settings) and not evidence.bound:
            found.append(("device-not-proven", DEVICE_BINDING))
        shown = evidence.step is not None or evidence.recovery is not None
        if self._second_factor(account) and not shown:
            found.append(("code-wrong", SECOND_FACTOR))
        if self._settings.strong_passwords and evidence.weak and not account.service:
            found.append(("password-weak", STRONG_PASSWORDS))
        if not evidence.password:
            # A weak guess is wrong because no password here may be weak.
            weak = evidence.weak and self._settings.strong_passwords
            first = (STRONG_PASSWORDS,) if weak else ()
            controls = (*first, *(control for _, control in found))
            return "password-wrong", tuple(dict.fromkeys(controls))
        return (found[0][0], tuple(dict.fromkeys(c for _, c in found))) if found else ("", ())

    def _open(
        self,
        account: Account,
        evidence: _Evidence,
        password: str,
        now: int,
        browser: tuple[str | None, str | None],
    ) -> LoginOutcome:
        if not account.service and self._passwords.outdated(account.password_hash):
            self._store.rehash(account.login, account.password_hash, self._passwords.hash(password))
        token, settings = browser[1] or new_token(), self._settings
        device, asked = evidence.device, self._second_factor(account)
        new = NewSession(
            token_hash=hash_token(token),
            account=account,
            device=device.id if device else None,
            totp_step=evidence.step if asked else None,
            recovery=evidence.recovery if asked else None,
            proven_at=0 if evidence.step is None else now,
            limit=0 if account.service else settings.sessions_per_person,
            now=now,
            idle_since=now - settings.idle_minutes * 60,
            expires_at=now + settings.absolute_hours * 3600,
            replaces=browser[0],
        )
        opened = self._store.open_session(new)
        if opened is not Opened.OPENED:
            code, control = _OPENED[opened]
            raise self._refused(account, device, code, (control,))
        who = principal_of(account, new.token_hash, device, new.device)
        return LoginOutcome(token, who, recovery=new.recovery is not None)

    def _second_factor(self, account: Account | None) -> bool:
        """Whether a code is asked for: never of a service; of a customer, when one is enrolled."""
        if account is None:
            return True
        if account.service or self._settings.second_factor == "none":
            return False
        return account.customer is None or account.totp_seed is not None

    def _fail(self, login: str, counted: bool, now: int) -> None:
        lock = now + self._settings.lock_minutes * 60
        most = self._settings.max_failures if counted else 0
        self._store.fail(login, most=most, now=now, locked_until=lock)

    def _refused(
        self, account: Account | None, device: Device | None, code: str, controls: tuple[str, ...]
    ) -> LoginRefused:
        refusal = Refusal(line="login", controls=controls, rule=None, code=code)
        return LoginRefused(
            LoginAttempt(
                refusal=refusal,
                account=account.login if account else None,
                person=account.owner if account else None,
                role=account.role if account else None,
                unit=account.unit if account else None,
                device=device.id if device else None,
            )
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
