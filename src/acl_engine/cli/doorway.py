"""Coming in from the shell as one account: the engine over a database, and a session on it.

In a synthetic world the account's own secrets are used and the clock stands at the world's now;
in a real one the credentials are asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap import Engine, Weakened
from acl_engine.bootstrap.clocks import SteppedClock, SystemClock
from acl_engine.bootstrap.master_key import keys_of
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.policies import policy_for
from acl_engine.bootstrap.world_clock import people_time
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Text
from acl_engine.identity.devices import sign
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.totp import code_at
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.company import device_key, strong_password, totp_secret
from acl_engine.storage.census import Mark, census
from acl_engine.storage.database import Database
from acl_engine.storage.identity_store import SqlIdentityStore

_STEP = 30  # seconds of one TOTP code (RFC 6238)
_KEY_BYTES = 32

NOBODY = Text(
    "lookup.no-account",
    "本世界没有可登录的账号 `{login}`",
    "this world has no account `{login}` that can log in",
    "可用：{known}",
    "known: {known}",
)
BAD_DEVICE_KEY = Text(
    "lookup.bad-device-key",
    "设备密钥文件不可用",
    "the device key file cannot be used",
    "应为 32 字节的 Ed25519 私钥，并与 --device 一起给出",
    "it holds the 32 bytes of an Ed25519 private key, and goes with --device",
)


@dataclass(frozen=True, slots=True)
class Doorway:
    """An engine that one account may come in by. `mark`: of a synthetic world; None: a real one."""

    engine: Engine
    pack: Pack
    database: Database
    mark: Mark | None
    login: str
    device: str | None
    key_file: Path | None

    @property
    def synthetic(self) -> bool:
        return self.mark is not None

    @contextmanager
    def session(self) -> Iterator[str]:
        """A token, ended afterwards. Raises AccessDenied, InputError."""
        with _session(
            self.engine, self.database, self.mark, self.login, self.device, self.key_file
        ) as token:
            yield token


@contextmanager
def doorway(
    url: str, folder: Path | None, login: str, device: str | None, key_file: Path | None
) -> Iterator[Doorway]:
    """Open the database at `url` under the policy of `folder`, or what `policy_for` finds.

    Raises StoreError, ConfigError, PolicyErrors.
    """
    with Database.open(url) as database:
        mark = census(database).mark
        synthetic = mark is not None and mark.kind == "synthetic" and mark.finished
        known = mark if synthetic else None
        pack = policy_for(database, folder)
        engine = _engine(database, pack, known, login)
        yield Doorway(engine, pack, database, known, login, device, key_file)


def _engine(database: Database, pack: Pack, mark: Mark | None, login: str) -> Engine:
    if mark is None:
        return Engine.open(
            database=database, pack=pack, clock=SystemClock(), keys=keys_of(database)
        )
    return Engine.open(
        database=database,
        pack=pack,
        clock=SteppedClock(_world_time(database, login)),
        keys=keys_of(database),
        replay=Weakened(),
    )


def _world_time(database: Database, login: str) -> datetime:
    """The world's now, or the next time at which the account's authenticator shows a new code."""
    account = SqlIdentityStore(database).account(login)
    unused = (account.totp_last_step + 1) * _STEP if account else 0
    return datetime.fromtimestamp(max(people_time(database), unused), UTC)


@contextmanager
def _session(
    engine: Engine,
    database: Database,
    mark: Mark | None,
    login: str,
    device: str | None,
    key_file: Path | None,
) -> Iterator[str]:
    if mark is None:
        token = _asked_login(engine, login, device, key_file)
    else:
        token = _worlds_login(engine, database, mark, login, device)
    try:
        yield token
    finally:
        engine.logout(token)


def _worlds_login(
    engine: Engine, database: Database, mark: Mark, login: str, device: str | None
) -> str:
    """With the secrets that the world's seed gave the account."""
    world = small_world(project_root(), mark.seed, pack=mark.pack)
    cast = {name: one for name, one in world.staff.items() if one.cast and not one.member.service}
    account = SqlIdentityStore(database).account(login)
    if login not in cast or account is None:
        raise InputError(NOBODY.of(login=login, known=", ".join(cast)))
    device = device or cast[login].member.device
    strong = strong_password(mark.seed, login)
    verified = Passwords.synthetic().verify(account.password_hash, strong)
    password = strong if verified else cast[login].member.weak
    code = code_at(totp_secret(mark.seed, login), int(_world_time(database, login).timestamp()))
    key = Ed25519PrivateKey.from_private_bytes(device_key(mark.seed, device))
    return engine.login(login, password, totp=code, device=_proof(engine, device, key))


def _asked_login(engine: Engine, login: str, device: str | None, key_file: Path | None) -> str:
    key = _device_key(device, key_file)
    password = click.prompt("password", hide_input=True, err=True)
    code = click.prompt("code", hide_input=True, default="", show_default=False, err=True)
    proof = _proof(engine, device, key) if device and key else None
    return engine.login(login, password, totp=code or None, device=proof)


def _device_key(device: str | None, key_file: Path | None) -> Ed25519PrivateKey | None:
    if (device is None) != (key_file is None):
        raise InputError(BAD_DEVICE_KEY.of())
    if key_file is None:
        return None
    try:
        raw = key_file.read_bytes()
    except OSError:
        raise InputError(BAD_DEVICE_KEY.of()) from None
    if len(raw) != _KEY_BYTES:
        raise InputError(BAD_DEVICE_KEY.of())
    return Ed25519PrivateKey.from_private_bytes(raw)


def _proof(engine: Engine, device: str, key: Ed25519PrivateKey) -> DeviceProof:
    return sign(key, device, engine.challenge(device))
