"""How personal payloads are kept: sealed record by record, under keys that can be destroyed.

Three levels: a root that a key service holds and never gives out, data keys that it wraps (one
generation after another), and one key a record, wrapped by a data key. What is destroyed at one
level makes everything beneath it unreadable, wherever a copy lies.
"""

from dataclasses import dataclass, field
from typing import Protocol


class KeyService(Protocol):
    """Holds the root key: a key file or the environment now, a KMS behind the same two calls.

    `context` is bound to what is wrapped: it opens under the same context alone.
    """

    def wrap(self, key: bytes, context: str) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Raises ConfigError when it was not wrapped by this root, or under another context."""
        ...


@dataclass(frozen=True, slots=True)
class RecordKey:
    """The key of one stored payload, wrapped. `store` is the table, `row` the row's id in it,
    `generation` the data key that wraps it, `suite` the cipher of payload and wrapping."""

    store: str
    row: str
    generation: int
    suite: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Generation:
    """One data key: how many record keys it wraps now, and when it was made (epoch seconds)."""

    number: int
    made_at: int
    records: int
