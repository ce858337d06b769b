"""A stretch of the log judged by itself, so that several processes verify one log together.

What joins stretches (clocks, roots, checkpoints, a copy) is `verify`'s affair.

INVARIANT: a stretch of which anything at all is to be said gives no survey; `verify` reads its
records itself, and its report is the same as without surveys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

import msgspec

from acl_engine.audit.merkle import Frontier
from acl_engine.audit.record import leaf_hashes
from acl_engine.domain.accountability import RETENTION, STAMPED, Stored

# Records of a stretch: a complete subtree, and enough work to be worth a message.
WIDTH = 1 << 14
# Records are written in the order of their commits, a little out of the order of their clocks.
CLOCK_SLACK_MS = 60_000
# Records that verification itself learns from.
SPOKEN = frozenset({RETENTION, STAMPED})


class Head(msgspec.Struct, gc=False):
    """What verification reads of a record; what else stands there is the hash's affair."""

    request: str
    at: int
    account: str | None
    action: str


class Reached(NamedTuple):
    """A stretch up to some size: the roots of its complete subtrees, and its latest time (epoch
    ms) with the index that has it."""

    subtrees: tuple[bytes, ...]
    latest: int
    latest_index: int


@dataclass(frozen=True, slots=True)
class Survey:
    """`reached` by size, in order: those that were asked for, and the end. `earliest`: no record
    says an earlier time (epoch ms). `leaves`: all hashes, where they were asked for."""

    start: int
    earliest: int
    reached: dict[int, Reached]
    leaves: bytes


head = msgspec.json.Decoder(Head).decode
_action = attrgetter("action")


def survey(
    records: Sequence[Stored], start: int, sizes: Sequence[int], *, leaves: bool = False
) -> Survey | None:
    """The survey of the records from `start` on, a multiple of their number or the log's end."""
    ats = times(records, start)
    if not ats:
        return None
    hashes, end = [one[2] for one in records], start + len(records)
    frontier, reached = Frontier(), dict[int, Reached]()
    for size in sorted({*(one for one in sizes if start < one < end), end}):
        frontier.extend(hashes[frontier.size : size - start])
        latest = max(ats[: size - start])
        reached[size] = Reached(frontier.subtrees, latest, start + ats.index(latest))
    return Survey(start, min(ats), reached, b"".join(hashes) if leaves else b"")


def times(records: Sequence[Stored], first: int) -> tuple[int, ...] | None:
    """The times of records of which nothing is to be said, all at once; None: something may be.

    Their indexes follow, their bytes have their hashes and read as records filed under what they
    say, no clock goes back, and none speaks of other records.
    """
    if not records:
        return None
    numbers, bodies, leaves, requests, ats, accounts = zip(*records, strict=True)
    if numbers != tuple(range(first, first + len(records))) or {*map(type, bodies)} != {bytes}:
        return None
    if leaf_hashes(bodies) != [*leaves]:
        return None
    try:
        heads = [head(body) for body in bodies]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    filed = (
        [one.request for one in heads],
        [one.at for one in heads],
        [one.account for one in heads],
    )
    if filed != ([*requests], [*ats], [*accounts]):
        return None
    if not SPOKEN.isdisjoint(map(_action, heads)):
        return None
    jitter = zip(ats, accumulate(ats, max), strict=True) if [*ats] != sorted(ats) else ()
    return None if any(at < high - CLOCK_SLACK_MS for at, high in jitter) else ats
