"""A hundred leaks out of a million looks, and five hundred lists that accuse nobody."""

import pytest
from bench._leaks import Company, hundred, innocents

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def company() -> Company:
    found = Company(branches=50, couriers=20, days=15)
    assert found.looks > 1_000_000
    return found


def test_the_right_account_stands_first_in_99_of_100(company: Company) -> None:
    """One to three culprits, 30 % noise; whoever is not found is not named, and nobody else is."""
    score = hundred(company, seed=7)
    assert score.first >= 99
    assert score.accused == 0
    assert score.first + score.silent == score.leaks


def test_innocent_lists_name_nobody(company: Company) -> None:
    """500 lists drawn at random, out of a branch's day, or out of five branches."""
    assert innocents(company, seed=8, lists=500).accused == 0
