"""A company's looks, and lists that leaked out of them: what tracing is tried on, at any size.

Harder than a real company in one way on purpose: in each branch a keeper and a manager look at a
large share of everybody's parcels, in the course of their work.
"""

import random
from dataclasses import dataclass, field

from acl_engine.audit.lookbook import LookBook
from acl_engine.audit.trace import Traced, trace

LOAD = 60
LENT = 4  # a colleague's parcels, in a courier's day
KEEPER, MANAGER = 200, 100  # parcels of the branch, in a day
NOISE = 0.3


@dataclass
class Company:
    """`branches` of `couriers` each, over `days`; same seed, same looks."""

    branches: int
    couriers: int
    days: int
    seed: int = 1
    book: LookBook = field(default_factory=LookBook)
    looks: int = 0

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        for day in range(self.days):
            for branch in range(self.branches):
                self._day(rng, branch, day)
        self.records = list(self.book._ids)

    def _day(self, rng: random.Random, branch: int, day: int) -> None:
        parcels = [f"{branch}.{day}.{n}" for n in range(self.couriers * LOAD)]
        for courier in range(self.couriers):
            own = parcels[courier * LOAD : (courier + 1) * LOAD]
            self._look(f"c{branch}-{courier}", branch, day, own + rng.sample(parcels, LENT))
        for who, many in ((f"k{branch}", KEEPER), (f"m{branch}", MANAGER)):
            self._look(who, branch, day, rng.sample(parcels, min(many, len(parcels) // 3)))

    def _look(self, account: str, branch: int, day: int, parcels: list[str]) -> None:
        self.looks += len(parcels)
        self.book.add(account, f"b{branch}", day, parcels)

    @property
    def accounts(self) -> list[str]:
        return list(self.book.seen)

    def seen_by(self, account: str) -> list[str]:
        return [self.records[one] for one in sorted(self.book.seen[account])]

    # --- lists ---------------------------------------------------------------------------------

    def leak(self, rng: random.Random, guilty: list[str], size: int) -> list[list[str]]:
        """`size` values of what the guilty saw, each as much as the others; of them all 30 % is
        noise: half what others saw, half numbers of nobody."""
        each = int(size * (1 - NOISE)) // len(guilty)
        mine = [one for name in guilty for one in self._some(rng, name, each)]
        noise = size - len(mine)
        others = [rng.choice(self.records) for _ in range(noise // 2)]
        nobodys = [f"made-up-{rng.random()}" for _ in range(noise - len(others))]
        return [[one] for one in (*mine, *others, *nobodys)]

    def _some(self, rng: random.Random, account: str, most: int) -> list[str]:
        seen = self.seen_by(account)
        return rng.sample(seen, min(most, len(seen)))

    def innocent(self, rng: random.Random, size: int) -> list[list[str]]:
        """A list that nobody's looks led to: drawn from everything; the whole day of a branch, or a
        part of it, taken through another hole; one shop's parcels of many branches."""
        kind = rng.randrange(3)
        branch, day = rng.randrange(self.branches), rng.randrange(self.days)
        if kind == 0:
            found = [rng.choice(self.records) for _ in range(size)]
        elif kind == 1:
            whole = [f"{branch}.{day}.{n}" for n in range(self.couriers * LOAD)]
            found = rng.sample(whole, rng.randrange(len(whole) // 10, len(whole) + 1))
        else:
            spread = rng.sample(range(self.branches), min(5, self.branches))
            found = [f"{rng.choice(spread)}.{rng.randrange(self.days)}."
                     f"{rng.randrange(self.couriers * LOAD)}" for _ in range(size)]  # fmt: skip
        return [[one] for one in found]

    def trace(self, leaked: list[list[str]]) -> Traced:
        return trace(self.book, leaked)


@dataclass
class Score:
    """Of many leaks: whose first name is a culprit's, who else was named, and what went unsaid."""

    leaks: int = 0
    first: int = 0
    whole: int = 0
    silent: int = 0
    accused: int = 0

    def add(self, guilty: list[str], found: Traced) -> None:
        named = [account for one in found.named for account in one.accounts]
        self.leaks += 1
        self.first += bool(named) and named[0] in guilty
        self.whole += sorted(named) == sorted(guilty)
        self.silent += not named
        self.accused += not {*named} <= {*guilty}


def hundred(company: Company, seed: int, leaks: int = 100) -> Score:
    """Seeded leaks by one to three accounts of any kind, of 100 to 1,000 values; half of the groups
    of one branch."""
    rng, score = random.Random(seed), Score()
    for turn in range(leaks):
        accounts = company.accounts
        if turn % 2:
            branch = rng.randrange(company.branches)
            accounts = [one for one in accounts if one[1:].split("-")[0] == str(branch)]
        guilty = rng.sample(accounts, 1 + turn % 3)
        size = rng.choice([100, 300, 1_000])
        score.add(guilty, company.trace(company.leak(rng, guilty, size)))
    return score


def innocents(company: Company, seed: int, lists: int) -> Score:
    """Lists that accuse nobody: whoever is named for one is falsely accused."""
    rng, score = random.Random(seed), Score()
    for _ in range(lists):
        score.add([], company.trace(company.innocent(rng, rng.choice([60, 100, 300, 1_000]))))
    return score
