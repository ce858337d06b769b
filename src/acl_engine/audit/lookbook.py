"""Who looked at what, and where and when each record was first looked at: what tracing reads."""

from collections.abc import Iterable

from acl_engine.audit.looks import Look

DAY_MS = 86_400_000
# A unit and a day: the work that a record was first looked at in.
Cell = tuple[str, int]


class LookBook:
    """The answered looks of a span. Records are interned: an int for each digest."""

    def __init__(self) -> None:
        self.seen: dict[str, set[int]] = {}  # account -> records
        self.cell: list[Cell] = []  # by record
        self.sizes: dict[Cell, int] = {}  # how many records a cell has
        self._ids: dict[str, int] = {}

    @classmethod
    def of(cls, looks: Iterable[Look], since: int = 0, until: int = 2**62) -> "LookBook":
        """The answered looks with `since` <= at < `until` (epoch ms)."""
        book = cls()
        for look in looks:
            if look.answered and look.account is not None and since <= look.at < until:
                book.add(look.account, look.unit or "", look.at // DAY_MS, look.subjects)
        return book

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
