"""The roster, and how approvals went: what waits, what is overdue, who stamps."""

from dataclasses import replace

import pytest

from acl_engine.domain.approvals import Asking, Duty
from acl_engine.storage.approvals import ApprovalStore
from acl_engine.storage.database import Database
from acl_engine.storage.duties import DutyStore
from tests.contract.company import COURIER, HOUR, MANAGER, NOW, vault

LINE = Duty("b-1", "p-5", False, NOW, NOW + HOUR, "adm-01")


def case(approvals: ApprovalStore, number: str, at: int, *, review: bool = False) -> str:
    asking = Asking("look", "precheck", "waybill", number, "b-1", 1, at + 600, 10,
                    urgent=False, review_until=at + HOUR if review else None)  # fmt: skip
    return approvals.ask(COURIER, asking, at)


def test_a_line_stands_until_it_ends(company: Database) -> None:
    """With its person's unit; ended once, and never gone from the table."""
    duties = DutyStore(company)
    before = len(duties.roster(NOW))
    duties.add(LINE)
    (line,) = [one for one in duties.roster(NOW) if one.duty == LINE]
    assert line.unit == "b-1"
    assert len(duties.roster(NOW + HOUR)) <= before
    assert duties.end(line.id, NOW + 60)
    assert not duties.end(line.id, NOW + 61)
    assert line.id not in [one.id for one in duties.roster(NOW + 60)]
    assert line.id in [one.id for one in duties.roster(NOW + 59)]


def test_what_is_to_be_reviewed(company: Database) -> None:
    """What was granted, until somebody has looked; what was not drawn never."""
    approvals, duties = ApprovalStore(company, vault()), DutyStore(company)
    drawn = case(approvals, "SF0001", NOW, review=True)
    other = case(approvals, "SF0002", NOW)
    assert duties.unreviewed() == []
    for one in (drawn, other):
        approvals.vote(MANAGER, one, NOW + 30, agree=True)
    assert [(one.case, one.due) for one in duties.unreviewed()] == [(drawn, NOW + HOUR)]


def test_how_an_approver_answers(company: Database) -> None:
    """The median from asking to answering, the shortest pause, what was found wrong."""
    approvals, duties = ApprovalStore(company, vault()), DutyStore(company)
    for number, after in (("SF0001", 2), ("SF0002", 8), ("SF0003", 40)):
        one = case(approvals, number, NOW, review=True)
        approvals.vote(MANAGER, one, NOW + after, agree=number != "SF0003")
    (found,) = duties.stamping(NOW)
    assert (found.person, found.answers, found.agreed) == (MANAGER.person, 3, 2)
    assert (found.median_seconds, found.shortest_pause, found.found_wrong) == (8, 6, 0)
    assert duties.stamping(NOW + 41) == []


@pytest.mark.parametrize("sound", [True, False])
def test_what_a_review_found_wrong_counts_for_who_agreed(company: Database, sound: bool) -> None:
    approvals, duties = ApprovalStore(company, vault()), DutyStore(company)
    one = case(approvals, "SF0001", NOW, review=True)
    approvals.vote(MANAGER, one, NOW + 30, agree=True)
    reviewer = replace(MANAGER, account="aud-1", person="p-6")
    approvals.review(reviewer, one, NOW + 60, sound=sound)
    assert duties.unreviewed() == []
    assert [one.found_wrong for one in duties.stamping(NOW)] == [0 if sound else 1]
