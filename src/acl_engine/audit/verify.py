"""Verify a whole log against what its owner cannot change: trusted keys, witnesses, a copy, stamps.

(1) every record: its index follows, its bytes have the stored hash, they read as a record, and it
    is filed under what it says
(2) every record against the copy kept elsewhere, where there is one
(3) the root at the size of every trusted checkpoint, of the log's own and of the copies elsewhere
(4) the times: none long before its predecessors, none later than a time stamp over it, none earlier
    than a time stamp before it
(5) an emptied record: an act of retention, itself in the log, must cover it
(6) no trusted checkpoint covers more than there is: else the end was cut off, or all rolled back
(7) what is signed, what is witnessed and what is neither are reported apart

What cannot be told: a record that was never written, and a change after the last checkpoint by
whoever may write the database. A root names the range since the checkpoint before; the stored
hash or a copy names the record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, TypeVar

import msgspec

from acl_engine.audit import flaws
from acl_engine.audit.checkpoint import Anchored, Trust
from acl_engine.audit.merkle import Frontier
from acl_engine.audit.record import leaf_hash
from acl_engine.domain.accountability import FILED_CHARS, RETENTION, Stored
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Message

T = TypeVar("T")

# Records are written in the order of their commits, a little out of the order of their clocks.
CLOCK_SLACK_MS = 60_000


class _Head(msgspec.Struct, gc=False):
    """What verification reads of a record; what else stands there is the hash's affair."""

    request: str
    at: int
    account: str | None
    action: str
    digest: str = ""
    evidence: tuple[int, ...] = ()


_head = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified time stamp: the first `size` records were there at `at` (epoch ms). Records after
    the one whose digest is `token` (hex) were written later than that."""

    size: int
    at: int
    token: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, with the first record that it concerns (None: a checkpoint)."""

    index: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Report:
    """`signed_to`, `witnessed_to` and `stamped_to` are sizes: records below are proven by such a
    checkpoint. `copied_to`: records below are equal to the copy. `erased`: so many were emptied by
    retention; their hashes are proven all the same. The rest rests on the database alone.
    """

    size: int
    signed_to: int
    witnessed_to: int
    copied_to: int
    stamped_to: int
    erased: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    copy: Iterator[bytes]
    stamps: dict[str, Stamp]
    frontier: Frontier = field(default_factory=Frontier)
    latest: int = 0
    latest_index: int = 0
    earliest: int = 0  # a time stamp that this point is known to be after
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


def verify(
    records: Iterable[Stored],
    checkpoints: Sequence[str],
    trust: Trust,
    elsewhere: Sequence[str] = (),
    copy: Iterable[bytes] = (),
    stamps: Sequence[Stamp] = (),
) -> Report:
    """Check all `records` against the checkpoint notes.

    `checkpoints` are the log's own; `elsewhere` those that a witness or a copy kept; `copy` the
    leaf hashes of the copy, from record 0 on; `stamps` time stamps whose tokens were verified.
    """
    walk = _Walk(iter(copy), {one.token: one for one in stamps})
    anchors = _anchors(walk, checkpoints, elsewhere, trust)
    due, stamp = _Sizes(anchors), _Sizes({one.size: one for one in stamps})
    for stored in records:
        if not _record(walk, stored):
            break
        size = walk.frontier.size
        if size == due.next:
            if not _root(walk, anchors[size]):
                break
            due.step()
        if size == stamp.next:
            _stamped(walk, stamp.now)
            stamp.step()
    else:
        _end(walk, due.next, max(anchors, default=0))
    return Report(
        walk.frontier.size, walk.proven, walk.witnessed, walk.copied, walk.stamped, walk.erased,
        tuple(walk.findings),
    )  # fmt: skip


class _Sizes(Generic[T]):
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


def _anchors(
    walk: _Walk, checkpoints: Sequence[str], elsewhere: Sequence[str], trust: Trust
) -> dict[int, list[Anchored]]:
    found: dict[int, list[Anchored]] = {}
    for number, note in enumerate([*checkpoints, *elsewhere]):
        try:
            anchored = trust.open(note)
        except InputError:
            walk.wrong(None, flaws.FOREIGN_KEY.of(checkpoint=number))
            continue
        found.setdefault(anchored.checkpoint.size, []).append(anchored)
    return found


def _record(walk: _Walk, stored: Stored) -> bool:
    """(1), (2), (4) and (5) for one record; False where nothing after it can be told."""
    index, body, leaf = stored.number, stored.body, stored.leaf
    if walk.pending is not None:
        return _name_difference(walk, leaf)
    if index != walk.frontier.size:
        expected = walk.frontier.size
        walk.wrong(expected, flaws.MISSING.of(index=expected))
        return False
    if body:
        if leaf_hash(body) != leaf:
            walk.wrong(index, flaws.CHANGED.of(index=index))
            return False
        if not _content(walk, stored):
            return False
    else:
        _emptied(walk, index)
    kept = next(walk.copy, None)
    if kept is not None and kept != leaf:
        walk.pending = (index, leaf)
        walk.copy = chain((kept,), walk.copy)
        return True
    walk.copied += kept is not None
    walk.frontier.append(leaf)
    return True


def _content(walk: _Walk, stored: Stored) -> bool:
    index = stored.number
    try:
        head = _head(stored.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        walk.wrong(index, flaws.NO_RECORD.of(index=index))
        return False
    account = head.account[:FILED_CHARS] or None if head.account else None
    if (stored.request, stored.at, stored.account) != (head.request, head.at, account):
        walk.wrong(index, flaws.MISFILED.of(index=index))
    at = head.at
    if at >= walk.latest:
        walk.latest, walk.latest_index = at, index
    elif at < walk.latest - CLOCK_SLACK_MS:
        walk.wrong(index, flaws.CLOCK.of(index=index, seconds=(walk.latest - at) // 1000))
        walk.latest = at  # named once, where it happened
    if walk.earliest and at < walk.earliest - CLOCK_SLACK_MS:
        seconds = (walk.earliest - at) // 1000
        walk.wrong(index, flaws.BEFORE_STAMP.of(index=index, seconds=seconds))
        walk.earliest = 0
    if head.digest in walk.stamps:
        walk.earliest = max(walk.earliest, walk.stamps[head.digest].at)
    if head.action == RETENTION and len(head.evidence) == 2:
        walk.may_be_erased = max(walk.may_be_erased, min(head.evidence[1], index))
    return True


def _emptied(walk: _Walk, index: int) -> None:
    walk.erased += 1
    walk.last_erased = index
    if walk.first_erased is None:
        walk.first_erased = index


def _name_difference(walk: _Walk, following: bytes | None) -> bool:
    """The record differs from the copy: its neighbours say what was done. Always False."""
    assert walk.pending is not None
    (index, leaf), kept = walk.pending, next(walk.copy)
    after = next(walk.copy, None)
    if following == kept:
        text = flaws.REORDERED if after == leaf else flaws.INSERTED
    else:
        text = flaws.REMOVED if after == leaf else flaws.REPLACED
    walk.pending = None
    walk.wrong(index, text.of(index=index))
    return False


def _root(walk: _Walk, anchors: list[Anchored]) -> bool:
    """(3) The root at a checkpoint's size."""
    size, root = walk.frontier.size, walk.frontier.root()
    if any(anchored.checkpoint.root != root for anchored in anchors):
        walk.wrong(walk.proven, flaws.ROOT.of(start=walk.proven, index=size - 1))
        return False
    walk.proven = size
    if any(anchored.witnessed for anchored in anchors):
        walk.witnessed = size
    return True


def _stamped(walk: _Walk, stamp: Stamp) -> None:
    """(4) Nothing below a stamp's size may say that it is of a later time."""
    walk.stamped = stamp.size
    if walk.latest > stamp.at + CLOCK_SLACK_MS:
        index, seconds = walk.latest_index, (walk.latest - stamp.at) // 1000
        walk.wrong(index, flaws.AFTER_STAMP.of(index=index, seconds=seconds))


def _end(walk: _Walk, due: int | None, most: int) -> None:
    """(5) and (6)"""
    if walk.pending is not None:
        _name_difference(walk, None)
        return
    size = walk.frontier.size
    if walk.first_erased is not None and walk.last_erased >= walk.may_be_erased:
        first = max(walk.first_erased, walk.may_be_erased)
        walk.wrong(first, flaws.ERASED.of(index=first))
    if due is not None:
        walk.wrong(size, flaws.CUT.of(index=size, size=most))
    elif next(walk.copy, None) is not None:
        walk.wrong(size, flaws.CUT.of(index=size, size=f"{size}+"))
