"""The courier company's budgets: whom they bind, and that they lie below what the law counts."""

from pathlib import Path

import pytest

from acl_engine.domain.pack import Pack
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.policy.pack import load_pack

PACK = load_pack(Path(__file__).parents[3] / "policies" / "courier" / "after")
# 2017 No. 10, article 5: what a leak by an insider takes to be serious, by kind of data.
LAW = {"whereabouts": 25, "transaction": 250}
OTHER = 2500


def binding(pack: Pack, role: str) -> list[BudgetLimit]:
    groups = pack.groups(role)
    return [one for one in pack.settings.budgets if not one.roles or groups & set(one.roles)]


@pytest.mark.parametrize("role", ["recipient", "sender", "public_tracker"])
def test_customers_share_no_counter(role: str) -> None:
    """They have neither a bound device nor a branch: one of them could stop all the others."""
    assert {one.per for one in binding(PACK, role)} == {"account", "person"}


def test_every_mark_of_persons_lies_below_the_law() -> None:
    """The watch hears of it, in each window, before what the law counts is reached."""
    persons = [one for one in PACK.settings.budgets if one.of == "persons"]
    assert {one.data for one in persons} >= {"whereabouts", "address", "name", "phone", "id_number"}
    for one in persons:
        first = one.limit if one.warn is None else one.warn
        assert first < LAW.get(one.data, OTHER), one


@pytest.mark.parametrize("role", [name for name, spec in PACK.roles.items() if spec.level])
def test_staff_are_counted_over_every_window(role: str) -> None:
    """A little every day is met by a longer window, for each who works here."""
    windows = {one.window for one in binding(PACK, role) if one.of == "persons"}
    assert windows == {"day", "30d", "year"}
