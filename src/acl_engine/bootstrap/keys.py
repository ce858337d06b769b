"""The keys of one engine, each for one purpose, derived from a master key and a root key.

HKDF-SHA256 (RFC 5869) with a label each, so that no key serves two purposes. The master key, of a
file or the environment, wraps: it can change. The root key lies in the database, wrapped: what is
found again by (phones) or proven with (the log) hangs on it. `bootstrap.master_key` puts them
together.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text

MASTER_BYTES = 32

NO_KEY = Text(
    "keys.missing",
    "没有主密钥：环境变量 `{variable}` 未设置",
    "no master key: the variable `{variable}` is not set",
    "将它指向一个 32 字节以上、仅本服务可读的密钥文件",
    "point it to a file of at least 32 bytes that only this service can read",
)
BAD_KEY = Text(
    "keys.unusable",
    "主密钥文件不可用：{why}",
    "the master key file cannot be used: {why}",
    "用 `head -c 32 /dev/urandom` 生成，权限 600",
    "make it with `head -c 32 /dev/urandom`, mode 600",
)
TWO_KEYS = Text(
    "keys.two",
    "`{one}` 与 `{other}` 只能设置一个",
    "`{one}` and `{other}` are both set",
    "删去一个，以免用错主密钥",
    "unset one: which of them is the master key must not be a guess",
)
NOT_OURS = Text(
    "keys.other-root",
    "数据库的密钥不是由这个主密钥封装的",
    "the keys of this database were not wrapped by this master key",
    "使用建库时或上次更换后的主密钥，或从备份恢复它",
    "use the master key that the database was made with or last changed to, or restore it",
)
KEY_FILE, KEY = "ACL_MASTER_KEY_FILE", "ACL_MASTER_KEY"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """`index` finds a phone, `pseudonym` names a subject in the log, `totp` seals the seeds,
    `wrapping` wraps the data keys, `checkpoint` signs the log (an Ed25519 seed), `rotation` makes
    the seeds that follow it, `forms` the login forms, `visits` what an application that brought a
    ticket is given."""

    index: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    checkpoint: bytes = field(repr=False)
    rotation: bytes = field(repr=False)
    forms: bytes = field(repr=False)
    visits: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)

    @classmethod
    def of(cls, master: bytes, root: bytes) -> "Keys":
        """`wrapping` comes from the master key, every other from the root key."""
        labels = ("index", "pseudonym", "totp", "checkpoint", "rotation", "forms", "visits")
        own = {label: derive(root, label) for label in labels}
        return cls(**own, wrapping=derive(master, "wrapping"))

    def signing_seed(self, generation: int) -> bytes:
        """The Ed25519 seed of a generation of the log's key, from 1 on: none tells another."""
        if generation == 1:
            return self.checkpoint
        return derive(self.rotation, f"checkpoint-{generation}")

    @classmethod
    def synthetic(cls, seed: str) -> "Keys":
        """The keys of a synthetic world: known to all, so never for real people."""
        known = hashlib.sha256(f"synthetic\x1f{seed}".encode()).digest()
        return cls.of(known, known)


def master_of_environment() -> bytes:
    """The master key: the file that ACL_MASTER_KEY_FILE names, or ACL_MASTER_KEY itself in base64,
    for where a secret store hands keys over so. Not both. Raises ConfigError."""
    name, written = os.environ.get(KEY_FILE), os.environ.get(KEY)
    if name and written:
        raise ConfigError(TWO_KEYS.of(one=KEY_FILE, other=KEY))
    if written:
        return _decoded(written)
    if not name:
        raise ConfigError(NO_KEY.of(variable=KEY_FILE))
    return master_of_file(Path(name))


def master_of_file(path: Path) -> bytes:
    """The master key of a file. Raises ConfigError for one that cannot be used."""
    try:
        master, mode = path.read_bytes(), path.stat().st_mode
    except OSError as failure:
        raise ConfigError(BAD_KEY.of(why=failure.strerror or "?")) from None
    if len(master) < MASTER_BYTES:
        raise ConfigError(BAD_KEY.of(why=f"shorter than {MASTER_BYTES} bytes"))
    if mode & 0o077:
        raise ConfigError(BAD_KEY.of(why="others may read it"))
    return master


class LocalKeyService:
    """Implements `domain.keeping.KeyService` with a key in this process: AES-256-GCM."""

    def __init__(self, key: bytes, draw: Callable[[int], bytes] = os.urandom) -> None:
        """`draw` gives that many random bytes; a synthetic world gives its own, from its seed."""
        self._cipher = AESGCM(key)
        self._draw = draw

    def wrap(self, key: bytes, context: str) -> bytes:
        nonce = self._draw(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context.encode())

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, context.encode())
        except (InvalidTag, ValueError):
            raise ConfigError(NOT_OURS.of()) from None


class KeyedPseudonyms:
    """Implements `domain.ports.Pseudonyms` with HMAC-SHA256."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()


def _decoded(written: str) -> bytes:
    try:
        master = base64.b64decode(written, validate=True)
    except ValueError:
        raise ConfigError(BAD_KEY.of(why="not base64")) from None
    if len(master) < MASTER_BYTES:
        raise ConfigError(BAD_KEY.of(why=f"shorter than {MASTER_BYTES} bytes"))
    return master


def derive(secret: bytes, label: str) -> bytes:
    """The key of one purpose."""
    return HKDF(SHA256(), 32, salt=None, info=f"acl_engine/{label}/1".encode()).derive(secret)
