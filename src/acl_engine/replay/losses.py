"""Which losses of controls re-open a leak: all at once, each alone, the smallest sets.

INVARIANTS
- Every answer is a run: a set re-opens the leak when the goal was reached with it switched off.
- "Smallest" is by number of controls; up to `Ablation.bound` of them every set was tried.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

from acl_engine.domain.pack import Pack
from acl_engine.replay.ablation import Derived, without
from acl_engine.replay.runs import Runs
from acl_engine.replay.scenario import Scenario

# Beyond so many runs for one size of set, sets that cannot be made smaller stand for the smallest.
MOST_RUNS = 60


@dataclass(frozen=True, slots=True)
class Ablation:
    """`positive`: whether it leaks with all of the file's controls off (None: not tried).
    `single`: controls whose loss alone re-opens it; `sets`: the smallest sets that do; `bound`:
    the size up to which every set was tried."""

    positive: bool | None
    single: tuple[str, ...] = ()
    sets: tuple[tuple[str, ...], ...] = ()
    bound: int = 0


@dataclass
class Losses:
    """Tries sets of controls on scenarios, under packs derived from `pack` once each."""

    runs: Runs
    pack: Pack
    _derived: dict[frozenset[str], Derived] = field(default_factory=dict)

    def of(self, scenario: Scenario) -> Ablation:
        """What losing the file's controls does."""
        controls = scenario.controls
        if not controls or not set(controls) <= set(self.pack.controls):
            return Ablation(None)
        if not self._leaks(scenario, controls):
            return Ablation(False)
        found: list[tuple[str, ...]] = []
        size = 0
        while not found and comb(len(controls), size + 1) <= MOST_RUNS:
            size += 1
            sets = combinations(controls, size)
            found = [one for one in sets if self._leaks(scenario, one)]
        if not found:
            found = self._irreducible(scenario, controls)
        single = tuple(one[0] for one in found if len(one) == 1)
        return Ablation(True, single, tuple(found), size)

    def _irreducible(self, scenario: Scenario, controls: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Sets that re-open the leak, and of which none can be left on."""
        found: list[tuple[str, ...]] = []
        for order in (controls, controls[::-1]):
            needed = list(order)
            for name in order:
                fewer = [one for one in needed if one != name]
                if fewer and self._leaks(scenario, fewer):
                    needed = fewer
            if tuple(sorted(needed)) not in found:
                found.append(tuple(sorted(needed)))
        return found

    def _leaks(self, scenario: Scenario, controls: Iterable[str]) -> bool:
        off = frozenset(controls)
        if off not in self._derived:
            self._derived[off] = without(self.pack, sorted(off))
        run = self.runs.run(scenario, self._derived[off])
        return self.runs.reached(scenario, run).holds
