"""A witness's folder: its key (`key`) and what it saw (`checkpoints.txt`). No database is needed.

INVARIANT: what the witness signs is durable in its folder before the signature leaves.
"""

import os
import secrets
from pathlib import Path

from acl_engine.audit.checkpoint import Trust
from acl_engine.audit.copy import LogCopy
from acl_engine.audit.note import COSIGNATURE, Signer
from acl_engine.audit.witness import Request, Witness
from acl_engine.bootstrap.audit_files import SEED_BYTES, read_seed, read_text
from acl_engine.bootstrap.clocks import millis
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.text import Text

BAD_NAME = Text(
    "witness.bad-name",
    "见证方以目录名为名，`{name}` 不可用",
    "a witness is called after its folder, and `{name}` is no name for one",
    "使用类似 witness.example.org 的名称，不含空格与加号",
    "use something like witness.example.org, without spaces and plus signs",
)
HAS_KEY = Text(
    "witness.has-key",
    "目录中已有密钥",
    "the folder has a key already",
    "见证方的密钥不得覆盖；另建一个目录",
    "a witness's key is never overwritten: make another folder",
)
UNUSABLE = Text(
    "witness.unusable",
    "见证目录不可用：{why}",
    "the witness's folder cannot be used: {why}",
    "检查目录与权限",
    "check the folder and its permissions",
)


def found_witness(folder: Path) -> str:
    """Make a witness: its folder and key. Its public key, for a trust file. Raises AclError."""
    name = folder.resolve().name
    if not name or any(sign in name for sign in "+ \t\n"):
        raise InputError(BAD_NAME.of(name=name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SEED_BYTES))
    except FileExistsError:
        raise InputError(HAS_KEY.of()) from None
    except OSError as failure:
        raise ConfigError(UNUSABLE.of(why=failure.strerror or "?")) from None
    return witness_key(folder)


def witness_key(folder: Path) -> str:
    """The public key of the witness in a folder, for a trust file."""
    return str(_signer(folder).verifier)


def witness_in(folder: Path, trust: Trust) -> Witness:
    """The witness in a folder, with what it saw last. `trust` has the keys of the log."""
    memory = LogCopy(folder)
    seen = memory.checkpoints()
    last = trust.open(seen[-1]).checkpoint if seen else None
    return Witness(_signer(folder), trust, lambda note: memory.keep((note,)), last)


def answer(folder: Path, request: Path, trust: Trust) -> str:
    """The signature line of the witness in a folder for a request. Raises InputError."""
    asked = Request.parse(read_text(request))
    return witness_in(folder, trust).answer(asked, millis() // 1000)


def _signer(folder: Path) -> Signer:
    return Signer(folder.resolve().name, read_seed(folder / "key"), COSIGNATURE)
