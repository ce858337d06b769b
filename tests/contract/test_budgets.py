"""Budgets: never more than the limit, whoever asks at once, whatever dies in the middle."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from acl_engine.domain.budgets import FROZEN, SPENT, Reservation
from acl_engine.domain.errors import ActRefused, StoreError
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Request
from acl_engine.storage import tables as t
from acl_engine.storage.budgets import LEASE_SECONDS
from acl_engine.storage.database import Database
from tests.contract.company import COURIER, DAY, NOW, FixedClock, build, request, rows
from tests.contract.till import Till

LIMITS = (
    BudgetLimit("account", "day", 10),
    BudgetLimit("device", "day", 15),
    BudgetLimit("person", "30d", 25),
    BudgetLimit("unit", "year", 1000),
)
ASKED = request()


def take(
    store: Till, who: Principal, asked: Request, amount: int, **more: Any
) -> Reservation | None:
    """What is set aside, or None: spent."""
    try:
        return store.reserve(who, asked, amount, **more)
    except ActRefused:
        return None


def used(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows(database, t.budget_counters):
        found[row["counter"]] = found.get(row["counter"], 0) + row["used"]
    return found


def held(database: Database) -> int:
    """What is set aside for the courier's account."""
    held = rows(database, t.budget_reservations)
    return sum(row["amount"] for row in held if row["counter"] == "account:courier-1")


def test_up_to_the_limit_and_no_further(database: Database) -> None:
    """The look that would pass the limit is refused whole, and changes nothing."""
    store = Till(database, LIMITS, FixedClock())
    assert take(store, COURIER, ASKED, 8)
    before = used(database)
    assert take(store, COURIER, ASKED, 3) is None
    assert used(database) == before
    assert take(store, COURIER, ASKED, 2)
    assert take(store, COURIER, ASKED, 1) is None


@pytest.mark.parametrize("held", [0, 8])
def test_a_page_too_large_freezes_nobody(database: Database, held: int) -> None:
    """Nor one beside another page; whoever asks for one more once all is used is suspended."""
    build(database)
    store = Till(database, [replace(LIMITS[0], then="freeze")], FixedClock())
    first = take(store, COURIER, ASKED, 8)
    assert first
    if not held:
        store.settle(first, 8)
    with pytest.raises(ActRefused) as caught:
        store.reserve(COURIER, ASKED, 3)
    assert caught.value.refusal.code == SPENT
    last = take(store, COURIER, ASKED, 2)
    assert last
    for one, amount in ((first, 8), (last, 2))[0 if held else 1 :]:
        store.settle(one, amount)
    with pytest.raises(ActRefused) as caught:
        store.reserve(COURIER, ASKED, 1)
    assert caught.value.refusal.code == FROZEN


def test_settle_charges_what_was_shown(database: Database) -> None:
    """The rest is free again; a second settlement or release changes nothing."""
    store = Till(database, LIMITS, FixedClock())
    reservation = take(store, COURIER, ASKED, 10)
    assert reservation
    store.settle(reservation, 3)
    assert used(database)["account:courier-1"] == 3
    store.release(reservation)
    with pytest.raises(StoreError):
        store.settle(reservation, 3)
    assert set(used(database).values()) == {3}
    assert rows(database, t.budget_reservations) == []


def test_release_frees_all(database: Database) -> None:
    """A look that was refused costs nothing."""
    store = Till(database, LIMITS, FixedClock())
    reservation = take(store, COURIER, ASKED, 10)
    assert reservation
    store.release(reservation)
    assert used(database) == {}
    assert held(database) == 0
    assert take(store, COURIER, ASKED, 10)


@pytest.mark.parametrize("amount", [-1, 11])
def test_settling_another_amount_is_a_bug(database: Database, amount: int) -> None:
    """More than was set aside cannot be charged, nor less than nothing; it stays set aside."""
    store = Till(database, LIMITS, FixedClock())
    reservation = take(store, COURIER, ASKED, 10)
    assert reservation
    with pytest.raises(ValueError):
        store.settle(reservation, amount)
    assert used(database) == {}
    assert len(rows(database, t.budget_reservations)) == 4
    with pytest.raises(ValueError):
        take(store, COURIER, ASKED, 0)


def test_limits_count_apart(database: Database) -> None:
    """Another account on the same device still meets the device's limit."""
    store = Till(database, LIMITS, FixedClock())
    assert take(store, COURIER, ASKED, 10)
    lent = replace(COURIER, account="courier-2", person="p-2")
    assert take(store, lent, ASKED, 6) is None
    assert take(store, lent, ASKED, 5)
    assert take(store, replace(lent, device="pda-2"), ASKED, 5)


def test_day_ends_at_midnight_in_china(database: Database) -> None:
    """The calendar day of Asia/Shanghai, not of UTC and not the last 24 hours."""
    midnight = int(datetime.fromisoformat("2026-03-03T00:00:00+08:00").timestamp())
    clock = FixedClock(midnight - 1)
    store = Till(database, LIMITS, clock)
    reservation = take(store, COURIER, ASKED, 10)
    assert reservation
    store.settle(reservation, 10)
    assert take(store, COURIER, ASKED, 1) is None
    clock.at = midnight
    assert take(store, COURIER, ASKED, 10)


def test_thirty_days_roll(database: Database) -> None:
    """Day after day, the slow leak meets the 30-day limit; what is older is free again."""
    clock = FixedClock()
    store = Till(database, LIMITS, clock)
    for day, amount in ((0, 10), (1, 10), (29, 5)):
        clock.at = NOW + day * DAY
        reservation = take(store, COURIER, ASKED, amount)
        assert reservation
        store.settle(reservation, amount)
    assert take(store, COURIER, ASKED, 1) is None
    clock.at = NOW + 30 * DAY
    assert take(store, COURIER, ASKED, 10)


def test_dead_reservation_ends_with_its_lease(database: Database) -> None:
    """A killed process holds its looks for one lease, and can charge nothing afterwards."""
    clock = FixedClock()
    store = Till(database, LIMITS, clock)
    dead = take(store, COURIER, ASKED, 10)
    assert dead
    clock.at += LEASE_SECONDS - 1
    assert take(store, COURIER, ASKED, 1) is None
    clock.at += 1
    with pytest.raises(StoreError):
        store.settle(dead, 1)
    assert take(store, COURIER, ASKED, 10)
    assert held(database) == 10


def test_kept_across_restarts(database: Database, database_url: str) -> None:
    """A new process finds what the old one charged."""
    reservation = take(Till(database, LIMITS, FixedClock()), COURIER, ASKED, 10)
    assert reservation
    with Database.open(database_url) as again:
        store = Till(again, LIMITS, FixedClock())
        assert take(store, COURIER, ASKED, 1) is None
        store.settle(reservation, 4)
        assert take(store, COURIER, ASKED, 6)


def test_threads_share_one_limit(database: Database) -> None:
    """Sixteen threads for ten looks: ten get one, none gets an eleventh."""
    store = Till(database, LIMITS, FixedClock())
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: take(store, COURIER, ASKED, 1), range(40)))
    assert len([one for one in got if one]) == 10
    assert held(database) == 10


def test_threads_that_give_back_lose_nothing(database: Database) -> None:
    """Reserve, settle and release at once end in the exact sum."""
    limits = (BudgetLimit("account", "day", 10_000), BudgetLimit("unit", "day", 10_000))
    store = Till(database, limits, FixedClock())

    def look(number: int) -> None:
        reservation = take(store, COURIER, ASKED, 5)
        assert reservation
        if number % 2:
            store.settle(reservation, 2)
        else:
            store.release(reservation)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(40)))
    assert set(used(database).values()) == {40}


def test_two_processes_share_one_limit(database: Database, database_url: str) -> None:
    """Two processes at once for ten looks get ten together."""
    code = f"""
    import sys
    from tests.contract.till import Till
    from acl_engine.storage.database import Database
    from tests.contract.company import COURIER, FixedClock, request
    from tests.contract.test_budgets import LIMITS, take
    with Database.open({database_url!r}) as database:
        store = Till(database, LIMITS, FixedClock())
        print("ready", flush=True)
        sys.stdin.readline()
        print(sum(take(store, COURIER, request(), 1) is not None for _ in range(10)))
    """
    children = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    got = [int(child.communicate()[0]) for child in children]
    assert sum(got) == 10
    assert held(database) == 10
