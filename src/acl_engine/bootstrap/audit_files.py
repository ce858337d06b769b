"""The files that the audit log is worked with: trust files, signing keys, receipts."""

from pathlib import Path

from acl_engine.audit import receipt
from acl_engine.audit.checkpoint import Trust
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text

SEED_BYTES = 32

BAD_SEED = Text(
    "audit.bad-seed",
    "签名密钥文件须为 32 字节",
    "a signing key file must hold 32 bytes",
    "用 `head -c 32 /dev/urandom` 生成，权限 600",
    "make it with `head -c 32 /dev/urandom`, mode 600",
)
NO_FILE = Text(
    "audit.no-file",
    "文件 `{file}` 不可读",
    "the file `{file}` cannot be read",
    "检查路径与权限",
    "check the path and its permissions",
)


def read_trust(file: Path) -> Trust:
    """A trust file. Raises InputError (what it says) or ConfigError (that it cannot be read)."""
    return Trust.parse(read_text(file), str(file))


def check_receipt(file: Path, trust: Path) -> receipt.Proven:
    """What a receipt proves to the holder of a trust file. Opens no database."""
    return receipt.check(read_text(file), read_trust(trust))


def read_bytes(file: Path) -> bytes:
    """A file whole. Raises ConfigError."""
    try:
        return file.read_bytes()
    except OSError:
        raise ConfigError(NO_FILE.of(file=file.name)) from None


def read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(NO_FILE.of(file=file.name)) from None


def read_seed(file: Path) -> bytes:
    """A signing key file. Raises ConfigError."""
    try:
        seed = file.read_bytes()
    except OSError:
        raise ConfigError(NO_FILE.of(file=file.name)) from None
    if len(seed) != SEED_BYTES:
        raise ConfigError(BAD_SEED.of())
    return seed
