"""A few accounts in an empty database, and a hand for logging in with them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, update

from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.principal import Principal
from acl_engine.identity.devices import sign
from acl_engine.identity.fresh import FreshFactors
from acl_engine.identity.login import Logins
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.sessions import StoredSessions
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp, code_at
from acl_engine.storage.database import Database
from acl_engine.storage.factors import SqlFactors
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.tables import accounts, devices, persons, units

NOW = 1_772_400_000
PASSWORD = "four quiet herons wade"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORDS = Passwords.synthetic()
_HASH = PASSWORDS.hash(PASSWORD)
_WEAK_HASH = PASSWORDS.hash("yuantong2020")
TOTP = Totp(b"k" * 32)
STRICT = LoginSettings(
    second_factor="required",
    device_binding="required",
    strong_passwords=True,
    max_failures=3,
    lock_minutes=15,
    idle_minutes=30,
    absolute_hours=12,
    sessions_per_person=1,
)
LAX = replace(
    STRICT,
    second_factor="none",
    device_binding="none",
    strong_passwords=False,
    sessions_per_person=0,
)
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
    for name in ("pda-1", "pda-2", "pda-stray", "srv-1")
}


_AT = datetime.fromtimestamp(NOW, UTC)


@dataclass
class Hand:
    """Logs in as people do: asks for a challenge, signs it, types a code."""

    database: Database
    settings: LoginSettings
    at: datetime = _AT

    def __post_init__(self) -> None:
        self.store = SqlIdentityStore(self.database)
        self.throttle = Throttle(ticks=lambda: 0.0)
        self.rewire(self.settings)

    def rewire(self, settings: LoginSettings) -> None:
        self.settings = settings
        self.factors = SqlFactors(self.database)
        parts = (self.store, settings, self, PASSWORDS, TOTP)
        self.logins = Logins(*parts, self.throttle, factors=self.factors)
        self.sessions = StoredSessions(self.store, settings, self)
        beside = (self.store, self.factors, settings, self, TOTP, self.throttle, self.sessions)
        self.fresh = FreshFactors(*beside)

    def now(self) -> datetime:
        return self.at

    def later(self, **delta: int) -> None:
        self.at += timedelta(**delta)

    @property
    def epoch(self) -> int:
        return int(self.at.timestamp())

    def proof(self, device: str) -> DeviceProof:
        return sign(KEYS[device], device, self.logins.challenge(device))

    def code(self) -> str:
        return code_at(SEED, self.epoch)

    def login(
        self,
        login: str = "courier-1",
        password: str = PASSWORD,
        code: str | None = "",
        device: str | None = "pda-1",
    ) -> str:
        """A token. `code` '' is the right one of this moment."""
        return self.logins.login(
            login,
            password,
            totp=self.code() if code == "" else code,
            device=self.proof(device) if device else None,
        ).token

    def prove(self, token: str, code: str | None = None, device: str | None = "pda-1") -> Principal:
        """A second factor anew, as the person's own device does it. `code` None: that of now."""
        proof = self.proof(device) if device else None
        return self.fresh.prove(token, self.code() if code is None else code, proof)

    def change(self, table: Any, key: Any, **values: object) -> None:
        with self.database.write() as cx:
            cx.execute(update(table).where(key).values(**values))


def fill(database: Database) -> None:
    """courier-1 (pda-1), courier-2 (pda-2), svc-dial (srv-1), weak-1 with a guessable password."""
    unit = dict.fromkeys(("kind", "path", "name_zh", "name_en", "city", "district"), "x")
    people = ("p1", "p2", "p3", "owner")
    with database.write() as cx:
        cx.execute(insert(units).values(id="u1", franchise=False, **unit))
        cx.execute(
            insert(persons),
            [{"id": p, "name": p, "unit": "u1", "status": "active"} for p in people],
        )
        cx.execute(insert(accounts), [_account(*one) for one in _ACCOUNTS])
        cx.execute(insert(devices), [_device(*one) for one in _DEVICES])


_ACCOUNTS = (
    ("courier-1", "p1", "courier", _HASH, None),
    ("courier-2", "p2", "courier", _HASH, None),
    ("weak-1", "p3", "courier", _WEAK_HASH, None),
    ("svc-dial", "owner", "dial_broker", "", None),
    ("recipient-1", None, "recipient", _HASH, "c1"),
)
_DEVICES = (("pda-1", "p1"), ("pda-2", "p2"), ("pda-stray", None), ("srv-1", "svc-dial"))


def _account(
    login: str, person: str | None, role: str, password: str, customer: str | None
) -> dict[str, object]:
    seeded = bool(password) and customer is None
    return {
        "login": login,
        "person": person,
        "role": role,
        "unit": "u1",
        "customer": customer,
        "status": "active",
        "password_hash": password,
        "totp_seed": TOTP.seal(login, SEED) if seeded else None,
        "purpose": "" if password else "dial",
        "used_at": NOW,
        "certified_at": NOW,
    }


def _device(name: str, person: str | None) -> dict[str, object]:
    return {
        "id": name,
        "device_class": "app",
        "unit": "u1",
        "person": person,
        "public_key": KEYS[name].public_key().public_bytes_raw(),
        "status": "active",
        "lease_until": NOW + 86_400,
    }
