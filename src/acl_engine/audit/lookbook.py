"""Who looked at what, and where and when each record was first looked at: what tracing reads."""

from collections.abc import Iterable, Iterator

import msgspec

from acl_engine.audit.looks import UNREADABLE
from acl_engine.domain.errors import StoreError

DAY_MS = 86_400_000
# A unit and a day: the work that a record was first looked at in.
Cell = tuple[str, int]
# Account, unit, day and digests of one answered look.
Looked = tuple[str, str, int, tuple[str, ...]]


class _Answer(msgspec.Struct, gc=False):
    """What tracing reads of a record. `at` in epoch milliseconds."""

    kind: str
    at: int
    account: str | None
    unit: str | None
    effect: str
    subjects: tuple[str, ...] = ()
    count: int = 0


_answer = msgspec.json.Decoder(_Answer).decode


def looked(records: Iterable[tuple[int, bytes]], since: int, until: int) -> Iterator[Looked]:
    """The answered looks with `since` <= at < `until` (epoch ms) among records (index, bytes), in
    order. Raises StoreError naming a record that cannot be read."""
    names: dict[str, str] = {}  # one string for each name: they are many times fewer than looks
    for index, body in records:
        try:
            one = _answer(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StoreError(UNREADABLE.of(index=index)) from None
        answered = one.kind == "outcome" and one.effect == "allow" and one.count > 0
        if answered and one.account is not None and since <= one.at < until:
            account, unit = one.account, one.unit or ""
            account, unit = names.setdefault(account, account), names.setdefault(unit, unit)
            yield account, unit, one.at // DAY_MS, one.subjects


class LookBook:
    """The answered looks of a span. Records are interned: an int for each digest."""

    def __init__(self) -> None:
        self.seen: dict[str, set[int]] = {}  # account -> records
        self.cell: list[Cell] = []  # by record
        self.sizes: dict[Cell, int] = {}  # how many records a cell has
        self._ids: dict[str, int] = {}

    @property
    def size(self) -> int:
        """How many different records were ever looked at."""
        return len(self.cell)

    def add(self, account: str, unit: str, day: int, subjects: Iterable[str]) -> None:
        mine, ids = self.seen.get(account), self._ids
        if mine is None:
            mine = self.seen[account] = set()
        for subject in subjects:
            record = ids.get(subject)
            if record is None:
                record = ids[subject] = len(self.cell)
                cell = (unit, day)
                self.cell.append(cell)
                self.sizes[cell] = self.sizes.get(cell, 0) + 1
            mine.add(record)

    def ids(self, digests: Iterable[str]) -> frozenset[int]:
        """The records of these digests that anybody looked at."""
        return frozenset(self._ids[one] for one in digests if one in self._ids)
