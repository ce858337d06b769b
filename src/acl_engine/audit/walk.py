"""The state of one verification on its way through a log."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from acl_engine.audit.merkle import Frontier
from acl_engine.audit.report import Finding, Stamp
from acl_engine.domain.text import Message

T = TypeVar("T")


@dataclass(slots=True)
class Walk:
    """`copy` gives the copy's leaf hashes in step. `earliest`: this point is known to be later than
    that time stamp. `may_be_erased`: acts of retention so far cover the records below."""

    copy: Iterator[bytes]
    stamps: dict[str, Stamp]
    frontier: Frontier = field(default_factory=Frontier)
    latest: int = 0
    latest_index: int = 0
    earliest: int = 0
    proven: int = 0
    copied: int = 0
    witnessed: int = 0
    stamped: int = 0
    erased: int = 0
    first_erased: int | None = None
    last_erased: int = -1
    may_be_erased: int = 0
    findings: list[Finding] = field(default_factory=list)
    pending: tuple[int, bytes] | None = None

    def wrong(self, index: int | None, message: Message) -> None:
        self.findings.append(Finding(index, message))


class Sizes(Generic[T]):
    """Things that are due at sizes, in order; the size 0 is due before there is anything."""

    def __init__(self, things: dict[int, T]) -> None:
        self._things = things
        self._sizes = iter(sorted(size for size in things if size))
        self.next = next(self._sizes, None)

    @property
    def now(self) -> T:
        assert self.next is not None
        return self._things[self.next]

    def step(self) -> None:
        self.next = next(self._sizes, None)
