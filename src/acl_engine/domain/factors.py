"""Second factors beside the login: fresh proofs, recovery codes, tries; the port to their store.

INVARIANTS
- A code and a recovery code count once, whoever races for them.
- What was typed is never stored: a digest of it is.
"""

from enum import StrEnum
from typing import Protocol


class Proved(StrEnum):
    """What became of a second factor shown inside a session."""

    PROVED = "proved"
    CODE_USED = "code-used"
    CHANGED = "changed"


class FactorStore(Protocol):
    """Every method is one transaction; StoreError on failure. Times are epoch seconds UTC."""

    def prove(self, session: str, login: str, epoch: int, step: int, now: int) -> Proved:
        """Use the code of `step` up and mark the session as proven now, no longer held."""
        ...

    def hold(self, login: str, now: int) -> int:
        """Hold the login's live sessions until each shows a second factor; how many there are."""
        ...

    def knows_recovery(self, login: str, code_hash: str) -> bool:
        """Whether this is an unused recovery code of the login."""
        ...

    def recovery_left(self, login: str) -> int:
        """How many unused recovery codes the login has."""
        ...

    def take_try(self, key_hash: str, now_ms: int, *, tries: int, refill_ms: int) -> bool:
        """One more try out of the bucket of this key, shared by every process: `tries` at once,
        then one each `refill_ms`."""
        ...
