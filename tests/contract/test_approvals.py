"""Approvals: one case is answered once, used once, and dies with whoever it rests on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from acl_engine.domain.approvals import Asking
from acl_engine.domain.errors import ActRefused
from acl_engine.domain.principal import Principal
from acl_engine.storage import tables as t
from acl_engine.storage.approvals import ApprovalStore
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from tests.contract.company import (
    AGENT,
    COURIER,
    KEEPER,
    MANAGER,
    NOW,
    FixedClock,
    put,
    request,
    rows,
    vault,
)

LOOK = Asking("look", "recontact", "waybill", "SF0005", "b-1", 1, NOW + 1800, 10)
EXPORT = replace(LOOK, kind="export", purpose="batch", object="d" * 64)
CASE = replace(request(key="A-0"), resource="approval")


def approved(database: Database, who: Principal = COURIER, at: int = NOW) -> object:
    looking = replace(request(key="SF0005"), purpose="recontact")
    return DirectoryStore(database, FixedClock(at)).facts(who, looking).subject["approved"]


def raise_epoch(database: Database, login: str) -> None:
    with database.write() as cx:
        mine = t.accounts.c.login == login
        cx.execute(t.accounts.update().where(mine).values(epoch=t.accounts.c.epoch + 1))


def refused(code: str, attempt: object) -> None:
    with pytest.raises(ActRefused) as caught:
        attempt()  # type: ignore[operator]
    assert caught.value.refusal.code == code


def test_a_granted_look_is_a_fact_for_its_asker_purpose_and_minutes(company: Database) -> None:
    """Before, for another, for another purpose, and afterwards it is none."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, LOOK, NOW)
    assert approved(company) == frozenset()
    found = store.vote(MANAGER, case, NOW + 60, agree=True)
    assert (found.stage, found.approvers) == ("GRANTED", ("p-5",))
    assert found.lives_until == NOW + 60 + 600
    assert approved(company, at=NOW + 60) == {"SF0005"}
    assert approved(company, at=NOW + 659) == {"SF0005"}
    assert approved(company, at=NOW + 660) == frozenset()
    assert approved(company, MANAGER) == frozenset()
    other = replace(request(key="SF0005"), purpose="statement")
    assert DirectoryStore(company, FixedClock()).facts(COURIER, other).subject["approved"] == set()
    none = DirectoryStore(company, FixedClock()).facts(COURIER, request(key="SF0005"))
    assert none.subject["approved"] == set()


def test_asking_twice_is_one_case(company: Database) -> None:
    """Impatience makes no second case; a closed one does."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, LOOK, NOW)
    assert store.ask(COURIER, LOOK, NOW + 5) == case
    assert store.ask(COURIER, LOOK, LOOK.answer_until) != case
    store.vote(MANAGER, case, NOW, agree=False)
    assert store.ask(COURIER, LOOK, NOW) != case


def test_silence_is_a_denial(company: Database) -> None:
    """At the end of the time for an answer nobody can grant any more."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, LOOK, NOW)
    refused("approval.closed", lambda: store.vote(MANAGER, case, LOOK.answer_until, agree=True))
    assert approved(company) == frozenset()


def test_one_refusal_is_final(company: Database) -> None:
    """Of two who are needed, one says no: nobody can turn it."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, replace(LOOK, approvers=2), NOW)
    assert store.vote(MANAGER, case, NOW, agree=True).stage == "ASKED"
    assert store.vote(KEEPER, case, NOW, agree=False).stage == "REFUSED"
    refused("approval.closed", lambda: store.vote(AGENT, case, NOW, agree=True))


def test_two_are_two_persons(company: Database) -> None:
    """One person does not count twice, not even from another account."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, replace(LOOK, approvers=2), NOW)
    store.vote(MANAGER, case, NOW, agree=True)
    again = replace(MANAGER, account="cs-1")
    refused("approval.answered-already", lambda: store.vote(again, case, NOW, agree=True))
    assert approved(company) == frozenset()
    assert store.vote(KEEPER, case, NOW, agree=True).stage == "GRANTED"
    assert approved(company) == {"SF0005"}


@pytest.mark.parametrize("changed", ["courier-1", "sup-1"])
def test_an_old_epoch_is_dead_at_the_next_decision(company: Database, changed: str) -> None:
    """Whether the asker's account changed or the approver's: the grant is gone."""
    store = ApprovalStore(company, vault())
    look, export = store.ask(COURIER, LOOK, NOW), store.ask(COURIER, EXPORT, NOW)
    for case in (look, export):
        store.vote(MANAGER, case, NOW, agree=True)
    raise_epoch(company, changed)
    assert approved(company) == frozenset()
    refused(
        "approval.not-usable",
        lambda: store.take(COURIER, export, "export", EXPORT.object, NOW),
    )


def test_an_asker_whose_account_changed_is_granted_nothing(company: Database) -> None:
    """Asked before the move, answered after it."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, LOOK, NOW)
    raise_epoch(company, "courier-1")
    refused("approval.asker-changed", lambda: store.vote(MANAGER, case, NOW, agree=True))


def test_a_grant_for_an_act_is_used_once_by_its_asker_for_its_object(company: Database) -> None:
    """Another's, another object, another kind, too late, twice: refused, and nothing used up."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, EXPORT, NOW)
    wanted = (COURIER, case, "export", EXPORT.object, NOW)
    refused("approval.not-usable", lambda: store.take(*wanted))
    store.vote(MANAGER, case, NOW, agree=True)
    for other in (
        (replace(COURIER, account="courier-2"), *wanted[1:]),
        (*wanted[:2], "publish", *wanted[3:]),
        (*wanted[:3], "e" * 64, NOW),
        (*wanted[:4], NOW + 600),
    ):
        refused("approval.not-usable", lambda other=other: store.take(*other))
    used = store.take(*wanted)
    assert (used.stage, used.approvers) == ("USED", ("p-5",))
    refused("approval.not-usable", lambda: store.take(*wanted))


def test_what_is_withdrawn_gives_nothing(company: Database) -> None:
    """By the asker alone, also after the grant."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, LOOK, NOW)
    refused("approval.not-open", lambda: store.withdraw(MANAGER, case, NOW))
    store.vote(MANAGER, case, NOW, agree=True)
    assert store.withdraw(COURIER, case, NOW).stage == "WITHDRAWN"
    assert approved(company) == frozenset()


def test_a_review_is_written_once(company: Database) -> None:
    """The first finding stands."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, replace(LOOK, review_until=NOW + 60), NOW)
    store.review(AGENT, case, NOW, sound=False)
    refused("approval.reviewed", lambda: store.review(KEEPER, case, NOW, sound=True))
    (row,) = rows(company, t.approvals)
    assert (row["reviewed_by"], row["sound"]) == ("p-6", False)


def test_sixty_four_answers_and_uses_at_once(company: Database) -> None:
    """One grants, one uses; the others are refused, and nobody waits for ever."""
    store = ApprovalStore(company, vault())
    case = store.ask(COURIER, EXPORT, NOW)

    def won(attempt: object) -> bool:
        try:
            attempt()  # type: ignore[operator]
        except ActRefused:
            return False
        return True

    def vote(number: int) -> bool:
        who = replace(MANAGER, person=f"approver-{number}")
        return won(lambda: store.vote(who, case, NOW, agree=True))

    def take(_: int) -> bool:
        return won(lambda: store.take(COURIER, case, "export", EXPORT.object, NOW))

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(vote, range(64))) == 1
        assert sum(pool.map(take, range(64))) == 1
    assert len(rows(company, t.approval_votes)) == 1


def duty(database: Database, desk: str, person: str, made_by: str, until: int = NOW + 60) -> None:
    put(database, t.duties, desk=desk, person=person, substitute=False, starts_at=NOW - 60,
        ends_at=until, made_by=made_by)  # fmt: skip


def test_duty_counts_by_anothers_hand_and_now(company: Database) -> None:
    """A line of one's own, one that is over, and another's are no duty."""
    duty(company, "b-1", "p-5", "board")
    duty(company, "own", "p-5", "p-5")
    duty(company, "login", "p-5", "sup-1")
    duty(company, "over", "p-5", "board", until=NOW)
    duty(company, "other", "p-7", "board")
    facts = DirectoryStore(company, FixedClock()).facts(MANAGER, CASE).subject
    assert facts["duties"] == {"b-1"}


def test_makers_are_found_over_any_number_of_steps(company: Database) -> None:
    """Who made the account, who made that one, and who put them on duty."""
    made = {"sup-1": "keeper-2", "keeper-2": "courier-1", "courier-1": "board"}
    with company.write() as cx:
        for login, by in made.items():
            cx.execute(t.accounts.update().where(t.accounts.c.login == login).values(made_by=by))
    duty(company, "b-1", "p-5", "p-6")
    store = DirectoryStore(company, FixedClock())
    makers = store.facts(MANAGER, CASE).subject["makers"]
    assert isinstance(makers, frozenset)
    assert {"p-7", "p-1", "p-6", "board"} <= makers
    assert "p-5" not in makers


def test_an_account_nobody_is_known_to_have_made_has_no_makers(company: Database) -> None:
    """Unknown is not nobody: a relation over it denies."""
    assert DirectoryStore(company, FixedClock()).facts(MANAGER, CASE).subject["makers"] is None
