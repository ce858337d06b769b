"""Dial: one call a capability, for its session, while the parcel is where it was; no number."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from acl_engine.domain.calls import Binding, Call
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.dials import DialStore
from tests.contract.company import DAY, HOUR, NOW, change, rows

BOUND = Binding("b-1", "SF0001", "p-1", "pda-1", "OUT_FOR_DELIVERY", "x-77", NOW + HOUR)


@pytest.fixture
def dials(company: Database) -> DialStore:
    store = DialStore(company)
    store.bind(BOUND)
    store.mint("h-1", "b-1", "s-1", NOW + 600)
    return store


def test_living_binding(dials: DialStore) -> None:
    """For its parcel and person, until it expires or is ended."""
    assert dials.live("SF0001", "p-1", NOW) == BOUND
    assert dials.live("SF0001", "p-2", NOW) is None
    assert dials.live("SF0002", "p-1", NOW) is None
    assert dials.live("SF0001", "p-1", NOW + HOUR) is None
    dials.unbind("b-1", NOW)
    dials.unbind("b-1", NOW + 1)
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
    dials.mint("h-2", "b-1", "s-1", NOW + 600)
    assert dials.attempts("SF0001", NOW - DAY) == 2
    dials.take("h-1", "s-1", NOW)
    dials.record(Call("b-1", NOW, "busy"))
    assert dials.attempts("SF0001", NOW - DAY) == 2
    assert dials.attempts("SF0002", NOW - DAY) == 0
    assert dials.attempts("SF0001", NOW + DAY) == 0


def test_call_record_is_a_word(company: Database, dials: DialStore) -> None:
    """An outcome cannot smuggle a number."""
    dials.record(Call("b-1", NOW, "no-answer"))
    with pytest.raises(ValueError):
        dials.record(Call("b-1", NOW, "19012345678"))
    assert [row["outcome"] for row in rows(company, t.call_records)] == ["no-answer"]
