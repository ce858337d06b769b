"""Administering accounts and devices: each act is on record before it is done.

INVARIANTS
- The audit record is durable before the change; when the change fails, a second record says so.
- No secret is chosen or learned by an administrator: the person types the password, the
  authenticator holds the seed.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from acl_engine.audit import record
from acl_engine.bootstrap.clocks import SystemClock
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import Device
from acl_engine.domain.errors import AclError, InputError
from acl_engine.domain.ports import Clock
from acl_engine.domain.staff import (
    AccountChange,
    DeviceChange,
    Person,
    Staff,
    StaffAccount,
    StaffDirectory,
)
from acl_engine.domain.text import Message, Text
from acl_engine.identity.password_rules import weakness
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.responsibility import findings, refusal_of_grant
from acl_engine.identity.totp import Totp
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database, is_synthetic, world_seed
from acl_engine.storage.staff import SqlStaffDirectory

UNKNOWN_ACCOUNT = Text(
    "administration-no-account",
    "没有账号 `{login}`",
    "no account `{login}`",
    "检查写法",
    "check the spelling",
)
WRONG_CODE = Text(
    "administration-wrong-code",
    "动态口令不符，未登记",
    "the code does not fit: nothing was enrolled",
    "检查手机时间后重试",
    "check the phone's clock and try again",
)
DEVICE_TAKEN = Text(
    "administration-second-device",
    "人员 `{person}` 已绑定 {device_class} 设备 `{device}`",
    "person `{person}` is bound to the {device_class} device `{device}`",
    "先撤销旧设备",
    "revoke that one first",
)
# No password fits this: the account waits for its person to set one.
_NO_PASSWORD = "!"  # noqa: S105


class Administration:
    """The acts of `acl account` and `acl device` over one database. `by` is who acts."""

    def __init__(
        self,
        directory: StaffDirectory,
        audit: Callable[[AuditEntry], object],
        clock: Clock,
        keys: Keys,
        passwords: Passwords,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._audit = audit
        self._clock = clock
        self._pseudonyms = KeyedPseudonyms(keys.pseudonym)
        self._totp = Totp(keys.totp)
        self._passwords = passwords
        self._close = close

    @classmethod
    def open(cls, url: str) -> "Administration":
        """Open a database. Its keys are the environment's, or a synthetic world's own."""
        database = Database.open(url)
        synthetic = is_synthetic(database)
        keys = Keys.synthetic(world_seed(database)) if synthetic else Keys.from_environment()
        passwords = Passwords.synthetic() if synthetic else Passwords.production()
        audit = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        directory = SqlStaffDirectory(database)
        return cls(directory, audit.append, SystemClock(), keys, passwords, database.close)

    def __enter__(self) -> "Administration":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    # --- reading -------------------------------------------------------------------------------

    def staff(self) -> Staff:
        return self._directory.staff()

    def audit(self) -> list[Message]:
        """Everything in the directory that breaks a rule."""
        return list(findings(self.staff()))

    def account(self, login: str) -> StaffAccount:
        for one in self.staff().accounts:
            if one.login == login:
                return one
        raise InputError(UNKNOWN_ACCOUNT.of(login=login))

    # --- accounts ------------------------------------------------------------------------------

    def hire(self, person: Person, by: str) -> None:
        self._do("person.hire", person.id, by, lambda now: self._directory.add_person(person))

    def create(self, login: str, person: str, role: str, unit: str, by: str) -> None:
        """An account without a password: its person sets one. Raises InputError for a grant that
        the separation of duties forbids."""
        self._grantable(person, role, by)
        new = StaffAccount(login, person, role, unit, "active", False, False, False, 0)
        self._do(
            "account.create",
            login,
            by,
            lambda now: self._directory.add_account(new, _NO_PASSWORD),
        )

    def move(self, login: str, role: str | None, unit: str | None, by: str) -> None:
        """Another role or unit: the old rights end at once."""
        account = self.account(login)
        self._grantable(account.person or "", role or account.role, by, login)
        self._change("account.move", login, AccountChange(role=role, unit=unit), by)

    def suspend(self, login: str, by: str) -> None:
        self._change("account.suspend", login, AccountChange(status="suspended"), by)

    def resume(self, login: str, by: str) -> None:
        account = self.account(login)
        self._grantable(account.person or "", account.role, by, login)
        self._change("account.resume", login, AccountChange(status="active"), by)

    def leave(self, person: str, by: str) -> None:
        """The person has left: all accounts, sessions and devices with them."""
        self._do("person.leave", person, by, lambda now: self._directory.leave(person, now))

    def set_password(self, login: str, password: str) -> None:
        """Typed by the person themselves. Raises InputError with the reason it is refused."""
        account = self.account(login)
        context = [login, account.unit, *login.split("-")]
        if weak := weakness(password, second_factor=account.totp, context=context):
            raise InputError(weak)
        hashed = self._passwords.hash(password)
        self._change("account.password", login, AccountChange(password_hash=hashed), login)

    def enrol_totp(self, login: str, seed: str, code: str) -> None:
        """Enrol a seed that the person's authenticator shows the right code of."""
        sealed = self._totp.seal(login, seed)
        if self._totp.match(login, sealed, code, self._now()) is None:
            raise InputError(WRONG_CODE.of())
        self._change("account.enrol-totp", login, AccountChange(totp_seed=sealed), login)

    # --- devices -------------------------------------------------------------------------------

    def enrol(self, device: Device, by: str) -> None:
        self._do("device.enrol", device.id, by, lambda now: self._directory.add_device(device))

    def bind(self, device: str, person: str, by: str) -> None:
        """Bind to a person who holds no other active device of the class; lease it next."""
        tools = {one.id: one for one in self.staff().devices}
        wanted = tools.get(device)
        for one in tools.values():
            same = wanted is not None and one.device_class == wanted.device_class
            if same and one.id != device and one.person == person and one.status == "active":
                params = {"person": person, "device": one.id, "device_class": one.device_class}
                raise InputError(DEVICE_TAKEN.of(**params))
        self._change_device("device.bind", device, DeviceChange(person=person, lease_until=0), by)

    def lease(self, device: str, until: int, by: str) -> None:
        """Lease until a time (epoch seconds); no session on the device outlives it."""
        self._change_device("device.lease", device, DeviceChange(lease_until=until), by)

    def revoke(self, device: str, status: str, by: str) -> None:
        """`status` lost or revoked: the key is dead, and so are its holder's sessions."""
        self._change_device("device.revoke", device, DeviceChange(status=status), by)

    # --- inside --------------------------------------------------------------------------------

    def _grantable(self, person: str, role: str, by: str, login: str | None = None) -> None:
        if refusal := refusal_of_grant(self.staff(), person, role, by, login):
            raise InputError(refusal)

    def _change(self, action: str, login: str, change: AccountChange, by: str) -> None:
        self.account(login)
        self._do(action, login, by, lambda now: self._directory.change_account(login, change, now))

    def _change_device(self, action: str, device: str, change: DeviceChange, by: str) -> None:
        self._do(action, device, by, lambda now: self._directory.change_device(device, change, now))

    def _do(self, action: str, subject: str, by: str, act: Callable[[int], None]) -> None:
        now, request = self._now(), secrets.token_hex(8)
        kind = action.partition(".")[0]
        entry = AuditEntry(
            kind="event",
            request=request,
            at=now * 1000,
            action=action,
            resource=kind,
            account=by,
            person=None,
            role=None,
            unit=None,
            device=None,
            session=None,
            effect="allow",
            line="login",
            subjects=(self._pseudonyms.digest(kind, subject),),
            count=1,
        )
        self._audit(entry)
        try:
            act(now)
        except AclError as error:
            self._audit(replace(entry, effect="error", reason=error.message.code))
            raise

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
