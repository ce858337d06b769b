"""Locking a company out of its own accounts, and administering when nobody may. Both databases."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.account_world import Company
from tests.contract.company import request
from tests.contract.till import Till
from tests.identity_world import NOW

from acl_engine.bootstrap.budget_freezes import BudgetFreezes
from acl_engine.bootstrap.watch import detector
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AuditUnavailable, ChangeRefused, SessionDead
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Message
from acl_engine.storage.database import Database
from acl_engine.storage.tables import sessions

ADMIN, OTHER = "courier-2", "weak-1"
RULES = Path(__file__).parents[2] / "policies" / "courier" / "detection"
LIMIT = BudgetLimit(per="person", window="day", limit=1, then="freeze")


class Office:
    """courier-2 administers, is logged in, and looks beyond a limit that freezes."""

    def __init__(self, database: Database) -> None:
        self.company = Company(database)
        self.company.account(ADMIN, role="account_admin")
        self.company.account(OTHER, role="courier")
        self.hand, self.log = self.company.hand, self.company.log
        self.said: list[Message] = []
        desk = self.company.acts.desk
        freeze = BudgetFreezes(desk, self.hand.factors, self.said.append)
        self.store = Till(database, [LIMIT], self.hand, freeze=freeze)

    def look_beyond(self, login: str = ADMIN) -> str:
        account = self.hand.store.account(login)
        assert account is not None
        who = Principal(login, account.owner, account.role, "u1", "s", None, None)
        self.store.settle(self.store.reserve(who, request(), 1), 1)
        with pytest.raises(Exception) as caught:
            self.store.reserve(who, request(), 1)
        refusal = getattr(caught.value, "refusal", None)
        return refusal.code if refusal else type(caught.value).__name__

    def written(self) -> list[tuple[str, str]]:
        return [(one.action, one.reason) for one in self.log]

    def held(self) -> bool:
        with self.hand.database.read() as cx:
            mine = sessions.c.login == ADMIN, sessions.c.ended_at.is_(None)
            return bool(cx.scalar(select(sessions.c.held_at).where(*mine)))


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def test_a_budget_holds_the_last_administrator(office: Office) -> None:
    """Refused and held, loudly; not frozen, so that somebody can still undo a freeze."""
    token = office.hand.login(ADMIN, device="pda-2")
    assert office.look_beyond() == "budget.frozen"
    assert office.company.status(ADMIN) == "active"
    assert office.held()
    with pytest.raises(SessionDead):
        office.hand.sessions.resolve(token)
    assert office.written() == [("account.spare", "last-administrator")]
    assert [one.code for one in office.said] == ["budget.last-administrator"]
    office.hand.later(seconds=30)
    office.hand.prove(token, device="pda-2")
    office.company.acts.suspend(OTHER, ADMIN)


def test_with_another_in_force_an_administrator_is_frozen(office: Office) -> None:
    office.company.account(OTHER, role="account_admin")
    assert office.look_beyond() == "budget.frozen"
    assert office.company.status(ADMIN) == "suspended"
    assert office.said == []
    with pytest.raises(ChangeRefused):
        office.company.acts.resume(ADMIN, ADMIN, "explained")
    office.company.acts.resume(ADMIN, OTHER, "explained")
    assert office.company.status(ADMIN) == "active"


def test_a_colleague_who_lapsed_is_no_keeper(office: Office) -> None:
    office.company.account(OTHER, role="account_admin")
    office.company.person("p3", trained_at=1)
    assert office.look_beyond() == "budget.frozen"
    assert office.company.status(ADMIN) == "active"


def test_everybody_else_is_frozen(office: Office) -> None:
    assert office.look_beyond("courier-1") == "budget.frozen"
    assert office.company.status("courier-1") == "suspended"
    assert office.written() == []


def test_no_record_and_the_look_stays_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that cannot be written answers nobody."""

    def full(entry: AuditEntry) -> object:
        from acl_engine.bootstrap.desk import NOT_ADMINISTRATOR

        raise AuditUnavailable(NOT_ADMINISTRATOR.of(by="x", roles="x"))

    desk = office.company.acts.desk
    object.__setattr__(desk, "audit", full)
    assert office.look_beyond() == "AuditUnavailable"
    assert office.company.status(ADMIN) == "active"


def test_administering_while_nobody_is_in_force_is_loud(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """All have lapsed: whoever holds database and key brings one back; said, and on record."""
    office.company.person("p2", trained_at=1)
    standing = office.company.standing
    with caplog.at_level(logging.WARNING, "acl_engine.alarm"):
        with pytest.raises(ChangeRefused):  # nobody brings themselves back
            standing.train("p2", "privacy", NOW, ADMIN)
        standing.train("p2", "privacy", NOW, "setup")
    assert ("account.without-administrator", "training") in office.written()
    assert "administration-nobody-in-force" in caplog.text
    before = len(office.log)
    with pytest.raises(ChangeRefused):  # one is in force again: the way is closed
        office.company.acts.suspend("courier-1", "setup")
    assert "account.without-administrator" not in [one.action for one in office.log[before:]]


def test_a_rule_watches_for_it() -> None:
    _, rules = detector(RULES)
    rule = rules["nobody-in-force"]
    assert (rule.level, rule.acl.response) == ("critical", "notify")
