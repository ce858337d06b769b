"""Accounts, devices and sessions as the identity room reads them, and the port to their store.

INVARIANTS
- A token is known to its holder alone: the store sees its hash.
- `epoch` rises with every change that takes a right away; a session of an older epoch is dead.
- No repr shows a secret.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from acl_engine.domain.control import Refusal
from acl_engine.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A text that staff sign (保密承诺书): its version, and the SHA-256 of its bytes (hex)."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account's being in force hangs on, besides its status. Epoch seconds UTC; 0: never.

    `used_at` is the last login, or when the account was made or resumed. `ends_at` None: open.
    """

    signed: Undertaking | None = None
    trained_at: int = 0
    certified_at: int = 0
    used_at: int = 0
    starts_at: int = 0
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One account with the standing of its person (`person_status` None: there is no person).

    An empty `password_hash` marks a service account: it is let in by its device's key alone.
    Times are epoch seconds UTC.
    """

    login: str
    person: str | None
    person_status: str | None
    role: str
    unit: str
    tenant: str | None
    customer: str | None
    status: str
    password_hash: str = field(repr=False)
    totp_seed: bytes | None = field(repr=False)  # sealed; see identity/totp.py
    totp_last_step: int
    epoch: int
    locked_until: int
    standing: Standing = Standing()

    @property
    def service(self) -> bool:
        return not self.password_hash

    @property
    def outside(self) -> bool:
        """A customer or a merchant: no person of the company stands behind it."""
        return self.tenant is not None or self.customer is not None

    @property
    def owner(self) -> str:
        """Whom devices and sessions are counted for: the person, or an unowned account itself."""
        return self.person if self.person is not None else f"account:{self.login}"

    @property
    def active(self) -> bool:
        return self.status == "active" and self.person_status in (None, "active")


# Classes with rules of their own: an old scanner that holds no key, and what signs for it.
LEGACY, ADAPTER = "legacy_scanner", "adapter"
# A person has one scanner, of whichever of these classes.
SCANNERS = ("app", LEGACY)


@dataclass(frozen=True, slots=True)
class Device:
    """`public_key` is a raw Ed25519 key; None: an old scanner that cannot hold one, for which the
    device `adapter` signs."""

    id: str
    device_class: str
    unit: str
    person: str | None
    public_key: bytes | None
    status: str
    lease_until: int
    adapter: str | None = None

    def bound_to(self, account: Account, now: int) -> bool:
        """Active, bound to this account's person (of a service: to its login), and leased."""
        return (
            self.status == "active"
            and self.person is not None
            and self.person == (account.login if account.service else account.person)
            and self.lease_until > now
        )


@dataclass(frozen=True, slots=True)
class DeviceProof:
    """A device's answer to a challenge: its Ed25519 signature over `identity.devices.message`."""

    device: str
    nonce: str
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session with the account and the device as they are now."""

    token_hash: str
    account: Account
    device: Device | None
    device_id: str | None
    epoch: int
    seen_at: int
    expires_at: int
    ended_at: int | None
    held_at: int = 0  # 0: not held; see `domain.factors`
    proven_at: int = 0


@dataclass(frozen=True, slots=True)
class NewSession:
    """What must hold at the insert, in one transaction: see `IdentityStore.open_session`.

    `totp_step` None: no code to use up. `limit` 0: any number of sessions. `idle_since`: a session
    not seen since then is over. `replaces`: the session that this login ends, as it comes from the
    same browser; None: none. `recovery`: the digest of a recovery code to use up. `proven_at`: when
    a one-time code was shown (0: none was).
    """

    token_hash: str
    account: Account
    device: str | None
    totp_step: int | None
    limit: int
    now: int
    idle_since: int
    expires_at: int
    replaces: str | None = None
    recovery: str | None = None
    proven_at: int = 0


class Opened(StrEnum):
    """What became of a `NewSession`."""

    OPENED = "opened"
    CODE_USED = "code-used"
    OTHER_SESSION = "other-session"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What the audit record may hold of a refused login. A login that does not exist is not kept:
    people type passwords into the wrong box."""

    refusal: Refusal
    account: str | None = None
    person: str | None = None
    role: str | None = None
    unit: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """A login that succeeded. Write it down before the token leaves; on failure end the session.
    `recovery`: by a recovery code, which is used up."""

    token: str = field(repr=False)
    principal: Principal
    recovery: bool = False


class IdentityStore(Protocol):
    """The store behind login and sessions. Every method is one transaction; StoreError on failure.

    Each must be right with several processes racing on it.
    """

    def account(self, login: str) -> Account | None: ...

    def device(self, device: str) -> Device | None: ...

    def put_challenge(self, nonce: str, device: str, now: int, expires_at: int) -> None:
        """Keep a nonce for its device until it is taken or expires."""
        ...

    def take_challenge(self, nonce: str, device: str, now: int) -> bool:
        """Whether the nonce was this device's and still open. True at most once."""
        ...

    def fail(self, login: str, *, most: int, now: int, locked_until: int) -> None:
        """Count a failure (`most` 0: only take the time); lock at `most`. Costs the same for a
        login that does not exist."""
        ...

    def open_session(self, new: NewSession) -> Opened:
        """Insert, if the account is still as read, the code is newer than any used, and no other
        session of the account's owner lives. One on the same device is ended instead."""
        ...

    def session(self, token_hash: str) -> SessionState | None: ...

    def live_session(self, login: str, now: int) -> str | None:
        """The id of the login's session seen last that has not ended; judge it before use."""
        ...

    def touch(self, token_hash: str, now: int) -> None: ...

    def end_session(self, token_hash: str, now: int) -> None: ...

    def rehash(self, login: str, old: str, new: str) -> None:
        """Replace a password hash that is still `old`."""
        ...
