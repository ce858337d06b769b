"""Trace a leak: which accounts' looks explain a leaked list, with the odds of chance.

Inputs are the answered looks and the leaked list as digests; what in the list was never looked at
is noise. Every suspicion is held against two innocent explanations, and only what neither can
explain counts:

- *Drawn at random* from everything that was ever looked at.
- *Stolen elsewhere*: the list left through another hole (a printer, a database console) and holds
  some of the parcels of each unit and day. Whoever works there looked at many of them, and did
  nothing wrong. So the overlap is judged within each unit and day: of the leaked parcels of that
  branch on that day, did this account see more than its share of the branch's work?

Then accounts are set against each other: the best is taken, what it explains is taken out of the
list and out of the pool, and the next is judged by the rest. Colluders add to each other; a
colleague who saw the same parcels adds nothing.

INVARIANTS
- An account is named only if both kinds of chance are below `ODDS` over all accounts asked, and it
  explains records that nobody named before explains.
- Two that explain the same about equally well are shown as `tied` and neither is named.
- A list of which too little is explained gives "cannot tell".
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log10

from acl_engine.audit.chance import Draws, log10_tail
from acl_engine.audit.lookbook import Cell, LookBook

# An innocent is named at most this often by chance, over all accounts asked about one list.
ODDS = 1e-6
# A suspect must explain this share of the list, and this many records, that nobody before did.
LEAST_SHARE, LEAST_RECORDS = 0.05, 5
# The named together must explain this much; the rest of the list may be noise.
LEAST_EXPLAINED = 0.4
# Another account is as good if it explains this share of the same records, at odds (in powers of
# ten) of at least this share of the best one's.
SAME_RECORDS, SAME_ODDS = 0.8, 0.5
MOST_SUSPECTS, MOST_RANKED, MOST_WEIGHED, MOST_PAIRED = 5, 20, 200, 40
_HONEY = ("", -1)


@dataclass(frozen=True, slots=True)
class Suspect:
    """`seen` of the list these accounts looked at, `added` that nobody named before explains.

    `log10_odds`: of chance, the likelier of both kinds, over all accounts (or pairs) asked.
    `honey`: planted rows of the list that they looked at.
    """

    accounts: tuple[str, ...]
    seen: int
    added: int
    log10_odds: float
    honey: int = 0


@dataclass(frozen=True, slots=True)
class Traced:
    """`named` explain the list together, best first. `tied`: who would explain it as well as the
    first one left unnamed. `cannot_tell` says that nobody may be accused."""

    listed: int
    known: int
    explained: float
    named: tuple[Suspect, ...]
    tied: tuple[str, ...]
    ranked: tuple[Suspect, ...]
    pairs: tuple[Suspect, ...]

    @property
    def cannot_tell(self) -> bool:
        return not self.named


def trace(
    book: LookBook, leaked: Iterable[Sequence[str]], honey: frozenset[str] = frozenset()
) -> Traced:
    """Who explains `leaked`: for each leaked value the digests that it may stand for.

    A waybill number has one, a phone number one for each of its parcels. `honey`: planted digests
    that no work needs, so that a look at one weighs as one out of all that were planted.
    """
    case = _Case(book, list(leaked), honey)
    named, tied = case.cover()
    explained = set[int]().union(*(case.hits[one.accounts[0]] for one in named))
    share = len(explained) / case.listed if case.listed else 0.0
    if share < LEAST_EXPLAINED:
        named = ()
    return Traced(
        case.listed, len(case.known), share, named, tied, case.singles(), case.pairs()
    )  # fmt: skip


class _Case:
    """One leaked list against one book. A record is an int; a leaked value is its first record."""

    def __init__(self, book: LookBook, leaked: list[Sequence[str]], honey: frozenset[str]) -> None:
        self.book = book
        self.honey, self.planted = book.ids(honey), len(honey)
        self.same: dict[int, int] = {}
        noise = set[tuple[str, ...]]()
        for digests in leaked:
            if not (found := book.ids(digests)):
                noise.add(tuple(digests))
            else:
                first = min(found)
                self.same.update((one, self.same.get(first, first)) for one in found)
        self.known = set(self.same.values())
        self.listed = len(self.known) + len(noise)
        seen = self.same.keys()
        self.hits = {
            account: {self.same[one] for one in seen & mine}
            for account, mine in book.seen.items()
            if not seen.isdisjoint(mine)
        }
        self.least = max(LEAST_RECORDS, LEAST_SHARE * self.listed)

    def odds(self, seen: set[int], hits: int, left: set[int], out: set[int]) -> float:
        """log10 of chance for these looks to hold `hits` of `left`, with `out` out of the pool."""
        mine, gone = self._cells(seen), self._cells(out)
        for cell, count in self._cells(seen & out).items():
            mine[cell] -= count
        cells = [
            Draws(drawn, mine.get(cell, 0), self._pool(cell) - gone.get(cell, 0))
            for cell, drawn in self._cells(left).items()
        ]
        whole = Draws(len(left), len(seen) - len(seen & out), self.book.size - len(out))
        return max(log10_tail(hits, [whole]), log10_tail(hits, cells))

    def _cells(self, records: set[int]) -> dict[Cell, int]:
        """How many of the records lie in each unit and day. Honey rows are a cell of their own."""
        counts: dict[Cell, int] = Counter(map(self.book.cell.__getitem__, records - self.honey))
        if planted := len(records & self.honey):
            counts[_HONEY] = planted
        return counts

    def _pool(self, cell: Cell) -> int:
        return self.planted if cell == _HONEY else self.book.sizes[cell]

    def cover(self) -> tuple[tuple[Suspect, ...], tuple[str, ...]]:
        """Greedy: the account with the smallest odds on what is not explained yet, and again."""
        named: list[Suspect] = []
        left, out = set(self.known), set[int]()
        while len(named) < MOST_SUSPECTS:
            taken = {one.accounts[0] for one in named}
            scored = sorted(
                (self.odds(self.book.seen[account], len(hits & left), left, out), account)
                for account, hits in self.hits.items()
                if account not in taken and len(hits & left) >= self.least
            )
            if not scored:
                break
            odds, account = scored[0]
            mine = self.hits[account] & left
            if self._over_all(odds) > log10(ODDS):
                break
            rivals = [other for theirs, other in scored[1:] if theirs <= SAME_ODDS * odds
                      and len(self.hits[other] & mine) >= SAME_RECORDS * len(mine)]  # fmt: skip
            if rivals:
                return tuple(named), (account, *sorted(rivals))
            named.append(self._suspect((account,), self.hits[account], len(mine), odds))
            left -= mine
            out |= self.book.seen[account]
        return tuple(named), ()

    def singles(self) -> tuple[Suspect, ...]:
        """Every account by itself, the least likely to be chance first."""
        return _ranked(
            self._suspect((one,), self.hits[one], len(self.hits[one]), self._alone((one,)))
            for one in self._most_hits(MOST_WEIGHED)
        )

    def pairs(self) -> tuple[Suspect, ...]:
        """Every two accounts together of which each explains enough that the other does not."""
        scored = []
        for first, second in combinations(self._most_hits(MOST_PAIRED), 2):
            mine, theirs = self.hits[first], self.hits[second]
            both = mine | theirs
            if len(both) - max(len(mine), len(theirs)) >= self.least:
                pair = tuple(sorted((first, second)))
                scored.append(self._suspect(pair, both, len(both), self._alone(pair)))
        return _ranked(scored)

    def _most_hits(self, most: int) -> list[str]:
        return sorted(self.hits, key=lambda one: (-len(self.hits[one]), one))[:most]

    def _alone(self, accounts: tuple[str, ...]) -> float:
        seen = set[int]().union(*(self.book.seen[one] for one in accounts))
        hits = set[int]().union(*(self.hits[one] for one in accounts))
        return self.odds(seen, len(hits), self.known, set())

    def _suspect(
        self, accounts: tuple[str, ...], hits: set[int], added: int, odds: float
    ) -> Suspect:
        asked = self._over_all(odds, len(accounts))
        return Suspect(accounts, len(hits), added, asked, len(hits & self.honey))

    def _over_all(self, odds: float, together: int = 1) -> float:
        """Bonferroni: how likely it is that anyone at all comes out like this."""
        asked = max(1, len(self.book.seen))
        if together == 2:
            asked = max(1, asked * (asked - 1) // 2)
        return min(0.0, odds + log10(asked))


def _ranked(scored: Iterable[Suspect]) -> tuple[Suspect, ...]:
    order = sorted(scored, key=lambda one: (one.log10_odds, -one.seen, one.accounts))
    return tuple(order[:MOST_RANKED])
