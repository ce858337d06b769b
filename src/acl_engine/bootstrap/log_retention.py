"""Retention of the log: old records are emptied, their hashes stay, and the log says so.

INVARIANTS
- Looks are kept three years by default and never under six months: PIPL article 56 (records of
  handling, three years) and Cybersecurity Law article 21 (logs, six months).
- While a hold is open nothing is emptied.
- Only what a trusted checkpoint covers is emptied, and an act of retention is on record first.
- Proofs and verification go on to hold: what a record was is gone, that it stood there is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from acl_engine.audit.checkpoint import Trust
from acl_engine.audit.looks import looks
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.domain.accountability import RETENTION
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

DAY_MS = 86_400_000
KEEP_DAYS, KEEP_DAYS_LEAST = 3 * 365, 183

TOO_SHORT = Text(
    "retention.too-short",
    "日志至少保留 {least} 天，不能只留 {days} 天",
    "the log is kept {least} days at least, not {days}",
    "默认保留三年",
    "the default is three years",
)


@dataclass(frozen=True, slots=True)
class Due:
    """Records from `start` to `end` (excluded) are older than is kept; `uncovered` more would be,
    but no trusted checkpoint covers them."""

    start: int
    end: int
    uncovered: int

    @property
    def count(self) -> int:
        return max(0, self.end - self.start)


def due(desk: Accountability, trust: Trust, keep_days: int = KEEP_DAYS) -> Due:
    """What is older than `keep_days`. Changes nothing. Raises InputError under six months."""
    if keep_days < KEEP_DAYS_LEAST:
        raise InputError(TOO_SHORT.of(least=KEEP_DAYS_LEAST, days=keep_days))
    cutoff = desk.millis() - keep_days * DAY_MS
    old, start, latest = (
        desk.store.first_since(cutoff),
        desk.store.first_whole(),
        desk.latest(trust),
    )
    end = max(start, min(old, latest.checkpoint.size if latest else 0))
    for index, _, look in looks(desk.store.bodies(start)):
        # What the record itself says counts, not the column that the search went by.
        if index >= end or look.at >= cutoff:
            end = min(end, index)
            break
    return Due(start, end, max(0, old - end))


def carry_out(desk: Accountability, trust: Trust, keep_days: int, by: str) -> Iterator[int]:
    """Empty what is due, a batch at a time; yields how many are done. Raises InputError under a
    hold. It may be stopped and started again."""
    found = due(desk, trust, keep_days)
    desk.proofs.refuse_while_held()
    if not found.count:
        return
    desk.write_down(RETENTION, by, evidence=(found.start, found.end))
    yield from desk.store.empty(found.end)
