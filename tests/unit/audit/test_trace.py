"""Tracing: the culprits are found, and the innocent are not named."""

import random

from acl_engine.audit.trace import trace

ACCOUNTS, RECORDS, LOOKS = 200, 30_000, 400


def company(rng: random.Random) -> dict[str, set[str]]:
    """Accounts that each look at parcels of their own area and a few of anybody's."""
    looks = {}
    for number in range(ACCOUNTS):
        start = number * RECORDS // ACCOUNTS
        own = rng.sample(range(start, start + RECORDS // ACCOUNTS * 4), LOOKS)
        other = rng.sample(range(RECORDS), LOOKS // 10)
        looks[f"a{number}"] = {f"w{i % RECORDS}" for i in (*own, *other)}
    return looks


def leak(rng: random.Random, looks: dict[str, set[str]], guilty: list[str], size: int) -> list[str]:
    """A list of what the guilty saw, with 30 % that has nothing to do with it."""
    mine = [record for name in guilty for record in rng.sample(sorted(looks[name]), size)]
    noise = [f"w{rng.randrange(RECORDS)}" for _ in range(len(mine) * 3 // 7)]
    return mine + noise


def test_one_culprit_is_named_first() -> None:
    """30 % noise: the right account first in every one of 12 leaks, and nobody else named."""
    rng = random.Random(1)
    for number in range(12):
        looks = company(rng)
        guilty = f"a{rng.randrange(ACCOUNTS)}"
        found = trace(looks, leak(rng, looks, [guilty], 150))
        assert [one.account for one in found.named] == [guilty], number
        assert found.named[0].log10_odds < -6


def test_three_colluders_are_named() -> None:
    """Three who pooled what they saw: the first named is always one of them, no innocent is."""
    rng = random.Random(2)
    all_three = 0
    for _ in range(12):
        looks = company(rng)
        guilty = rng.sample(sorted(looks), 3)
        found = trace(looks, leak(rng, looks, guilty, 150))
        names = {one.account for one in found.named}
        assert names <= set(guilty)
        all_three += names == set(guilty)
    assert all_three >= 10


def test_random_list_accuses_nobody() -> None:
    """A list that leaked somewhere else: cannot tell, in every one of 30."""
    rng = random.Random(3)
    looks = company(rng)
    for _ in range(30):
        assert trace(looks, [f"w{rng.randrange(RECORDS)}" for _ in range(200)]).cannot_tell


def test_list_of_unknown_records_accuses_nobody() -> None:
    """Nothing of the list was ever looked at here."""
    rng = random.Random(4)
    found = trace(company(rng), [f"x{i}" for i in range(50)])
    assert (found.known, found.cannot_tell) == (0, True)
    assert trace({}, []).cannot_tell


def test_twins_are_shown_and_neither_is_named() -> None:
    """Two accounts that saw the same parcels: both shown as tied, nobody accused."""
    rng = random.Random(5)
    looks = company(rng)
    looks["a7"] = set(looks["a8"])
    found = trace(looks, leak(rng, looks, ["a7"], 150))
    assert found.cannot_tell
    assert set(found.tied) == {"a7", "a8"}


def test_honey_rows_are_counted() -> None:
    """A seeded row in the list that an account looked at stands beside its name."""
    rng = random.Random(6)
    looks = company(rng)
    looks["a9"].add("honey")
    found = trace(looks, [*leak(rng, looks, ["a9"], 150), "honey"], frozenset({"honey"}))
    assert found.named[0].honey == 1
