"""Connections kept at hand between transactions.

To take one from SQLAlchemy's pool, set it up, reset it and give it back takes longer than to find a
row by its key.

INVARIANTS
- One thread has a connection at a time; what is kept is in no transaction.
- What an error came through, what was lost, and what was set otherwise meanwhile is not kept.
- Where one was lost, so are the others: none that was made before is used again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

# What 64 callers at once have use for. A file costs two descriptors each; a server has a hundred
# connections by default, for all processes together.
MOST_READING = {"sqlite": 32, "postgresql": 16}
MOST_WRITING = 2


class AtHand:
    """The connections of one database. Thread-safe."""

    def __init__(self, make: Callable[[bool], Connection], most_reading: int) -> None:
        """`make`: a new one, set up to write or only to read."""
        self._make, self._most = make, {True: MOST_WRITING, False: most_reading}
        self._kept = _none()

    @contextmanager
    def one(self, write: bool) -> Iterator[Connection]:
        """A connection for one transaction."""
        kept = self._kept
        try:
            cx = kept[write].pop()
        except IndexError:
            cx = self._make(write)
        before = cx.get_execution_options()
        try:
            yield cx
        except BaseException as error:
            cx.close()
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                self.forget()
            raise
        same = kept is self._kept and cx.get_execution_options() is before
        if (
            same
            and len(kept[write]) < self._most[write]
            and not (cx.in_transaction() or cx.invalidated)
        ):
            kept[write].append(cx)
            if kept is not self._kept:  # forgotten in this very moment
                _close(kept)
        else:
            cx.close()

    def forget(self) -> None:
        """Keep none of those that are there; what is in use is closed when it is given back."""
        before, self._kept = self._kept, _none()
        _close(before)


def _none() -> dict[bool, list[Connection]]:
    return {True: [], False: []}


def _close(kept: dict[bool, list[Connection]]) -> None:
    for those in kept.values():
        with suppress(IndexError):
            while True:
                those.pop().close()
