"""Checkpoints (C2SP tlog-checkpoint): what the log was at one size, signed; and whom to believe.

INVARIANTS
- A checkpoint is signed only after it is proven to continue the one signed before.
- The key that is believed comes from outside the log's database (`Trust`), never out of it.
- During a change of keys a checkpoint carries both signatures; either one is enough to follow.
  The old key is believed up to that checkpoint and for nothing larger, whoever holds it later.
- A checkpoint names its signature suite; one that names another, or none, is not believed.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

from acl_engine.audit.merkle import Tree, verify_consistency
from acl_engine.audit.note import (
    BAD_NOTE,
    COSIGNATURE,
    ED25519,
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
    "每行写 `log 公钥 [until 条数]`、`witness 公钥` 或 `quorum 数字`",
    "each line is `log VKEY [until SIZE]`, `witness VKEY` or `quorum NUMBER`",
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
    """Whom a verifier believes: the log's keys (old ones too), witnesses, and how many of them.

    `until`: a key that was given up, and the largest checkpoint that it is believed for.
    """

    logs: tuple[Verifier, ...]
    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 1
    until: tuple[tuple[Verifier, int], ...] = ()

    @classmethod
    def parse(cls, text: str, file: str = "trust") -> "Trust":
        """Read a trust file: `log VKEY`, `log VKEY until SIZE`, `witness VKEY`, `quorum N`; `#`
        starts a comment. Raises InputError."""
        found = cls(())
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if words:
                try:
                    found = found._with(words)
                except (ValueError, InputError):
                    raise InputError(BAD_TRUST.of(), Where(file, number)) from None
        if not found.logs:
            raise InputError(BAD_TRUST.of(), Where(file))
        return found

    def text(self) -> str:
        """The trust file that says this."""
        limits = dict(self.until)
        logs = [f"log {key}" + (f" until {limits[key]}" if key in limits else "")
                for key in self.logs]  # fmt: skip
        others = [f"witness {key}" for key in self.witnesses]
        quorum = [f"quorum {self.quorum}"] if self.quorum > 1 else []
        return "\n".join([*logs, *others, *quorum]) + "\n"

    def handed_over(self, old: Verifier, new: Verifier, size: int) -> "Trust":
        """The same with a new key, and the old one believed up to `size`."""
        logs = tuple(key for key in self.logs if key not in (old, new))
        until = tuple((key, last) for key, last in self.until if key != old)
        return replace(self, logs=(*logs, old, new), until=(*until, (old, size)))

    def _with(self, words: list[str]) -> "Trust":
        """This and what one line adds. Raises ValueError or InputError."""
        match words:
            case ["log", vkey]:
                return replace(self, logs=(*self.logs, _key(vkey, ED25519)))
            case ["log", vkey, "until", size]:
                key = _key(vkey, ED25519)
                limits = (*self.until, (key, _positive(size)))
                return replace(self, logs=(*self.logs, key), until=limits)
            case ["witness", vkey]:
                return replace(self, witnesses=(*self.witnesses, _key(vkey, COSIGNATURE)))
            case ["quorum", number]:
                return replace(self, quorum=_positive(number))
        raise ValueError

    def open(self, note: str) -> "Anchored":
        """The checkpoint of a note. Raises InputError unless a key of the log signed it."""
        opened = open_note(note, (*self.logs, *self.witnesses))
        checkpoint, limits = Checkpoint.parse(opened.text), dict(self.until)
        signed = {key for key, _ in opened.by if key in self.logs}
        if not signed:
            raise InputError(BAD_NOTE.of(why="no trusted key of the log has signed it"))
        if all(checkpoint.size > limits.get(key, checkpoint.size) for key in signed):
            raise InputError(BAD_NOTE.of(why="its key was given up before"))
        if checkpoint.origin not in {key.name for key in signed}:
            raise InputError(BAD_NOTE.of(why="it is another log's"))
        if SUITE not in checkpoint.extensions:
            raise InputError(BAD_NOTE.of(why="it names no signature suite that is known here"))
        # Keys count once a witness, whatever their number: a quorum is of parties.
        parties = {key.name for key, _ in opened.by if key in self.witnesses}
        return Anchored(checkpoint, note, len(parties) >= self.quorum, len(parties))


@dataclass(frozen=True, slots=True)
class Anchored:
    """A verified checkpoint, its note, how many witnesses have cosigned it, and whether they are
    enough."""

    checkpoint: Checkpoint
    note: str
    witnessed: bool
    cosigners: int = 0


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


def _key(vkey: str, kind: int) -> Verifier:
    key = Verifier.parse(vkey)
    if key.kind != kind:
        raise ValueError
    return key


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value
