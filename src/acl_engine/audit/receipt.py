"""Offline receipts (C2SP tlog-proof): that one record is in the log, for whoever has no database.

The record itself travels as the proof's extra data. It is not trusted: its hash is what the
proof is about.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from acl_engine.audit import record
from acl_engine.audit.checkpoint import Anchored, Trust
from acl_engine.audit.merkle import BAD_PROOF, Tree, verify_inclusion
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import InputError

HEADER = "c2sp.org/tlog-proof@v1"
# A record of 64 KiB, 64 hashes and a hundred signatures fit; anything larger is no receipt.
MAX_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Proven:
    """A record that was shown to stand in the log at `index`, under a trusted checkpoint."""

    index: int
    entry: AuditEntry
    anchored: Anchored


def make(tree: Tree, index: int, body: bytes, anchored: Anchored) -> str:
    """The receipt of a record below a checkpoint's size. Raises InputError."""
    path = tree.inclusion(index, anchored.checkpoint.size)
    lines = [HEADER, f"extra {_b64(body)}", f"index {index}", *map(_b64, path), ""]
    return "\n".join(lines) + "\n" + anchored.note


def check(text: str, trust: Trust) -> Proven:
    """What a receipt proves. Needs no database. Raises InputError for one that proves nothing."""
    body, index, path, note = _parse(text)
    anchored = trust.open(note)
    checkpoint = anchored.checkpoint
    verify_inclusion(record.leaf_hash(body), index, checkpoint.size, path, checkpoint.root)
    return Proven(index, record.decode(body, index), anchored)


def _parse(text: str) -> tuple[bytes, int, Sequence[bytes], str]:
    head, found, note = text.partition("\n\n")
    lines = head.split("\n")
    try:
        if len(text) > MAX_CHARS or not found or lines[0] != HEADER:
            raise ValueError
        (extra, encoded), (word, number) = lines[1].split(" "), lines[2].split(" ")
        if extra != "extra" or word != "index" or str(int(number)) != number:
            raise ValueError
        body = base64.b64decode(encoded, validate=True)
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    except (ValueError, IndexError):
        raise InputError(BAD_PROOF.of(why="not a receipt")) from None
    return body, int(number), path, note


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
