"""Tracing: the culprits are found, and the innocent are not named."""

import random
from itertools import product

import pytest
from bench._leaks import LOAD, Company

from acl_engine.audit.chance import Draws, log10_tail
from acl_engine.audit.lookbook import LookBook
from acl_engine.audit.trace import Traced, trace

BRANCHES, COURIERS, DAYS = 20, 8, 6
COUNTED = [f"c{branch}-{number}" for branch, number in product(range(BRANCHES), range(COURIERS))]


@pytest.fixture(scope="module")
def company() -> Company:
    """Every courier looks at their own load of the day and at a few of a colleague's; a keeper and
    a manager of each branch at a third of everybody's."""
    return Company(BRANCHES, COURIERS, DAYS)


def names(found: Traced) -> list[str]:
    return [account for one in found.named for account in one.accounts]


def test_one_culprit_is_named_alone(company: Company) -> None:
    """30 % noise: the right account in every one of 20 leaks, and nobody else."""
    rng = random.Random(2)
    for _ in range(20):
        guilty = rng.choice(COUNTED)
        found = company.trace(company.leak(rng, [guilty], 140))
        assert names(found) == [guilty]
        assert found.named[0].log10_odds < -6
        assert found.ranked[0].accounts == (guilty,)


def test_three_colluders_are_named(company: Company) -> None:
    """Three who pooled what they saw, even of one branch: all named, no innocent is."""
    rng = random.Random(3)
    for turn in range(12):
        pool = COUNTED if turn % 2 else [one for one in COUNTED if one.startswith("c7-")]
        guilty = rng.sample(pool, 3)
        assert sorted(names(company.trace(company.leak(rng, guilty, 300)))) == sorted(guilty)


def test_the_pair_that_explains_it_stands_first(company: Company) -> None:
    """Two colluders: of all pairs theirs is the least likely to be chance."""
    rng = random.Random(4)
    for _ in range(5):
        guilty = rng.sample(COUNTED, 2)
        found = company.trace(company.leak(rng, guilty, 300))
        assert found.pairs[0].accounts == tuple(sorted(guilty))
        assert found.pairs[0].seen >= 200


def test_random_list_accuses_nobody(company: Company) -> None:
    """A list drawn from everything that was ever looked at: cannot tell, in every one of 10."""
    rng, everything = random.Random(5), company.records
    for _ in range(10):
        assert company.trace([[rng.choice(everything)] for _ in range(200)]).cannot_tell


def test_a_branch_robbed_through_another_hole_accuses_nobody(company: Company) -> None:
    """A Trojan on the label printer took a branch's whole day, or half of it. The couriers of that
    day looked at all of it, in the course of their work."""
    rng = random.Random(6)
    for turn in range(20):
        branch, day = rng.randrange(BRANCHES), rng.randrange(DAYS)
        whole = [[f"{branch}.{day}.{i}"] for i in range(COURIERS * LOAD)]
        stolen = whole if turn % 2 else rng.sample(whole, len(whole) // 2)
        assert company.trace(stolen).cannot_tell


def test_list_of_unknown_records_accuses_nobody(company: Company) -> None:
    """Nothing of the list was ever looked at here; or nothing was ever looked at."""
    found = company.trace([[f"x{i}"] for i in range(50)])
    assert (found.known, found.cannot_tell) == (0, True)
    assert trace(LookBook(), []).cannot_tell
    assert trace(LookBook(), [["a"]]).cannot_tell


def test_twins_are_shown_and_neither_is_named() -> None:
    """Two accounts that saw the same parcels: both shown as tied, nobody accused."""
    book = LookBook()
    for courier in range(10):
        load = [f"{courier}.{i}" for i in range(100)]
        book.add(f"c{courier}", "b", 0, load)
        if courier == 3:
            book.add("twin", "b", 0, load)
    found = trace(book, [[f"3.{i}"] for i in range(80)])
    assert found.cannot_tell
    assert found.tied == ("c3", "twin")


def test_alone_in_the_branch_cannot_be_told_from_the_branch() -> None:
    """Who is the only one to look in a unit is not told apart from a theft of the unit's data."""
    book = LookBook()
    book.add("alone", "b", 0, [f"a.{i}" for i in range(100)])
    for courier in range(10):
        book.add(f"c{courier}", "other", 0, [f"{courier}.{i}" for i in range(100)])
    found = trace(book, [[f"a.{i}"] for i in range(80)])
    assert found.cannot_tell
    assert found.ranked[0].accounts == ("alone",)  # shown, with what it looked at; not accused


def test_a_phone_stands_for_any_of_its_parcels(company: Company) -> None:
    """A phone number of several parcels is one leaked value, explained by a look at any of them."""
    rng = random.Random(7)
    guilty = rng.choice(COUNTED)
    mine = rng.sample(company.seen_by(guilty), 100)
    found = company.trace([[one, f"parcel-nobody-looked-at-{one}"] for one in mine])
    assert names(found) == [guilty]
    assert (found.listed, found.known) == (100, 100)
    twice = company.trace([[one] for one in mine] + [[mine[0]]])
    assert twice.listed == 100  # said twice, counted once


def test_honey_rows_weigh_by_how_many_were_planted() -> None:
    """Two accounts saw the same load; one also looked at rows that no work ever needs."""
    book, load = LookBook(), [f"{i}" for i in range(100)]
    honey = frozenset(f"honey-{i}" for i in range(200))
    book.add("honest", "b", 0, load)
    book.add("greedy", "b", 0, [*load, *(f"honey-{i}" for i in range(12))])
    for courier in range(5):
        book.add(f"c{courier}", "b", 0, [f"{courier}.{i}" for i in range(100)])
    leaked = [[one] for one in [*load[:20], *(f"honey-{i}" for i in range(12))]]
    found = trace(book, leaked, honey)
    assert names(found) == ["greedy"]
    assert found.named[0].honey == 12


def test_the_bound_is_never_below_the_truth() -> None:
    """The tail of a hypergeometric draw, counted exactly, lies below the bound that is used."""
    from math import comb, log10

    for pool, mine, drawn in ((50, 10, 20), (200, 5, 30), (30, 15, 15)):
        for hits in range(1, min(mine, drawn) + 1):
            ways = sum(
                comb(mine, k) * comb(pool - mine, drawn - k)
                for k in range(hits, min(mine, drawn) + 1)
            )
            exact = log10(ways / comb(pool, drawn))
            assert log10_tail(hits, [Draws(drawn, mine, pool)]) >= exact - 1e-9
