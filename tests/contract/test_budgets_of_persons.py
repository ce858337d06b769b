"""Budgets of persons: each counts once, at the clearest; what a limit does before it is reached."""

from dataclasses import replace
from typing import Any

import pytest

from acl_engine.domain.budgets import FROZEN, SPENT, STEP_UP, Reservation, Seen
from acl_engine.domain.errors import ActRefused
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.storage import tables as t
from acl_engine.storage.budget_use import uses
from acl_engine.storage.database import Database
from tests.contract.company import COURIER, DAY, NOW, FixedClock, build, put, request, rows
from tests.contract.till import Till

ASKED = request()
CLEAR, MASKED = {"address": 100}, {"address": 10}
YEAR = 365 * DAY


def limit(most: int, **over: Any) -> BudgetLimit:
    told: dict[str, Any] = {"per": "person", "window": "30d", "of": "persons", "data": "address"}
    return BudgetLimit(limit=most, **told | over)


def look(store: Till, *whom: str, weight: int = 100, **more: Any) -> Reservation:
    """One look that shows the addresses of `whom`."""
    asked = store.reserve(COURIER, ASKED, len(whom), {"address": weight}, **more)
    store.settle(asked, len(whom), [Seen("address", one, weight) for one in whom])
    return asked


def used(database: Database, clock: FixedClock, *limits: BudgetLimit) -> list[float]:
    return [one.used for one in uses(database, limits, clock, COURIER)]


def code(store: Till, *whom: str, **more: Any) -> str:
    with pytest.raises(ActRefused) as caught:
        look(store, *whom, **more)
    assert caught.value.refusal.controls == ("budget",)
    return caught.value.refusal.code


def test_a_person_counts_once(database: Database) -> None:
    """However often, and in however many parcels, somebody is looked at."""
    clock = FixedClock()
    store = Till(database, [limit(3)], clock)
    look(store, "a", "b")
    look(store, "a")
    assert used(database, clock, limit(3)) == [2]
    look(store, "c")
    assert code(store, "d") == SPENT


def test_every_day_a_little_meets_the_long_window(database: Database) -> None:
    """One person a day passes any day's limit; the 30 days' and the year's are met."""
    clock = FixedClock()
    limits = [limit(5, window="day"), limit(10), limit(20, window="year")]
    store = Till(database, limits, clock)
    for number in range(10):
        look(store, f"p{number}")
        clock.at += DAY
    assert code(store, "p10") == SPENT
    clock.at = NOW + 30 * DAY
    for number in range(10, 20):
        look(store, f"p{number}")
        clock.at += 3 * DAY
    assert code(store, "p20") == SPENT
    assert used(database, clock, *limits) == [0, 9, 20]
    clock.at = NOW + YEAR
    look(store, "p20")


def test_a_look_anew_moves_a_person_to_today(database: Database) -> None:
    """Whoever was seen in a window is counted in it, though seen before."""
    clock = FixedClock()
    store = Till(database, [limit(2)], clock)
    look(store, "a")
    clock.at += 29 * DAY
    look(store, "a")
    clock.at += 29 * DAY
    look(store, "b")
    assert used(database, clock, limit(2)) == [2]
    assert code(store, "c") == SPENT
    assert {row["used"] for row in rows(database, t.budget_counters)} == {0, 100}


def test_a_mask_weighs_less_and_clear_adds_the_rest(database: Database) -> None:
    """Ten masked persons weigh as one in clear; the same one in clear makes up the difference."""
    clock = FixedClock()
    store = Till(database, [limit(2)], clock)
    look(store, *(f"p{n}" for n in range(10)), weight=10)
    assert used(database, clock, limit(2)) == [1]
    look(store, "p1")
    assert used(database, clock, limit(2)) == [1.9]
    look(store, "p1", weight=10)
    assert used(database, clock, limit(2)) == [1.9]
    assert code(store, "q") == SPENT


def test_only_the_data_that_is_limited_counts(database: Database) -> None:
    """A name is no address; nothing is kept of what no limit counts."""
    store = Till(database, [limit(1)], FixedClock())
    for _ in range(3):
        asked = store.reserve(COURIER, ASKED, 1, {"name": 100})
        store.settle(asked, 1, [Seen("name", "a", 100)])
    assert rows(database, t.budget_seen) == []


def test_more_than_was_set_aside_is_not_shown(database: Database) -> None:
    """A store that gave more persons than were asked for is refused before the answer."""
    clock = FixedClock()
    store = Till(database, [limit(9)], clock)
    asked = store.reserve(COURIER, ASKED, 1, CLEAR)
    with pytest.raises(ActRefused):
        store.settle(asked, 1, [Seen("address", one, 100) for one in "ab"])
    assert used(database, clock, limit(9)) == [0]
    assert rows(database, t.budget_reservations) == rows(database, t.budget_seen) == []


def test_a_page_near_the_limit_is_charged_what_it_shows(database: Database) -> None:
    """It is refused for whom it shows, never for whom it could have shown."""
    clock = FixedClock()
    store = Till(database, [limit(3), limit(5, window="year")], clock)
    look(store, "a", "b")
    page = store.reserve(COURIER, ASKED, 50, CLEAR)
    store.settle(page, 2, [Seen("address", one, 100) for one in "ab"])
    page = store.reserve(COURIER, ASKED, 50, CLEAR)
    with pytest.raises(ActRefused) as caught:
        store.settle(page, 3, [Seen("address", one, 100) for one in "acd"])
    assert (caught.value.refusal.code, caught.value.refusal.line) == (SPENT, "10")
    page = store.reserve(COURIER, ASKED, 50, CLEAR)
    store.settle(page, 3, [Seen("address", one, 100) for one in "abc"])
    assert used(database, clock, limit(3)) == [3]
    assert code(store, "d") == SPENT


def test_a_refusal_at_the_limit_costs_its_look(database: Database) -> None:
    """It tells that somebody is there: whoever asks for one name after the other pays for each."""
    clock, looks = FixedClock(), BudgetLimit(per="person", window="day", limit=4)
    store = Till(database, [limit(1), looks], clock)
    look(store, "a", weight=50)
    for one in "bcd":
        asked = store.reserve(COURIER, ASKED, 1, CLEAR)
        with pytest.raises(ActRefused) as caught:
            store.settle(asked, 1, [Seen("address", one, 100)])
        assert caught.value.refusal.line == "10"
    with pytest.raises(ActRefused) as caught:
        store.reserve(COURIER, ASKED, 1, CLEAR)
    assert (caught.value.refusal.code, caught.value.refusal.line) == (SPENT, "4")
    assert used(database, clock, limit(1), looks) == [0.5, 4]
    assert [one["subject"] for one in rows(database, t.budget_seen)] == ["a"]


def test_pages_at_once_never_show_more_than_the_limit(database: Database) -> None:
    """What one has set aside another cannot show, and that alone suspends nobody."""
    clock = FixedClock()
    store = Till(database, [limit(3, then="freeze"), limit(9, window="year")], clock)
    first = store.reserve(COURIER, ASKED, 2, CLEAR)
    second = store.reserve(COURIER, ASKED, 50, CLEAR)
    assert code(store, "x") == SPENT
    store.settle(first, 2, [Seen("address", one, 100) for one in "ab"])
    with pytest.raises(ActRefused):
        store.settle(second, 2, [Seen("address", one, 100) for one in "cd"])
    look(store, "c")
    assert code(store, "d") == FROZEN
    assert used(database, clock, limit(3)) == [3]


def test_an_older_look_does_not_hide_a_newer_window(database: Database) -> None:
    """Somebody counted in the year is new to the day, and the day has its own room."""
    clock = FixedClock()
    limits = [limit(2, window="day"), limit(2, window="year")]
    store = Till(database, limits, clock)
    look(store, "a", "b")
    clock.at += 40 * DAY
    assert code(store, "a") == SPENT  # the year has no room left
    clock.at += 330 * DAY
    look(store, "a")
    assert used(database, clock, *limits) == [1, 1]


def test_a_limit_leaves_roles_out(database: Database) -> None:
    """Whose work is bound by a row of its own."""
    store = Till(database, [limit(1, but=("courier",))], FixedClock())
    look(store, "a", "b", "c")


def test_a_warning_is_given_once_a_window(database: Database) -> None:
    """The look after the mark was reached warns; the next does not."""
    clock = FixedClock()
    store = Till(database, [limit(9, warn=2)], clock)
    assert not look(store, "a", "b").warned
    (warned,) = look(store, "c").warned
    assert (warned.limit.warn, warned.who, warned.used) == (2, "p-1", 2)
    assert not look(store, "d").warned
    clock.at += 30 * DAY
    look(store, "e", "f")
    assert look(store, "g").warned


def test_step_up_asks_for_a_fresh_factor(database: Database) -> None:
    """From the mark on, only a second factor of now is answered, up to the limit."""
    store = Till(database, [limit(3, step_up=2)], FixedClock())
    look(store, "a", "b")
    assert code(store, "c") == STEP_UP
    look(store, "c", fresh=True)
    assert code(store, "d", fresh=True) == SPENT


def test_freeze_suspends_the_account(database: Database) -> None:
    """Once past the limit the account is stopped, its sessions with it, and nobody else's."""
    build(database)
    store = Till(database, [limit(1, then="freeze")], FixedClock())
    look(store, "a")
    before = {row["login"]: row["epoch"] for row in rows(database, t.accounts)}
    assert code(store, "b") == FROZEN
    assert COURIER.account in before
    for row in rows(database, t.accounts):
        mine = row["login"] == COURIER.account
        assert (row["status"] == "suspended") is mine
        assert (row["epoch"] > before[row["login"]]) is mine


def status(database: Database) -> str:
    """Of the courier's account."""
    (found,) = (
        row["status"] for row in rows(database, t.accounts) if row["login"] == COURIER.account
    )
    return str(found)


def refusal(store: Till, page: int, *whom: str, weight: int = 100) -> str:
    """The code of a page of so many rows that is refused for whom it shows."""
    asked = store.reserve(COURIER, ASKED, page, {"address": weight})
    with pytest.raises(ActRefused) as caught:
        store.settle(asked, len(whom), [Seen("address", one, weight) for one in whom])
    assert caught.value.refusal.line == "10"
    return caught.value.refusal.code


def test_nobody_stops_just_under_a_limit_that_freezes(database: Database) -> None:
    """Half a person is left, and a whole one is asked for: that is beyond the limit."""
    build(database)
    store = Till(database, [limit(2, then="freeze"), limit(9, window="year")], FixedClock())
    look(store, "a")
    look(store, "b", weight=50)
    assert refusal(store, 50, "a", "c", "d", weight=40) == SPENT  # one of the two would have fitted
    assert status(database) == "active"
    assert refusal(store, 1, "c") == FROZEN
    assert status(database) == "suspended"


def test_a_page_that_nobody_of_fits_freezes(database: Database) -> None:
    """However many of it were counted before."""
    build(database)
    store = Till(database, [limit(2, then="freeze")], FixedClock())
    look(store, "a")
    look(store, "b", weight=95)
    assert refusal(store, 50, "a", "c", "d", weight=10) == FROZEN
    assert status(database) == "suspended"


def test_what_another_look_has_set_aside_freezes_nobody(database: Database) -> None:
    """Where it fits without the other, it fits once the other is answered."""
    build(database)
    store = Till(database, [limit(2, then="freeze")], FixedClock())
    look(store, "a", weight=50)
    other = store.reserve(COURIER, ASKED, 1, CLEAR)
    assert refusal(store, 1, "b") == SPENT
    assert status(database) == "active"
    store.release(other)
    look(store, "b")


def test_the_tighter_of_two_limits_holds(database: Database) -> None:
    """Two rows may bind one role and count alike; which stands last in the policy is no matter."""
    for limits in ([limit(1), limit(9, roles=("courier",))],) * 2:
        store = Till(database, limits, FixedClock())
        assert refusal(store, 50, "a", "b") == SPENT
        limits.reverse()


def test_work_explains_looks(database: Database) -> None:
    """The limit grows with parcels that others assigned; what one gives oneself explains none."""
    build(database)
    clock = FixedClock()
    store = Till(database, [limit(1, per_parcel=1)], clock)
    look(store, "a")
    assert code(store, "b") == SPENT
    given = {"person": COURIER.person, "sound": True, "at": NOW}
    put(database, t.assignments, waybill=1, made_by=COURIER.person, **given)
    assert code(store, "b") == SPENT
    put(database, t.assignments, waybill=1, made_by="p-5", **given)
    put(database, t.assignments, waybill=1, made_by="p-7", **given)
    look(store, "b")
    assert code(store, "c") == SPENT
    scanned = {"kind": "out", "unit": "b-1", "account": COURIER.account, "at": NOW}
    put(database, t.scans, waybill=2, **scanned)
    look(store, "c")
    assert uses(database, [limit(1, per_parcel=1)], clock, COURIER)[0].most == 3


def test_limits_of_roles_bind_them_alone(database: Database) -> None:
    """A limit for a group binds whoever stands in it."""
    groups = {"courier": frozenset({"courier", "staff"}), "printer": frozenset({"printer"})}
    store = Till(database, [limit(1, roles=("staff",))], FixedClock(), groups=groups.__getitem__)
    look(store, "a")
    assert code(store, "b") == SPENT
    printer = replace(COURIER, role="printer")
    for _ in range(3):
        assert not store.reserve(printer, ASKED, 1, CLEAR).amounts


def test_what_no_window_sees_is_taken_away(database: Database) -> None:
    """A year later neither the buckets nor the persons are kept."""
    clock = FixedClock()
    store = Till(database, [limit(9)], clock)
    look(store, "a", "b")
    clock.at += YEAR
    look(store, "c")
    assert [row["subject"] for row in rows(database, t.budget_seen)] == ["c"]
    assert len(rows(database, t.budget_counters)) == 1


def test_a_clock_that_is_set_back_gives_nothing_back(database: Database) -> None:
    """What was used tomorrow is used today: days that have not come yet count as well."""
    clock = FixedClock()
    limits = [limit(2, window="day"), limit(2), limit(2, window="year")]
    store = Till(database, limits, clock)
    clock.at += 3 * DAY
    look(store, "a", "b")
    clock.at -= 3 * DAY
    assert code(store, "c") == SPENT
    assert used(database, clock, *limits) == [2, 2, 2]
