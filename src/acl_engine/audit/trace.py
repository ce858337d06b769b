"""Trace a leak: which accounts' looks explain a leaked list, with the odds of chance.

Inputs are the answered looks (account, subject digest) and the leaked list as digests; what in the
list was never looked at is noise. Two questions are asked of every account:

- *More than chance?* Had the list been drawn at random from everything ever looked at, how likely
  is an overlap this large: the hypergeometric tail, times the number of accounts asked
  (Bonferroni). Computed in logarithms; the bound of Chernoff and Hoeffding, so never too small.
- *Does it explain it better than others?* How many leaked records it alone saw among the
  suspects, once the better suspects are taken out (greedy cover): colluders add to each other, a
  colleague who saw the same parcels in the course of work adds nothing.

INVARIANTS
- An account is named only if chance is below `ODDS` and it explains records that no other
  account named before it explains; two that explain the same equally well are both shown as
  `tied` and nobody is named.
- A list that too little of is explained gives "cannot tell".
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# An innocent is named at most this often by chance, over all accounts asked about one list.
ODDS = 1e-6
# A suspect must explain this share of the list, and this many records, that nobody before did.
LEAST_SHARE, LEAST_RECORDS = 0.05, 5
# The named together must explain this much; the rest of the list may be noise.
LEAST_EXPLAINED = 0.4
# The next best account must fall this far short of the one that is named.
MARGIN = 0.8
MOST_SUSPECTS = 5


@dataclass(frozen=True, slots=True)
class Suspect:
    """`seen` of the list it looked at; `added` of them nobody named before explains; `log10_odds`
    of chance, over all accounts asked. `honey`: seeded rows of the list that it looked at."""

    account: str
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

    @property
    def cannot_tell(self) -> bool:
        return not self.named


def trace(
    looks: Mapping[str, frozenset[str] | set[str]],
    leaked: Iterable[str],
    honey: frozenset[str] = frozenset(),
) -> Traced:
    """Who explains `leaked`. `looks`: subject digests by account; `honey`: seeded digests that no
    work ever needs, so that a look at one is evidence by itself.
    """
    listed = set(leaked)
    universe: set[str] = set()
    for seen in looks.values():
        universe.update(seen)
    known = listed & universe
    overlap = {account: known & seen for account, seen in looks.items() if known & seen}
    ranked = tuple(
        sorted(
            (_suspect(account, looks, hits, universe, known, honey) for account, hits in
             overlap.items()),
            key=lambda one: (one.log10_odds, -one.seen, one.account),
        )[:20]
    )  # fmt: skip
    named, tied = _cover(looks, overlap, universe, known, honey, len(listed))
    explained = len(set().union(*(overlap[one.account] for one in named))) if named else 0
    share = explained / len(listed) if listed else 0.0
    if share < LEAST_EXPLAINED:
        named = ()
    return Traced(len(listed), len(known), share, named, tied, ranked)


def _cover(
    looks: Mapping[str, frozenset[str] | set[str]],
    overlap: dict[str, set[str]],
    universe: set[str],
    known: set[str],
    honey: frozenset[str],
    listed: int,
) -> tuple[tuple[Suspect, ...], tuple[str, ...]]:
    """Greedy: the account with the smallest odds on what is not explained yet, again and again."""
    named: list[Suspect] = []
    left, pool = set(known), set(universe)
    least = max(LEAST_RECORDS, LEAST_SHARE * listed)
    while len(named) < MOST_SUSPECTS:
        taken = {one.account for one in named}
        scored = sorted(
            (_log10_tail(len(hits & left), looks[account], pool, left), account)
            for account, hits in overlap.items()
            if account not in taken and len(hits & left) >= least
        )
        if not scored:
            break
        odds, account = scored[0]
        odds += math.log10(max(1, len(looks)))
        if odds > math.log10(ODDS):
            break
        mine = overlap[account] & left
        rivals = [other for _, other in scored[1:] if _as_good(overlap[other] & left, mine)]
        if rivals:
            return tuple(named), (account, *sorted(rivals))
        whole = overlap[account]
        named.append(Suspect(account, len(whole), len(mine), odds, len(whole & honey)))
        left -= mine
        pool -= looks[account]
    return tuple(named), ()


def _as_good(theirs: set[str], mine: set[str]) -> bool:
    """Whether another account explains nearly the same records: then neither may be named."""
    return len(theirs & mine) >= MARGIN * len(mine)


def _suspect(
    account: str,
    looks: Mapping[str, frozenset[str] | set[str]],
    hits: set[str],
    universe: set[str],
    known: set[str],
    honey: frozenset[str],
) -> Suspect:
    odds = _log10_tail(len(hits), looks[account], universe, known)
    corrected = min(0.0, odds + math.log10(max(1, len(looks))))
    return Suspect(account, len(hits), len(hits), corrected, len(hits & honey))


def _log10_tail(
    hits: int, seen: frozenset[str] | set[str], universe: set[str], listed: set[str]
) -> float:
    """An upper bound on log10 P(overlap >= hits) for a list drawn at random.

    Hoeffding 1963: sampling without replacement is no wilder than with, so the tail is at most
    exp(-n * KL(hits/n || share)). 0 where the overlap is no more than expected.
    """
    size, drawn = len(universe), len(listed)
    if not size or not drawn:
        return 0.0
    share, part = min(1.0, len(seen) / size), hits / drawn
    if part <= share or share == 0.0:
        return 0.0
    distance = part * math.log(part / share)
    if part < 1.0:
        distance += (1 - part) * math.log((1 - part) / (1 - share))
    return -drawn * distance / math.log(10)
