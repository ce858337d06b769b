"""A witness: an independent party that cosigns only a log which continues what it saw before.

It keeps the last checkpoint of each log, so that a log rolled back or rewritten, with whatever
key, does not get its signature. Run it on another machine, under another administrator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acl_engine.audit.checkpoint import Checkpoint, Trust
from acl_engine.audit.merkle import verify_consistency
from acl_engine.audit.note import BAD_NOTE, Signer
from acl_engine.domain.errors import InputError


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
        cosigned = note + self.signer.line(new.text(), now)
        self.keep(cosigned)
        self.last = new
        return cosigned
