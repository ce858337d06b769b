"""The keys of one database, and changing the master key that they lie under.

INVARIANTS
- The master key opens the root key and the data keys; it is never stored, and nothing that is
  stored is found or proven by it. So it can change while records and log stay as they are.
- A synthetic world's keys are its seed's, known to all.
"""

import secrets
from pathlib import Path

from acl_engine.bootstrap.keys import (
    MASTER_BYTES,
    Keys,
    LocalKeyService,
    derive,
    master_of_environment,
    master_of_file,
)
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.storage import root_key
from acl_engine.storage.database import Database, is_synthetic, world_seed
from acl_engine.storage.sealing import KEY_BYTES

SYNTHETIC = Text(
    "keys.synthetic",
    "合成世界的密钥由其种子得出，人人皆知，无主密钥可换",
    "a synthetic world's keys come from its seed, known to all: it has no master key to change",
    "在真实数据库上使用",
    "use this on a database of real people",
)
SAME = Text(
    "keys.same-master",
    "`{file}` 就是现在的主密钥",
    "`{file}` is the master key as it is now",
    "用 `head -c 32 /dev/urandom` 生成新的",
    "make another with `head -c 32 /dev/urandom`",
)
_ROOT = "root"


def keys_of(database: Database, file: Path | None = None) -> Keys:
    """A synthetic world's own keys, or those under the master key of `file` or the environment.

    Raises ConfigError: no master key, an unusable one, or not the one of this database.
    """
    if is_synthetic(database):
        return Keys.synthetic(world_seed(database))
    master = master_of_file(file) if file else master_of_environment()
    return Keys.of(master, _root(database, master))


def change_master(database: Database, new: Path, *, dry_run: bool) -> int:
    """Put root and data keys under the master key of `new`, in one transaction; the number of keys.

    Whoever runs with the old one goes on with the keys that it holds, and cannot start again. With
    `dry_run` everything is opened and nothing is written. Raises ConfigError, InputError.
    """
    if is_synthetic(database):
        raise InputError(SYNTHETIC.of())
    before, after = master_of_environment(), master_of_file(new)
    if before == after:
        raise InputError(SAME.of(file=new))
    root = _root(database, before)
    old, fresh = _wrapping(before), _wrapping(after)

    def rewrap(wrapped: bytes, context: str) -> bytes:
        return fresh.wrap(old.unwrap(wrapped, context), context)

    def first(context: str) -> bytes:
        return fresh.wrap(secrets.token_bytes(KEY_BYTES), context)

    if dry_run:
        return root_key.tried(database, rewrap) + 1
    return root_key.change(database, _over_root(after).wrap(root, _ROOT), rewrap, first) + 1


def _root(database: Database, master: bytes) -> bytes:
    """The root key in clear; the master key itself where the database is older than root keys."""
    service = _over_root(master)
    fresh = service.wrap(secrets.token_bytes(MASTER_BYTES), _ROOT)
    wrapped = root_key.wrapped_root(database, fresh)
    return master if wrapped is None else service.unwrap(bytes(wrapped), _ROOT)


def _over_root(master: bytes) -> LocalKeyService:
    return LocalKeyService(derive(master, _ROOT))


def _wrapping(master: bytes) -> LocalKeyService:
    return LocalKeyService(derive(master, "wrapping"))
