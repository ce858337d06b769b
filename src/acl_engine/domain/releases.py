"""Releases: copies of many records that leave at once, each registered with whom it went to.

INVARIANTS
- A copy is registered, with its marks, before it leaves.
- Every copy has an end: a published one is taken down, an exported one destroyed by its recipient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from acl_engine.domain.tracing import PlantedMark
from acl_engine.domain.view import View


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a release. Times are epoch seconds.

    `recipient` is a short name ('' for the public), `case` the approval that was used up, `request`
    its records in the log, `digest` that of its rows. `marks` counts the made-up rows in it.
    """

    id: str
    kind: Literal["export", "publish"]
    resource: str
    selection: str
    purpose: str
    recipient: str
    account: str
    case: str
    request: str
    rows: int
    marks: int
    digest: str
    released_at: int
    expires_at: int
    ended_at: int | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A copy and its rows, on their way out."""

    copy: Copy
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """What a release gave: one copy a recipient."""

    request_id: str
    copies: tuple[Made, ...]


class Releases(Protocol):
    """The register of copies."""

    def add(self, copies: Sequence[Copy], marks: Sequence[PlantedMark]) -> None:
        """Register copies and plant their marks, all or none."""
        ...

    def planted(self, digest: str) -> bool:
        """Whether a made-up row of an earlier copy has this digest."""
        ...

    def live(self, kind: str | None = None) -> tuple[Copy, ...]:
        """The copies that have not ended, the first to expire first."""
        ...

    def of(self, ids: Sequence[str]) -> tuple[Copy, ...]:
        """The copies with these ids."""
        ...

    def end(self, copy: str, by: str, now: int) -> bool:
        """It is taken down or destroyed. False: it had ended before, or there is none."""
        ...
