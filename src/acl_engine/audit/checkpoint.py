"""Checkpoints (C2SP tlog-checkpoint): what the log was at one size, signed; and whom to believe.

INVARIANTS
- A checkpoint is signed only after it is proven to continue the one signed before.
- The key that is believed comes from outside the log's database (`Trust`), never out of it.
- During a change of keys a checkpoint carries both signatures; either one is enough to follow.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from acl_engine.audit.merkle import Tree, verify_consistency
from acl_engine.audit.note import (
    BAD_NOTE,
    COSIGNATURE,
    ED25519,
    Opened,
    Signer,
    Verifier,
    open_note,
    sign,
)
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text

# Named in every checkpoint, so that a later suite cannot be mistaken for this one.
SUITE = "suite ed25519-sha256-rfc6962"

BAD_TRUST = Text(
    "audit.bad-trust",
    "信任文件此行不可读",
    "this line of the trust file cannot be read",
    "每行写 `log 公钥`、`witness 公钥` 或 `quorum 数字`",
    "each line is `log VKEY`, `witness VKEY` or `quorum NUMBER`",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had `size` records and this root (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = (SUITE,)

    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return "\n".join((self.origin, str(self.size), root, *self.extensions)) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Raises InputError for anything that is no checkpoint in its one form."""
        lines = text.split("\n")
        try:
            origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        except (ValueError, IndexError):
            raise InputError(BAD_NOTE.of(why="not a checkpoint")) from None
        found = cls(origin, size, root, tuple(lines[3:-1]))
        whole = origin and size >= 0 and len(root) == 32 and all(found.extensions)
        if not whole or found.text() != text:
            raise InputError(BAD_NOTE.of(why="not a checkpoint"))
        return found


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a verifier believes: the log's keys (old ones too), witnesses, and how many of them."""

    logs: tuple[Verifier, ...]
    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 1

    @classmethod
    def parse(cls, text: str, file: str = "trust") -> "Trust":
        """Read a trust file: `log VKEY`, `witness VKEY`, `quorum N`; `#` starts a comment."""
        logs: list[Verifier] = []
        witnesses: list[Verifier] = []
        quorum = 1
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            try:
                word, value = words
                key = Verifier.parse(value) if word != "quorum" else None
                if word == "quorum":
                    quorum = _positive(value)
                elif word == "log" and key and key.kind == ED25519:
                    logs.append(key)
                elif word == "witness" and key and key.kind == COSIGNATURE:
                    witnesses.append(key)
                else:
                    raise ValueError
            except (ValueError, InputError):
                raise InputError(BAD_TRUST.of(), Where(file, number)) from None
        if not logs:
            raise InputError(BAD_TRUST.of(), Where(file))
        return cls(tuple(logs), tuple(witnesses), quorum)

    def open(self, note: str) -> "Anchored":
        """The checkpoint of a note. Raises InputError unless a key of the log signed it."""
        opened = open_note(note, (*self.logs, *self.witnesses))
        if not any(key in self.logs for key, _ in opened.by):
            raise InputError(BAD_NOTE.of(why="no trusted key of the log has signed it"))
        checkpoint = Checkpoint.parse(opened.text)
        if checkpoint.origin not in {key.name for key, _ in opened.by if key in self.logs}:
            raise InputError(BAD_NOTE.of(why="it is another log's"))
        return Anchored(checkpoint, note, self._witnessed(opened))

    def _witnessed(self, opened: Opened) -> bool:
        # Keys count once a witness, whatever their number: a quorum is of parties.
        names = {key.name for key, _ in opened.by if key in self.witnesses}
        return len(names) >= self.quorum


@dataclass(frozen=True, slots=True)
class Anchored:
    """A verified checkpoint, its note, and whether enough witnesses have cosigned it."""

    checkpoint: Checkpoint
    note: str
    witnessed: bool


def next_checkpoint(
    tree: Tree, size: int, last: Checkpoint | None, signers: Sequence[Signer]
) -> str:
    """The signed note over the first `size` records. Raises InputError unless it continues `last`.

    The first signer's name is the origin; during a change of keys both have the same name.
    """
    found = Checkpoint(signers[0].name, size, tree.root(size))
    if last is not None:
        if last.size > size:
            raise InputError(BAD_NOTE.of(why="the log became shorter"))
        path = tree.consistency(last.size, size)
        verify_consistency(last.size, last.root, size, found.root, path)
    return sign(found.text(), signers)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value
