"""Enrolling an authenticator on a page: an administrator starts it, the person does the rest.

    (1) start     an administrator's act: a code for the person, good once, for minutes
    (2) begin     the code, the password if there is one, the bound device: a seed is offered
    (3) confirm   a code of that seed: password, seed and recovery codes are set in one transaction

INVARIANTS
- Whoever starts it learns neither seed nor password, and cannot go on alone where a login asks for
  a bound device: that is another administrator's to give.
- Nothing is stored of an offer: the page brings the seed back, sealed for this enrolment alone.
- Unknown, used, run out, wrong password, wrong device: the same refusal; why stands in the log.
- What is set goes over the desk: on record first, and the account's epoch rises.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

from acl_engine.bootstrap.administration import GONE
from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.bootstrap.own_secrets import NO_PASSWORD, NO_SECRET, WRONG_CODE
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import ADAPTER, LEGACY, Account, DeviceProof, IdentityStore
from acl_engine.domain.enrolments import Enrolment, EnrolmentStore
from acl_engine.domain.errors import AccessDenied, InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.staff import AccountChange
from acl_engine.domain.text import Text
from acl_engine.identity.devices import Challenges
from acl_engine.identity.enrolment import digest_of
from acl_engine.identity.login import DEVICE_BINDING, SECOND_FACTOR
from acl_engine.identity.password_rules import weakness
from acl_engine.identity.passwords import Busy, HashPool, Passwords
from acl_engine.identity.recovery import digests, new_code, new_codes
from acl_engine.identity.sessions import ACCOUNT_STATE, needs_device
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp
from acl_engine.storage.database import Database
from acl_engine.storage.enrolments import SqlEnrolments
from acl_engine.storage.factors import SqlFactors
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.staff_devices import NO_ACCOUNT

START, ENROL = "account.start-enrolment", "account.enrol-totp"
DIFFERENT = Text(
    "enrolling.passwords-differ",
    "两次输入的密码不同",
    "the two passwords are not the same",
    "重新输入",
    "type it twice again",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A seed for the person's authenticator. `sealed` is what `confirm` wants back; `chooses`: no
    password is set yet, so one is chosen with it."""

    login: str
    seed: str = field(repr=False)
    sealed: str = field(repr=False)
    chooses: bool


@dataclass(frozen=True, slots=True)
class Enrolling:
    """For one service or one command. Thread-safe."""

    desk: Desk
    store: IdentityStore
    enrolments: EnrolmentStore
    settings: LoginSettings
    passwords: Passwords
    throttle: Throttle
    pool: HashPool = field(default_factory=HashPool)

    @classmethod
    def over(
        cls, database: Database, desk: Desk, settings: LoginSettings, passwords: Passwords
    ) -> "Enrolling":
        """Over an open database and the desk on it."""
        throttle = Throttle(shared=SqlFactors(database), clock=desk.clock)
        store, enrolments = SqlIdentityStore(database), SqlEnrolments(database)
        return cls(desk, store, enrolments, settings, passwords, throttle)

    @classmethod
    @contextmanager
    def open(cls, url: str, pack: Pack) -> Iterator["Enrolling"]:
        """Over a database of its own, under a pack's rules. Raises StoreError, ConfigError."""
        with Database.open(url) as database:
            desk = Desk.open(url, pack)
            try:
                yield cls.over(database, desk, pack.settings.login, Passwords.production())
            finally:
                desk.close()

    # --- the administrator ---------------------------------------------------------------------

    def start(self, login: str, by: str, minutes: int) -> str:
        """The code for the person of `login`, good for so many minutes. A `login` has one at a
        time. Raises InputError, ChangeRefused."""
        account = self.desk.account(login)
        if account is None:
            raise InputError(NO_ACCOUNT.of(name=login))
        if account.service:
            raise InputError(NO_SECRET.of(login=login))
        act = Act(START, (login,), by)
        self.desk.permit(act, self.desk.rules.settings.administrators, account.person)
        if account.status == "left":
            self.desk.refuse(act, GONE.of(login=login))
        code = new_code()
        digest = digest_of(code) or ""

        def put(now: int) -> None:
            self.enrolments.put(Enrolment(login, digest, account.epoch, now + minutes * 60), now)

        self.desk.do(act, put)
        return code

    # --- the person ----------------------------------------------------------------------------

    def begin(self, code: str, password: str, device: DeviceProof | None) -> Offer:
        """A new seed for whoever shows all that is asked for. Raises AccessDenied."""
        now = self.desk.now()
        found, account = self._standing(code, now)
        signer = Challenges(self.store).check(device, now)
        own = signer is not None and signer.device_class not in (LEGACY, ADAPTER)
        if needs_device(account, self.settings) and not (
            own and signer is not None and signer.bound_to(account, now)
        ):
            self._refuse("device-not-proven", account, DEVICE_BINDING)
        chooses = account.password_hash == NO_PASSWORD
        if not chooses and not self._verified(account, password):
            self._fail(account, now)
            self._refuse("password-wrong", account, ACCOUNT_STATE)
        totp = Totp(self.desk.keys.totp)
        seed = totp.new_seed()
        offered = totp.offer(account.login, found.token_hash, seed)
        return Offer(account.login, seed, offered, chooses)

    def offered(self, code: str, sealed: str) -> Offer:
        """The same offer once more, after a slip of the person's. Raises AccessDenied."""
        found, account = self._standing(code, self.desk.now())
        return self._opened(found, account, sealed)

    def confirm(
        self, code: str, sealed: str, totp_code: str, passwords: tuple[str, str]
    ) -> tuple[str, ...]:
        """Set what was offered, once the authenticator shows the right code, and give the recovery
        codes, which are shown this once. `passwords`: the new one, typed twice, of whoever chooses.

        Raises AccessDenied; InputError for a slip, which leaves the enrolment open.
        """
        now, totp = self.desk.now(), Totp(self.desk.keys.totp)
        found, account = self._standing(code, now)
        offer = self._opened(found, account, sealed)
        seed = totp.seal(account.login, offer.seed)
        step = totp.match(account.login, seed, totp_code, now)
        if step is None:
            raise InputError(WRONG_CODE.of())
        codes = new_codes()
        change = AccountChange(
            password_hash=self._chosen(account, passwords) if offer.chooses else None,
            totp_seed=seed,
            totp_step=step,
            recovery=digests(account.login, codes),
            enrolment=found.token_hash,
            if_epoch=found.epoch,
        )
        self._set(account, change)
        return codes

    # --- inside --------------------------------------------------------------------------------

    def _opened(self, found: Enrolment, account: Account, sealed: str) -> Offer:
        seed = Totp(self.desk.keys.totp).offered(account.login, found.token_hash, sealed)
        if seed is None:
            self._refuse("enrolment-not-offered", account)
        return Offer(account.login, seed, sealed, account.password_hash == NO_PASSWORD)

    def _set(self, account: Account, change: AccountChange) -> None:
        login = account.login
        if change.password_hash is not None:
            self.desk.note(Act("account.password", (login,), login))
        self.desk.note(Act("account.recovery-codes", (login,), login))
        act, directory = Act(ENROL, (login,), login), self.desk.directory
        try:
            self.desk.do(act, lambda now: directory.change_account(login, change, now))
        except InputError:  # used by somebody else, or the account changed, a moment ago
            self._refuse("enrolment-used", account)

    def _standing(self, code: str, now: int) -> tuple[Enrolment, Account]:
        digest = digest_of(code)
        if digest is None:
            self._refuse("enrolment-unknown", None)
        found = self.enrolments.find(digest, now)
        account = self.desk.account(found.login) if found else None
        # A code that nobody was given is not guessed: a bucket for each would only fill the table.
        if found is not None and not self.throttle.take(f"enrolment\n{digest}"):
            self._refuse("throttled", None)
        if found is None or account is None:
            self._refuse("enrolment-unknown", None)
        if account.epoch != found.epoch or account.status == "left" or account.service:
            self._refuse("account-changed", account, ACCOUNT_STATE)
        if account.locked_until > now:
            self._refuse("account-locked", account, ACCOUNT_STATE)
        return found, account

    def _verified(self, account: Account, password: str) -> bool:
        try:
            with self.pool.slot():
                return self.passwords.verify(account.password_hash, password)
        except Busy:
            self._refuse("busy", account, ACCOUNT_STATE)

    def _chosen(self, account: Account, passwords: tuple[str, str]) -> str:
        one, other = passwords
        if one != other:
            raise InputError(DIFFERENT.of())
        context = [account.login, account.unit, *account.login.split("-")]
        if weak := weakness(one, second_factor=True, context=context):
            raise InputError(weak)
        try:
            with self.pool.slot():
                return self.passwords.hash(one)
        except Busy:
            self._refuse("busy", account, ACCOUNT_STATE)

    def _fail(self, account: Account, now: int) -> None:
        """A wrong password here locks as one at the login: it is guessed behind code and device."""
        lock, most = now + self.settings.lock_minutes * 60, self.settings.max_failures
        self.store.fail(account.login, most=most, now=now, locked_until=lock)

    def _refuse(self, reason: str, account: Account | None, *controls: str) -> NoReturn:
        request = new_request_id()
        entry = AuditEntry(
            kind="event",
            request=request,
            at=self.desk.now() * 1000,
            action=ENROL,
            resource="account",
            account=account.login if account else None,
            person=account.owner if account else None,
            role=account.role if account else None,
            unit=account.unit if account else None,
            effect="deny",
            line="login",
        )
        self.desk.audit(replace(entry, controls=controls or (SECOND_FACTOR,), reason=reason))
        raise AccessDenied(request)
