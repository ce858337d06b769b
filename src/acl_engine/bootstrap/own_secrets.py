"""How a person sets their secrets: password, authenticator, recovery codes; and a reset's start.

INVARIANTS
- No secret is chosen or learned by an administrator: the person types the password, the
  authenticator holds the seed.
- Each change goes over the desk, ends the account's sessions, and is on record before it is made.
"""

from collections.abc import Sequence

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import AccountChange, StaffAccount
from acl_engine.domain.text import Text
from acl_engine.identity.password_rules import weakness
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.recovery import digests, new_codes
from acl_engine.identity.totp import Totp

WRONG_CODE = Text(
    "administration-wrong-code",
    "动态口令不符，未登记",
    "the code does not fit: nothing was enrolled",
    "检查手机时间后重试",
    "check the phone's clock and try again",
)
NO_SECRET = Text(
    "administration-service-secret",
    "服务账号 `{login}` 没有密码，也没有动态口令",
    "the service account `{login}` has neither password nor code",
    "它凭设备密钥登录：`acl device bind`",
    "it is let in by its device's key: `acl device bind`",
)
# No password fits this: the account waits for its person to set one.
NO_PASSWORD = "!"  # noqa: S105


class OwnSecrets:
    """The acts of `acl account` that a person does for themselves, but for `reset`."""

    def __init__(self, desk: Desk, passwords: Passwords, roles: Sequence[str]) -> None:
        """`roles`: who may start a reset."""
        self._desk, self._directory = desk, desk.directory
        self._totp, self._passwords, self._roles = Totp(desk.keys.totp), passwords, roles

    def set_password(self, login: str, password: str) -> None:
        """Typed by the person themselves. Raises InputError with the reason it is refused."""
        account = self._account(login)
        if account.service:
            raise InputError(NO_SECRET.of(login=login))
        context = [login, account.unit, *login.split("-")]
        if weak := weakness(password, second_factor=account.totp, context=context):
            raise InputError(weak)
        hashed = self._passwords.hash(password)
        act = Act("account.password", (login,), login)
        self._change(act, login, AccountChange(password_hash=hashed))

    def enrol_totp(self, login: str, seed: str, code: str) -> None:
        """Enrol a seed that the person's authenticator shows the right code of."""
        if self._account(login).service:
            raise InputError(NO_SECRET.of(login=login))
        sealed = self._totp.seal(login, seed)
        step = self._totp.match(login, sealed, code, self._desk.now())
        if step is None:
            raise InputError(WRONG_CODE.of())
        act = Act("account.enrol-totp", (login,), login)
        # The code that enrols is used up: whoever saw it typed has nothing.
        self._change(act, login, AccountChange(totp_seed=sealed, totp_step=step, recovery=()))

    def recovery_codes(self, login: str, code: str) -> tuple[str, ...]:
        """A set of recovery codes, to be shown once, for whoever has the authenticator at hand; any
        older ones are void. Raises InputError."""
        account, act = self._desk.account(login), Act("account.recovery-codes", (login,), login)
        sealed = account.totp_seed if account else None
        step = self._totp.match(login, sealed, code, self._desk.now())
        if step is None:
            raise InputError(WRONG_CODE.of())
        codes = new_codes()
        self._change(act, login, AccountChange(totp_step=step, recovery=digests(login, codes)))
        return codes

    def reset(self, login: str, by: str) -> None:
        """Start a reset: password, authenticator and recovery codes are void, sessions dead. Its
        person sets them anew; `by` neither learns nor chooses one."""
        if self._account(login).service:
            raise InputError(NO_SECRET.of(login=login))
        act = Act("account.reset", (login,), by)
        self._desk.permit(act, self._roles, self._account(login).person)
        void = AccountChange(password_hash=NO_PASSWORD, totp_seed=b"", recovery=())
        self._change(act, login, void)

    def _account(self, login: str) -> StaffAccount:
        return next(one for one in self._directory.around(login).accounts if one.login == login)

    def _change(self, act: Act, login: str, change: AccountChange) -> None:
        self._desk.do(act, lambda now: self._directory.change_account(login, change, now))
