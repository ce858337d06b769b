"""Dial: one call a capability, for its session, while the parcel is where it was; no number."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from acl_engine.domain.calls import Binding, Call
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.dials import DialStore
from tests.contract.company import COURIER, DAY, HOUR, NOW, change, rows

BOUND = Binding(
    "b-1", "SF0001", "courier-1", "p-1", "pda-1", "OUT_FOR_DELIVERY", "x-77", NOW + HOUR
)


@pytest.fixture
def dials(company: Database) -> DialStore:
    store = DialStore(company)
    store.bind(BOUND)
    assert minted(store, "h-1")
    return store


def minted(dials: DialStore, token: str, most: int = 9) -> bool:
    return dials.mint(token, BOUND, "s-1", NOW + 600, since=NOW - DAY, most=most)


def test_living_binding(dials: DialStore) -> None:
    """For its parcel and person, until it expires or is ended."""
    assert dials.live("SF0001", "p-1", NOW) == BOUND
    assert dials.live("SF0001", "p-2", NOW) is None
    assert dials.live("SF0002", "p-1", NOW) is None
    assert dials.live("SF0001", "p-1", NOW + HOUR) is None
    dials.released("b-1", NOW)
    dials.released("b-1", NOW + 1)
    assert dials.live("SF0001", "p-1", NOW) is None


def test_delivery_ends_the_binding(company: Database, dials: DialStore) -> None:
    """Nobody needs to remember to unbind: another stage is the end."""
    change(company, "SF0001", stage="DELIVERED")
    assert dials.live("SF0001", "p-1", NOW) is None
    assert dials.take("h-1", "s-1", NOW) is None


def test_one_living_binding_a_waybill(dials: DialStore) -> None:
    """Another courier's binding ends the first."""
    dials.bind(replace(BOUND, id="b-2", person="p-2"))
    assert dials.live("SF0001", "p-1", NOW) is None
    assert dials.live("SF0001", "p-2", NOW) is not None
    assert dials.take("h-1", "s-1", NOW) is None


def test_capability_is_used_once(dials: DialStore) -> None:
    """A replayed capability is nothing, whoever is first."""
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: dials.take("h-1", "s-1", NOW), range(16)))
    assert [one for one in got if one] == [BOUND]


@pytest.mark.parametrize(
    ("token", "session", "at"),
    [("h-2", "s-1", NOW), ("h-1", "s-2", NOW), ("h-1", "s-1", NOW + 600)],
)
def test_capability_of_another(dials: DialStore, token: str, session: str, at: int) -> None:
    """Unknown, another session's, or expired; the rightful one is not used up by it."""
    assert dials.take(token, session, at) is None
    assert dials.take("h-1", "s-1", NOW) == BOUND


def test_attempts_count_calls_and_what_may_still_call(dials: DialStore) -> None:
    """Minting many at once is no way around the day's limit."""
    assert dials.attempts("SF0001", NOW - DAY) == 1
    assert minted(dials, "h-2")
    assert dials.attempts("SF0001", NOW - DAY) == 2
    dials.take("h-1", "s-1", NOW)
    dials.record(Call("b-1", NOW, "busy"))
    assert dials.attempts("SF0001", NOW - DAY) == 2
    assert dials.attempts("SF0002", NOW - DAY) == 0
    assert dials.attempts("SF0001", NOW + DAY) == 0


def test_a_call_by_hand_is_an_attempt(dials: DialStore) -> None:
    """Past the broker, of this parcel, since then; once, however often it is reported; no callback
    is one."""
    for name in ("c-1", "c-1", "c-2"):
        dials.record(Call("b-1", NOW, "busy", name, by_hand=True))
    dials.record(Call("b-1", NOW, "callback", "c-3"))
    assert dials.attempts("SF0001", NOW - DAY) == 3
    assert dials.attempts("SF0002", NOW - DAY) == 0
    assert dials.attempts("SF0001", NOW + 1) == 1
    assert not minted(dials, "h-2", most=3)
    assert minted(dials, "h-2", most=4)


def test_call_record_is_a_word(company: Database, dials: DialStore) -> None:
    """An outcome cannot smuggle a number."""
    dials.record(Call("b-1", NOW, "no-answer"))
    with pytest.raises(ValueError):
        dials.record(Call("b-1", NOW, "19012345678"))
    assert [row["outcome"] for row in rows(company, t.call_records)] == ["no-answer"]


def test_what_is_said_of_a_call_counts_once(company: Database, dials: DialStore) -> None:
    """Whichever comes first, the placing or the report; said again it changes nothing; a binding
    that is not known keeps none."""
    for outcome in ("placed", "off", "answered", "placed"):
        dials.record(Call("b-1", NOW, outcome, "c-1"))
    for outcome in ("busy", "placed"):
        dials.record(Call("b-1", NOW, outcome, "c-2"))
    dials.record(Call("b-9", NOW, "busy", "c-3"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dials.record(Call("b-1", NOW, "callback", "c-4")), range(16)))
    kept = [row["outcome"] for row in rows(company, t.call_records)]
    assert kept == ["off", "busy", "callback"]


def test_no_more_attempts_however_many_ask_at_once(dials: DialStore) -> None:
    """Counting and keeping are one step."""
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda n: minted(dials, f"m-{n}", most=4), range(16)))
    assert given.count(True) == 3  # and the one of before
    assert dials.attempts("SF0001", NOW - DAY) == 4


def test_a_used_capability_still_counts(dials: DialStore) -> None:
    """A call that failed has told something too."""
    dials.take("h-1", "s-1", NOW)
    assert dials.attempts("SF0001", NOW - DAY) == 1


def test_what_the_provider_still_has(company: Database, dials: DialStore) -> None:
    """With its person as they are now; over by end, expiry, another stage; gone once released."""
    (kept,) = dials.kept(NOW)
    assert (kept.binding, kept.over) == (BOUND, False)
    assert kept.who == replace(COURIER, session="")
    assert dials.kept(NOW, waybill_no="SF0002") == dials.kept(NOW, provider_ref="x-78") == []
    assert [one.over for one in dials.kept(NOW + HOUR, provider_ref="x-77")] == [True]
    change(company, "SF0001", stage="DELIVERED")
    assert [one.over for one in dials.kept(NOW, waybill_no="SF0001")] == [True]
    dials.released("b-1", NOW)
    assert dials.kept(NOW) == []


def test_a_replaced_binding_is_kept_until_it_is_released(dials: DialStore) -> None:
    """The provider would put a callback through until then."""
    dials.bind(replace(BOUND, id="b-2", person="p-2", provider_ref="x-78"))
    assert {one.binding.id: one.over for one in dials.kept(NOW)} == {"b-1": True, "b-2": False}


def test_a_leaver_holds_no_binding(company: Database, dials: DialStore) -> None:
    with company.write() as cx:
        cx.execute(t.persons.update().where(t.persons.c.id == "p-1").values(status="left"))
    assert [one.who for one in dials.kept(NOW)] == [None]


def test_long_past_expiry_nobody_is_asked(dials: DialStore) -> None:
    """The provider has forgotten it by itself: one that never answers is not asked for ever."""
    assert dials.kept(NOW + 3 * HOUR) == []
