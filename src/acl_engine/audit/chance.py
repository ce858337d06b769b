"""How likely an overlap is by chance: an upper bound on the tail of draws without replacement.

Hoeffding 1963, theorem 4: sampling without replacement is no wilder than with, so the moment
generating function of each stratum's overlap is at most the binomial one, and Chernoff's bound over
their product holds. The answer is never too small: an innocent is never made to look guiltier.
"""

from collections.abc import Sequence
from math import exp, log, log1p
from typing import NamedTuple

_STEPS = 60  # bisection to machine precision over the range of `_MOST`
_MOST = 40.0


class Draws(NamedTuple):
    """`drawn` leaked records of a stratum of `pool`, of which the account saw `mine`."""

    drawn: int
    mine: int
    pool: int

    @property
    def share(self) -> float:
        return min(1.0, self.mine / self.pool) if self.pool > 0 else 1.0


def log10_tail(hits: int, strata: Sequence[Draws]) -> float:
    """log10 of a bound on P(overlap >= hits) when each stratum's leaked records were drawn at
    random from its pool. 0 (certain) where the overlap is no more than expected.
    """
    cells = [(one.drawn, one.share) for one in strata if one.drawn and one.share]
    if hits > sum(drawn for drawn, _ in cells):
        hits = sum(drawn for drawn, _ in cells)  # seen in another stratum than it was drawn from
    expected = sum(drawn * share for drawn, share in cells)
    if hits <= expected or not cells:
        return 0.0
    low, high = 0.0, _MOST
    for _ in range(_STEPS):  # the exponent is concave in t: its slope falls
        middle = (low + high) / 2
        if _slope(middle, hits, cells) > 0:
            low = middle
        else:
            high = middle
    t = (low + high) / 2
    bound = -t * hits + sum(drawn * log1p(share * (exp(t) - 1)) for drawn, share in cells)
    return min(0.0, bound / log(10))


def _slope(t: float, hits: int, cells: Sequence[tuple[int, float]]) -> float:
    grown = exp(t)
    return hits - sum(drawn * share * grown / (1 - share + share * grown) for drawn, share in cells)
