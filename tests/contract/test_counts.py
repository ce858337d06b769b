"""Counting what an account reaches, and what a new policy moves: the same on both databases."""

from dataclasses import replace

import pytest

from acl_engine.analysis.policy_diff import diff
from acl_engine.bootstrap import reach
from acl_engine.domain import scope as s
from acl_engine.policy.pack import load_pack
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.reach import SqlCounts, principals
from acl_engine.storage.resources import WAYBILL
from tests.contract.company import NOW, FixedClock, rows
from tests.line_world import ROOT

PACK = load_pack(ROOT / "policies" / "courier" / "after")
SCOPES = [
    s.EVERYTHING,
    s.NOTHING,
    s.Compare("assignee", "==", "p-1"),
    s.Compare("assignee", "!=", "p-1"),
    s.negate(s.Compare("assignee", "==", "p-1")),
    s.Member("stage", frozenset({"OUT_FOR_DELIVERY", "DELIVERED"})),
    s.any_of(s.Compare("stop_seq", ">", 1), s.Compare("assignee_sound", "==", False)),
    s.all_of(s.Prefix("stage", "DELIV"), s.Compare("cod", "==", False)),
]


@pytest.mark.parametrize("people", [None, "recipient", "sender"])
def test_a_count_is_that_of_every_row_asked_alone(company: Database, people: str | None) -> None:
    """Records, and different people, whatever NULLs there are."""
    every = [WAYBILL.row_attributes(row) for row in rows(company, t.waybills)]
    for scope in SCOPES:
        inside = [row for row in every if s.holds(scope, row)]
        expected = len(inside), len({row[people] for row in inside}) if people else 0
        assert SqlCounts(company).count("waybill", scope, people) == expected, scope


def test_who_there_is_to_ask_for(company: Database) -> None:
    """Active accounts, on the device that is theirs now."""
    found = {one.account: one.device for one in principals(company, NOW)}
    assert found["courier-1"] == "pda-1"
    assert found["courier-2"] is None
    assert principals(company, NOW, login="nobody") == []
    assert principals(company, NOW, roles=["cs_agent"]) == []


def test_reach_and_what_a_change_moves(company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One courier at work reaches his own load; without the row he would lose it."""
    monkeypatch.setattr(reach, "people_clock", lambda database: FixedClock())
    found = {one.field: one for one in reach.reach_of(company, PACK, "courier-1", {})}
    assert found["recipient_name"].records == 3
    assert found["recipient_name"].people == {"recipient": 1}
    gone = tuple(row for row in PACK.rows if row.role != "courier")
    narrow = replace(PACK, rows=gone)
    moved = reach.diff_on(company, (PACK, narrow), diff(PACK, narrow), {})
    lost = {one.field: one for one in moved if one.action == "read" and not one.clear}
    assert not any(one.wider for one in moved)
    assert lost["recipient_name"].records == 3
    assert lost["recipient_name"].accounts == 1
