"""Decisions for applications that are given again only while nothing can have changed them.

A decision follows from the question with the credential it came with, from what is committed, from
the second that it is, and from the policy that this process was started with. While all of these
are the same, so is the answer.

INVARIANTS
- An answer is kept within the state of the database under which it was made, and for the second in
  which it was made: whatever runs out (a shift, a lease, a session, an approval, a credential) is
  counted in whole seconds, so none outlives it. A clock that is set back makes it another second.
- Only answers are kept, no refusals of a caller; and of a question no byte: its keyed digest.
- What is kept is bounded, and gone with the state.
"""

import hashlib
import secrets
from collections.abc import Callable, Hashable
from typing import Any

from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Query
from acl_engine.storage.unchanged import Kept, WhileUnchanged

# A second's questions on one core, and no more memory than a few megabytes.
MOST_ANSWERS = 16_384
_ANSWERS: Hashable = ("evaluations",)
# By digest: the answer to a question, or the person of an account behind a credential.
_Answers = tuple[int, dict[bytes, Any]]


class Evaluations:
    """`person` gives the live person of an account to whoever has this credential, or None;
    `permits` decides about them."""

    def __init__(
        self,
        unchanged: WhileUnchanged,
        clock: Clock,
        person: Callable[[str, str], Principal | None],
        permits: Callable[[Principal, Query], bool],
    ) -> None:
        self._unchanged = unchanged
        self._clock = clock
        self._person, self._permits = person, permits
        self._key = secrets.token_bytes(32)

    @property
    def look_without_wait(self) -> bool:
        """Whether `look(wait=False)` can ever do: over a SQLite file."""
        return self._unchanged.looks_without_wait

    def look(self, *, wait: bool) -> Kept | None:
        """What is kept of the state that is committed now; None where there is no telling.

        For every question that came before it was called. Raises StoreError; `wait` False: NotKept.
        """
        return self._unchanged.look(wait=wait)

    def question(self, *parts: bytes) -> bytes:
        """What a question is known by: all that it consists of, each part without a zero byte but
        the last."""
        return hashlib.blake2b(b"\0".join(parts), key=self._key, digest_size=32).digest()

    def known(self, kept: Kept, question: bytes) -> bool | None:
        """The answer that was given in this state and second; None if none was."""
        found: bool | None = self._of(kept, self._second()).get(question)
        return found

    def decide(
        self, kept: Kept | None, question: bytes, token: str, account: str, query: Query,
        *, wait: bool,
    ) -> bool:  # fmt: skip
        """The decision, from what is kept and, if `wait`, from what has to be read besides.

        Raises SessionDead for a credential that is none, StoreError; `wait` False: NotKept.
        """
        second = self._second()
        answers = {} if kept is None else self._of(kept, second)
        asker = self.question(token.encode(), account.encode())
        found: dict[bytes, Any] = {}
        with self._unchanged.using(kept, wait=wait):
            try:
                who = answers[asker]
            except KeyError:
                who = found[asker] = self._person(token, account)
            allowed = found[question] = who is not None and self._permits(who, query)
        if second == self._second():  # else some of it is of this second, some of the next
            if len(answers) >= MOST_ANSWERS:
                answers.clear()
            answers.update(found)
        return allowed

    def _of(self, kept: Kept, second: int) -> dict[bytes, Any]:
        """What is kept of this second. That of another one is forgotten."""
        found: _Answers | None = kept.get(_ANSWERS)
        if found is None or found[0] != second:
            found = kept[_ANSWERS] = (second, {})
        return found[1]

    def _second(self) -> int:
        return int(self._clock.now().timestamp())
