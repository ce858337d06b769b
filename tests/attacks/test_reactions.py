"""What an alert does to accounts, and what nobody can make it do to others. Both databases."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.account_world import Company
from tests.contract.test_audit_store import entry

from acl_engine.bootstrap.reactions import AccountReactions
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Alert, Response
from acl_engine.domain.errors import (
    ChangeRefused,
    InputError,
    LoginRefused,
    SessionDead,
    StoreError,
)
from acl_engine.storage.database import Database
from acl_engine.storage.failures import LOCKED

ADMIN = "weak-1"


class Detection:
    """A company, a log of what its accounts did, and alerts that rest on it."""

    def __init__(self, database: Database) -> None:
        self.company = Company(database)
        self.log: list[AuditEntry] = []
        desk = self.company.acts.desk
        self.reactions = AccountReactions(desk, self.company.hand.factors, self.log.__getitem__)

    def did(self, account: str, action: str = "login", reason: str = "") -> None:
        effect = "deny" if reason else "allow"
        values = {"account": account, "action": action, "effect": effect, "reason": reason}
        self.log.append(replace(entry("r", kind="event"), **values))  # type: ignore[arg-type]

    def alert(self, response: Response, *accounts: str) -> None:
        evidence = tuple(range(len(self.log)))
        group = (("account", accounts[0]),)
        self.reactions.react(
            Alert("a1", "rented", "high", response, 0, group, 3, accounts, (), evidence)
        )

    def written(self) -> list[tuple[str, str]]:
        return [(one.action, one.reason) for one in self.company.log]


@pytest.fixture
def detection(database: Database) -> Iterator[Detection]:
    return Detection(database)


def test_a_freeze_is_out_at_once_and_is_undone_for_a_reason(detection: Detection) -> None:
    """The open session is dead; the record names the alert and its evidence; a resume says why."""
    company = detection.company
    token = company.hand.login()
    detection.did("courier-1")
    detection.alert("freeze", "courier-1")
    with pytest.raises(SessionDead):
        company.hand.sessions.resolve(token)
    record = company.log[-1]
    assert (record.action, record.account, record.reason) == (
        "account.suspend", "detection", "rented",
    )  # fmt: skip
    assert (record.digest, record.evidence) == ("a1", (0,))
    for reason in ("", "他说没事"):
        with pytest.raises(InputError) as caught:
            company.acts.resume("courier-1", ADMIN, reason)
        assert caught.value.message.code == "administration-frozen"
    company.acts.suspend("courier-1", ADMIN)  # does not turn it into a suspension without a cause
    with pytest.raises(InputError):
        company.acts.resume("courier-1", ADMIN)
    company.acts.resume("courier-1", ADMIN, "secrets-renewed")
    assert company.log[-1].reason == "secrets-renewed"
    company.hand.later(seconds=30)
    company.hand.login()


def test_a_step_up_asks_the_next_look_for_a_second_factor(detection: Detection) -> None:
    """The session waits; its person shows code and device, and goes on in the same session."""
    hand = detection.company.hand
    token = hand.login()
    detection.did("courier-1", "read")
    detection.alert("step-up", "courier-1")
    with pytest.raises(SessionDead) as dead:
        hand.sessions.resolve(token)
    assert dead.value.refusal.controls == ("step-up",)
    hand.later(seconds=30)
    hand.prove(token)
    assert hand.sessions.resolve(token).account == "courier-1"


@pytest.mark.parametrize("reason", ["password-wrong", "throttled", "busy"])
@pytest.mark.parametrize("response", ["freeze", "step-up"])
def test_failing_in_anothers_name_shuts_nobody_out(
    detection: Detection, response: Response, reason: str
) -> None:
    """A stolen scanner on which names are tried: who never opened it goes on working."""
    token = detection.company.hand.login()
    for _ in range(3):
        detection.did("courier-1", reason=reason)
    detection.did("courier-2")
    detection.alert(response, "courier-1", "courier-2")
    assert detection.company.hand.sessions.resolve(token).account == "courier-1"
    assert ("account.spare", "only-tried") in detection.written()
    frozen = detection.company.status("courier-2") == "suspended"
    assert frozen == (response == "freeze")


def test_a_sold_password_freezes_without_a_single_login(detection: Detection) -> None:
    """Right password on three strange devices: refused each time, and known to be out."""
    detection.did("courier-1", reason="device-not-proven")
    detection.alert("freeze", "courier-1")
    assert detection.company.status("courier-1") == "suspended"


def test_the_last_administrator_is_held_and_not_frozen(detection: Detection) -> None:
    """Somebody is left to undo a freeze; with another in force, nobody is spared."""
    detection.did(ADMIN)
    detection.alert("freeze", ADMIN)
    assert detection.company.status(ADMIN) == "active"
    assert detection.written() == [
        ("account.spare", "last-administrator"),
        ("account.hold", "rented"),
    ]
    detection.company.account("courier-2", role="account_admin")
    detection.alert("freeze", ADMIN)
    assert detection.company.status(ADMIN) == "suspended"


def test_a_suspended_colleague_is_no_keeper(detection: Detection) -> None:
    """Nor is one whose training has lapsed: neither could undo anything."""
    detection.company.account("courier-2", role="account_admin")
    detection.company.person("p2", trained_at=1)
    detection.did(ADMIN)
    detection.alert("freeze", ADMIN)
    assert detection.company.status(ADMIN) == "active"


def test_two_administrators_frozen_at_once_leave_one(detection: Detection) -> None:
    """Each is the other's keeper; two watches race."""
    detection.company.account("courier-2", role="account_admin")
    both = {ADMIN: ("courier-2",), "courier-2": (ADMIN,)}
    start, said = threading.Barrier(2), []

    def freeze(login: str) -> None:
        start.wait(10)
        said.append(detection.company.directory.freeze(login, both[login], 1))

    racing = [threading.Thread(target=freeze, args=(one,)) for one in both]
    for one in racing:
        one.start()
    for one in racing:
        one.join(30)
    assert sorted(said) == [False, True]
    assert sorted(detection.company.status(one) for one in both) == ["active", "suspended"]


def test_who_has_left_is_not_made_suspended(detection: Detection) -> None:
    detection.did("courier-1")
    detection.company.acts.leave("p1", ADMIN)
    detection.alert("freeze", "courier-1", "nobody-9")
    assert detection.company.status("courier-1") == "left"


def test_typing_a_services_name_shuts_no_service_out(detection: Detection) -> None:
    """It has no password: a stranger's attempt, with nothing right, gets as far as the device."""
    hand = detection.company.hand
    with pytest.raises(LoginRefused) as refused:
        hand.logins.login("svc-dial", "anything")
    detection.did("svc-dial", reason=refused.value.attempt.refusal.code)
    detection.alert("freeze", "svc-dial")
    assert detection.company.status("svc-dial") == "active"
    detection.did("svc-dial")  # whoever opened it had its key
    detection.alert("freeze", "svc-dial")
    assert detection.company.status("svc-dial") == "suspended"


def test_a_suspension_before_the_alert_does_not_swallow_it(detection: Detection) -> None:
    """Suspended by a friend or by the roster of leave just before the watch runs: who is let in
    again is let in for a reason, as after any freeze."""
    company = detection.company
    detection.did("courier-1")
    company.acts.suspend("courier-1", ADMIN)
    detection.alert("freeze", "courier-1")
    with pytest.raises(InputError):
        company.acts.resume("courier-1", ADMIN)
    company.acts.resume("courier-1", ADMIN, "explained")


def test_tried_again_it_undoes_no_resumption(
    detection: Detection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two could not be frozen. The other is cleared, and stays in when the first is tried
    again."""
    company = detection.company
    directory = company.acts.desk.directory
    freeze = directory.freeze

    def busy(login: str, *rest: Any) -> bool:
        if login == "courier-2":
            raise StoreError(LOCKED.of(database="x"))
        return freeze(login, *rest)

    detection.did("courier-1")
    detection.did("courier-2")
    monkeypatch.setattr(directory, "freeze", busy)
    with pytest.raises(StoreError):
        detection.alert("freeze", "courier-1", "courier-2")
    company.acts.resume("courier-1", ADMIN, "false-alarm")
    monkeypatch.setattr(directory, "freeze", freeze)
    detection.alert("freeze", "courier-1", "courier-2")
    assert [company.status(one) for one in ("courier-1", "courier-2")] == ["active", "suspended"]


def test_the_frozen_one_cannot_let_themselves_in(detection: Detection) -> None:
    """An administrator whom an alert froze, with another in force: neither by their own login nor
    by a name of nobody."""
    company = detection.company
    company.account("courier-2", role="account_admin")
    detection.did(ADMIN)
    detection.alert("freeze", ADMIN)
    for by in (ADMIN, "courier-1", "nobody-9", "detection"):
        with pytest.raises(ChangeRefused):
            company.acts.resume(ADMIN, by, "false-alarm")
    assert company.status(ADMIN) == "suspended"
