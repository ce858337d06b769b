"""Verify a whole log against what its owner cannot change: trusted keys, witnesses, a copy.

(1) every record: its index follows, its bytes have the stored hash, they read as a record
(2) every record against the copy kept elsewhere, where there is one
(3) the root at the size of every trusted checkpoint, of the log's own and of the copies elsewhere
(4) no trusted checkpoint covers more than there is: else the end was cut off, or all rolled back
(5) what is signed, what is witnessed and what is neither are reported apart

What cannot be told: a record that was never written, and a change after the last checkpoint by
whoever may write the database. A root names the range since the checkpoint before; the stored
hash or a copy names the record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from acl_engine.audit.checkpoint import Anchored, Trust
from acl_engine.audit.merkle import Frontier
from acl_engine.audit.record import leaf_hash
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Message, Text

# Records are written in the order of their commits, a little out of the order of their clocks.
CLOCK_SLACK_MS = 60_000

MISSING = Text("audit.missing", "记录 {index} 缺失", "record {index} is missing")
CHANGED = Text(
    "audit.changed",
    "记录 {index} 的内容与其哈希不符：已被改动",
    "record {index} was changed: its bytes do not have its hash",
)
NO_RECORD = Text("audit.unreadable-record", "记录 {index} 不可读", "record {index} cannot be read")
INSERTED = Text(
    "audit.inserted",
    "记录 {index} 不在副本中：系插入",
    "record {index} was inserted: the copy has none there",
)
REORDERED = Text(
    "audit.reordered",
    "记录 {index} 被换了次序",
    "record {index} was moved: the copy has another order",
)
REMOVED = Text(
    "audit.removed",
    "记录 {index} 被删除，其后编号前移",
    "record {index} was deleted and those after it moved up",
)
REPLACED = Text(
    "audit.replaced",
    "记录 {index} 被改写（连同哈希）",
    "record {index} was rewritten together with its hash",
)
ROOT = Text(
    "audit.root",
    "记录 {start} 至 {index} 中有改动、删除、插入或换序：与已签检查点不符",
    "records {start} to {index}: changed, deleted, inserted or moved; the signed root differs",
)
CUT = Text(
    "audit.cut",
    "记录 {index} 起缺失，检查点证明曾有 {size} 条：日志被截断或回滚",
    "records from {index} are gone; a checkpoint proves {size}: cut off or rolled back",
)
FOREIGN_KEY = Text(
    "audit.foreign-key",
    "检查点 `{checkpoint}` 不是由受信密钥签署：日志可能被整体重写",
    "checkpoint `{checkpoint}` is not signed by a trusted key: the log may be rewritten",
)
CLOCK = Text(
    "audit.clock",
    "记录 {index} 的时间比之前的早 {seconds} 秒：时钟被拨回",
    "record {index} is {seconds} s earlier than those before it: the clock was set back",
)


class _Time(msgspec.Struct):
    """The one field that verification reads; what else stands there is the hash's affair."""

    at: int


_times = msgspec.json.Decoder(_Time)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, with the first record that it concerns (None: a checkpoint)."""

    index: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Report:
    """`signed_to` and `witnessed_to` are sizes: records below are proven by such a checkpoint.

    `copied_to`: records below are equal to the copy. Records from there on rest on the database
    alone.
    """

    size: int
    signed_to: int
    witnessed_to: int
    copied_to: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    copy: Iterator[bytes]
    frontier: Frontier = field(default_factory=Frontier)
    latest: int = 0
    proven: int = 0
    copied: int = 0
    witnessed: int = 0
    findings: list[Finding] = field(default_factory=list)
    pending: tuple[int, bytes] | None = None

    def wrong(self, index: int | None, message: Message) -> None:
        self.findings.append(Finding(index, message))


def verify(
    records: Iterable[tuple[int, bytes, bytes]],
    checkpoints: Sequence[str],
    trust: Trust,
    elsewhere: Sequence[str] = (),
    copy: Iterable[bytes] = (),
) -> Report:
    """Check index, bytes and leaf of all `records` against the checkpoint notes.

    `checkpoints` are the log's own; `elsewhere` those that a witness or a copy kept; `copy` the
    leaf hashes of the copy, from record 0 on.
    """
    walk = _Walk(iter(copy))
    anchors = _anchors(walk, checkpoints, elsewhere, trust)
    sizes = iter(sorted(anchors))
    due = next(sizes, None)
    while due == 0:
        due = next(sizes, None)
    for index, body, leaf in records:
        if not _record(walk, index, body, leaf):
            break
        if walk.frontier.size == due:
            if not _root(walk, anchors[due]):
                break
            due = next(sizes, None)
    else:
        _end(walk, due, max(anchors, default=0))
    return Report(
        walk.frontier.size, walk.proven, walk.witnessed, walk.copied, tuple(walk.findings)
    )


def _anchors(
    walk: _Walk, checkpoints: Sequence[str], elsewhere: Sequence[str], trust: Trust
) -> dict[int, list[Anchored]]:
    found: dict[int, list[Anchored]] = {}
    for number, note in enumerate([*checkpoints, *elsewhere]):
        try:
            anchored = trust.open(note)
        except InputError:
            walk.wrong(None, FOREIGN_KEY.of(checkpoint=number))
            continue
        found.setdefault(anchored.checkpoint.size, []).append(anchored)
    return found


def _record(walk: _Walk, index: int, body: bytes, leaf: bytes) -> bool:
    """(1) and (2) for one record; False where nothing after it can be told."""
    expected = walk.frontier.size
    if walk.pending is not None:
        return _name_difference(walk, leaf)
    if index != expected:
        walk.wrong(expected, MISSING.of(index=expected))
        return False
    if leaf_hash(body) != leaf:
        walk.wrong(index, CHANGED.of(index=index))
        return False
    try:
        at = _times.decode(body).at
    except (msgspec.DecodeError, UnicodeDecodeError):
        walk.wrong(index, NO_RECORD.of(index=index))
        return False
    if at < walk.latest - CLOCK_SLACK_MS:
        walk.wrong(index, CLOCK.of(index=index, seconds=(walk.latest - at) // 1000))
        walk.latest = at  # named once, where it happened
    walk.latest = max(walk.latest, at)
    kept = next(walk.copy, None)
    if kept is not None and kept != leaf:
        walk.pending = (index, leaf)
        walk.copy = chain((kept,), walk.copy)
        return True
    walk.copied += kept is not None
    walk.frontier.append(leaf)
    return True


def _name_difference(walk: _Walk, following: bytes | None) -> bool:
    """The record differs from the copy: its neighbours say what was done. Always False."""
    assert walk.pending is not None
    (index, leaf), kept = walk.pending, next(walk.copy)
    after = next(walk.copy, None)
    if following == kept:
        text = REORDERED if after == leaf else INSERTED
    else:
        text = REMOVED if after == leaf else REPLACED
    walk.pending = None
    walk.wrong(index, text.of(index=index))
    return False


def _root(walk: _Walk, anchors: list[Anchored]) -> bool:
    """(3) The root at a checkpoint's size."""
    size, root = walk.frontier.size, walk.frontier.root()
    if any(anchored.checkpoint.root != root for anchored in anchors):
        walk.wrong(walk.proven, ROOT.of(start=walk.proven, index=size - 1))
        return False
    walk.proven = size
    if any(anchored.witnessed for anchored in anchors):
        walk.witnessed = size
    return True


def _end(walk: _Walk, due: int | None, most: int) -> None:
    """(4) Whether there should be more."""
    if walk.pending is not None:
        _name_difference(walk, None)
        return
    size = walk.frontier.size
    if due is not None:
        walk.wrong(size, CUT.of(index=size, size=most))
    elif next(walk.copy, None) is not None:
        walk.wrong(size, CUT.of(index=size, size=f"{size}+"))
