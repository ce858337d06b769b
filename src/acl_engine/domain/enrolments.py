"""Leave to enrol: what an administrator starts, and its person ends on a page; the port to it.

INVARIANTS
- One a login at a time: a new one takes the place of an older.
- It counts once, whoever races for it: the change that it allows uses it up in its own transaction
  (`AccountChange.enrolment`).
- It is dead with its account's epoch, as whatever else was given to the account.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`token_hash`: of the code that its person was handed. Times are epoch seconds UTC."""

    login: str
    token_hash: str
    epoch: int
    expires_at: int


class EnrolmentStore(Protocol):
    """Every method is one transaction; StoreError on failure."""

    def put(self, new: Enrolment, now: int) -> None:
        """In place of the login's older one; those that have run out go."""
        ...

    def find(self, token_hash: str, now: int) -> Enrolment | None:
        """The one of this code, while it has not run out, and the account is as it was."""
        ...
