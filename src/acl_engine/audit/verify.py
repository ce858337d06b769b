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

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import msgspec

from acl_engine.audit import flaws
from acl_engine.audit.checkpoint import Anchored, Trust
from acl_engine.audit.record import leaf_hash
from acl_engine.audit.report import Report, Stamp
from acl_engine.audit.survey import CLOCK_SLACK_MS, SPOKEN, WIDTH, Survey, head, times
from acl_engine.audit.walk import Sizes, Walk
from acl_engine.domain.accountability import FILED_CHARS, RETENTION, STAMPED, Stored
from acl_engine.domain.errors import InputError


class _Spoken(msgspec.Struct, gc=False):
    """Of an act that says something of other records."""

    digest: str
    evidence: tuple[int, ...] = ()


_spoken = msgspec.json.Decoder(_Spoken).decode

# `pages(start, page)`: every record from `start` on, in order, so many at a time.
Pages = Callable[[int, int], Iterable[Sequence[Stored]]]
# Surveys of stretches of WIDTH from 0 on, with what was reached at these sizes; with all hashes.
Surveys = Callable[[Sequence[int], bool], Iterator[Survey | None]]
_PAGE = 10_000


def verify(
    pages: Pages,
    checkpoints: Sequence[str],
    trust: Trust,
    elsewhere: Sequence[str] = (),
    copy: Iterable[bytes] | None = None,
    stamps: Sequence[Stamp] = (),
    surveys: Surveys | None = None,
) -> Report:
    """Check all records in order against the checkpoint notes.

    `checkpoints` are the log's own; `elsewhere` those that a witness or a copy kept; `copy` the
    leaf hashes of the copy, from record 0 on; `stamps` time stamps whose tokens were verified;
    `surveys` judge stretches elsewhere, and whatever they leave out is judged here.
    """
    walk = Walk(iter(copy or ()), {one.token: one for one in stamps})
    anchors = _anchors(walk, checkpoints, elsewhere, trust)
    due = _Due(anchors, Sizes(anchors), Sizes({one.size: one for one in stamps}))
    sizes = sorted({*anchors, *(one.size for one in stamps)})
    surveyed = surveys(sizes, copy is not None) if surveys else iter(())
    if all(_stretch(walk, one, pages, due) for one in surveyed) and all(
        _page(walk, page, due) for page in pages(walk.frontier.size, _PAGE)
    ):
        _end(walk, due.anchor.next, max(anchors, default=0))
    return Report(
        walk.frontier.size, walk.proven, walk.witnessed, walk.copied, walk.stamped, walk.erased,
        tuple(walk.findings),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Due:
    """The checkpoints of each size, and which checkpoint and stamp come next."""

    anchors: dict[int, list[Anchored]]
    anchor: Sizes[list[Anchored]]
    stamp: Sizes[Stamp]


def _anchors(
    walk: Walk, checkpoints: Sequence[str], elsewhere: Sequence[str], trust: Trust
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


def _stretch(walk: Walk, survey: Survey | None, pages: Pages, due: _Due) -> bool:
    """A stretch by its survey, or by its records where that will not do; False as `_page`."""
    if survey is None or not _fits(walk, survey):
        stretch = islice(pages(walk.frontier.size, WIDTH), 1)
        return all(_page(walk, page, due) for page in stretch)
    start = walk.frontier
    for size, reached in survey.reached.items():
        walk.frontier = start.grown(size - start.size, reached.subtrees)
        if reached.latest > walk.latest:
            walk.latest, walk.latest_index = reached.latest, reached.latest_index
        if not _arrived(walk, due):
            return False
    return True


def _fits(walk: Walk, survey: Survey) -> bool:
    """Whether a survey says all there is to say here, (2) and (4) included."""
    if survey.start != walk.frontier.size or walk.pending or walk.earliest:
        return False
    count = max(survey.reached) - survey.start
    in_time = survey.earliest >= walk.latest - CLOCK_SLACK_MS
    return in_time and _copied(walk, survey.leaves, count)


def _copied(walk: Walk, leaves: bytes, count: int) -> bool:
    """(2) for `count` records at once; False changes nothing."""
    kept = list(islice(walk.copy, count))
    joined = b"".join(kept)
    if joined != leaves[: len(joined)]:
        walk.copy = chain(kept, walk.copy)
        return False
    walk.copied += len(kept)
    return True


def _page(walk: Walk, page: Sequence[Stored], due: _Due) -> bool:
    """A page, cut where a checkpoint or a stamp is due; False where nothing after can be told."""
    at = 0
    while at < len(page):
        size = walk.frontier.size
        ends = [one.next - size for one in (due.anchor, due.stamp) if one.next is not None]
        part = page[at : at + min(ends, default=len(page))]
        at += len(part)
        if not (_sound(walk, part) or all(_record(walk, _stored(one)) for one in part)):
            return False
        if not _arrived(walk, due):
            return False
    return True


def _arrived(walk: Walk, due: _Due) -> bool:
    """(3) and (4) What is due at this size; False where nothing after can be told."""
    size = walk.frontier.size
    if size == due.anchor.next and walk.pending is None:
        if not _root(walk, due.anchors[size]):
            return False
        due.anchor.step()
    if size == due.stamp.next:
        _stamped(walk, due.stamp.now)
        due.stamp.step()
    return True


def _sound(walk: Walk, part: Sequence[Stored]) -> bool:
    """(1), (2) and (4) for records of which nothing is to be said, all at once.

    False changes nothing: something may be wrong, and they are looked at one by one.
    """
    first = walk.frontier.size
    if walk.pending or walk.earliest:
        return False
    ats = times(part, first)
    if not ats or min(ats) < walk.latest - CLOCK_SLACK_MS:
        return False
    leaves = [one[2] for one in part]
    if not _copied(walk, b"".join(leaves), len(leaves)):
        return False
    latest = max(ats)
    if latest > walk.latest:
        walk.latest, walk.latest_index = latest, first + ats.index(latest)
    walk.frontier.extend(leaves)
    return True


def _stored(row: Sequence[Any]) -> Stored:
    """A row as a record. SQLite lets a tamperer put any type there: it is to be named, not met."""
    number, body, leaf, *filed = row
    return Stored(number, _bytes(body), _bytes(leaf), *filed)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _record(walk: Walk, stored: Stored) -> bool:
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


def _content(walk: Walk, stored: Stored) -> bool:
    index = stored.number
    try:
        said = head(stored.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        walk.wrong(index, flaws.NO_RECORD.of(index=index))
        return False
    account = said.account[:FILED_CHARS] or None if said.account else None
    if (stored.request, stored.at, stored.account) != (said.request, said.at, account):
        walk.wrong(index, flaws.MISFILED.of(index=index))
    at = said.at
    if at >= walk.latest:
        walk.latest, walk.latest_index = at, index
    elif at < walk.latest - CLOCK_SLACK_MS:
        walk.wrong(index, flaws.CLOCK.of(index=index, seconds=(walk.latest - at) // 1000))
        walk.latest = at  # named once, where it happened
    if walk.earliest and at < walk.earliest - CLOCK_SLACK_MS:
        seconds = (walk.earliest - at) // 1000
        walk.wrong(index, flaws.BEFORE_STAMP.of(index=index, seconds=seconds))
        walk.earliest = 0
    if said.action in SPOKEN:
        _listen(walk, stored, said.action)
    return True


def _listen(walk: Walk, stored: Stored, action: str) -> None:
    """(4) and (5) What a mention of a time stamp, or an act of retention, says of other records."""
    said = _spoken(stored.body)
    if action == STAMPED and said.digest in walk.stamps:
        walk.earliest = max(walk.earliest, walk.stamps[said.digest].at)
    if action == RETENTION and len(said.evidence) == 2:
        walk.may_be_erased = max(walk.may_be_erased, min(said.evidence[1], stored.number))


def _emptied(walk: Walk, index: int) -> None:
    walk.erased += 1
    walk.last_erased = index
    if walk.first_erased is None:
        walk.first_erased = index


def _name_difference(walk: Walk, following: bytes | None) -> bool:
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


def _root(walk: Walk, anchors: list[Anchored]) -> bool:
    """(3) The root at a checkpoint's size."""
    size, root = walk.frontier.size, walk.frontier.root()
    if any(anchored.checkpoint.root != root for anchored in anchors):
        walk.wrong(walk.proven, flaws.ROOT.of(start=walk.proven, index=size - 1))
        return False
    walk.proven = size
    if any(anchored.witnessed for anchored in anchors):
        walk.witnessed = size
    return True


def _stamped(walk: Walk, stamp: Stamp) -> None:
    """(4) Nothing below a stamp's size may say that it is of a later time."""
    walk.stamped = stamp.size
    if walk.latest > stamp.at + CLOCK_SLACK_MS:
        index, seconds = walk.latest_index, (walk.latest - stamp.at) // 1000
        walk.wrong(index, flaws.AFTER_STAMP.of(index=index, seconds=seconds))


def _end(walk: Walk, due: int | None, most: int) -> None:
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
