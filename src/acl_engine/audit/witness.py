"""A witness: an independent party that cosigns only a log which continues what it saw before.

It may sit on another machine: the log writes a request (the body of an add-checkpoint call of
C2SP tlog-witness: the size that the witness saw last, the consistency proof, the checkpoint), the
witness answers with its signature line, and the log adds the line to its note.

It keeps the last checkpoint of each log, so that a log rolled back or rewritten, with whatever
key, does not get its signature. Run it on another machine, under another administrator.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acl_engine.audit.checkpoint import Checkpoint, Trust
from acl_engine.audit.merkle import verify_consistency
from acl_engine.audit.note import BAD_NOTE, Signer
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

# A consistency proof has at most 63 hashes (C2SP tlog-witness).
MOST_HASHES = 63

BAD_REQUEST = Text(
    "witness.bad-request",
    "见证请求不可读",
    "the request to the witness cannot be read",
    "用 `acl audit witness request` 重新生成",
    "make it again with `acl audit witness request`",
)
OTHER_OLD = Text(
    "witness.other-old",
    "见证方上次见到 {seen} 条，请求却从 {old} 条起",
    "the witness saw {seen} records last; the request begins at {old}",
    "用 `acl audit witness request --old {seen}` 重新生成",
    "make it again with `acl audit witness request --old {seen}`",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a witness is asked: the size that it saw last, the proof from there, the note."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> "Request":
        """Raises InputError for anything that is no such request."""
        head, found, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        try:
            word, number = first.split(" ")
            proof = tuple(base64.b64decode(line, validate=True) for line in lines)
            good = found and word == "old" and str(int(number)) == number and int(number) >= 0
        except ValueError:
            good = False
        if not good or len(proof) > MOST_HASHES or any(len(one) != 32 for one in proof):
            raise InputError(BAD_REQUEST.of())
        return cls(int(number), proof, note)


@dataclass(slots=True)
class Witness:
    """`signer` has the COSIGNATURE type; `keep` makes the new checkpoint durable before signing."""

    signer: Signer
    trust: Trust
    keep: Callable[[str], None]
    last: Checkpoint | None = None

    def cosign(self, note: str, proof: Sequence[bytes], now: int) -> str:
        """The note with this witness's line. `now` in epoch seconds. Raises InputError.

        `proof` is the consistency proof from the checkpoint that this witness saw last.
        """
        new = self.trust.open(note).checkpoint
        if self.last is not None:
            if self.last.origin != new.origin:
                raise InputError(BAD_NOTE.of(why="it is another log's"))
            verify_consistency(self.last.size, self.last.root, new.size, new.root, proof)
        signed = cosigned(note, self.signer.line(new.text(), now))
        self.keep(signed)
        self.last = new
        return signed

    def answer(self, request: Request, now: int) -> str:
        """The signature line for a request that came from elsewhere. Raises InputError."""
        seen = self.last.size if self.last else 0
        if request.old != seen:
            raise InputError(OTHER_OLD.of(seen=seen, old=request.old))
        signed = self.cosign(request.note, request.proof, now)
        return signed[len(request.note) :]


def cosigned(note: str, line: str) -> str:
    """The note with a witness's line. Raises InputError for a line that is none."""
    if not (line.startswith("\u2014 ") and line.endswith("\n") and line.count("\n") == 1):
        raise InputError(BAD_NOTE.of(why="the witness's line"))
    return note + line
