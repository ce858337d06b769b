"""What counts once counts once: two processes race for each on SQLite and on PostgreSQL.

A code at two logins, at two step-ups, at a login and a step-up; a recovery code; an enrolment; an
approval that is used, and one person's answer to it. Every round has one winner, and every round
has a loser.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import insert, select

from acl_engine.domain.accounts import NewSession
from acl_engine.domain.approvals import Asking
from acl_engine.domain.enrolments import Enrolment
from acl_engine.domain.errors import ActRefused, InputError
from acl_engine.domain.staff import AccountChange
from acl_engine.storage.approvals import ApprovalStore
from acl_engine.storage.database import Database
from acl_engine.storage.enrolments import SqlEnrolments
from acl_engine.storage.factors import SqlFactors
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.staff import SqlStaffDirectory
from acl_engine.storage.tables import accounts, approvals, recovery_codes
from tests.contract.company import COURIER, KEEPER, MANAGER, NOW, build, vault
from tests.racing import ROUNDS, Runner, race

LOGIN = "courier-1"
EXPORT = Asking("export", "batch", "waybill", "d" * 64, "b-1", 1, NOW + 1800, 10)


@dataclass
class Side:
    """One process: what it does in a round of each kind, with what both of them race for."""

    database: Database
    name: str

    def __post_init__(self) -> None:
        self.identity, self.factors = SqlIdentityStore(self.database), SqlFactors(self.database)
        self.staff = SqlStaffDirectory(self.database)
        self.approvals = ApprovalStore(self.database, vault())

    def login(self, token: str, **shown: object) -> str:
        account = self.identity.account(LOGIN)
        assert account is not None
        new = NewSession(token, account, None, None, 0, NOW, NOW - 60, NOW + 3600)
        return str(self.identity.open_session(replace(new, **shown)))  # type: ignore[arg-type]

    def prove(self, step: int) -> str:
        return str(self.factors.prove("mine", LOGIN, 0, step, NOW))

    def two_logins(self, step: int) -> str:
        return self.login(f"l{self.name}{step}", totp_step=step)

    def two_step_ups(self, step: int) -> str:
        return self.prove(step)

    def login_and_step_up(self, step: int) -> str:
        if self.name == "a":
            return self.prove(step)
        return self.login(f"m{self.name}{step}", totp_step=step)

    def recovery_code(self, number: int) -> str:
        return self.login(f"r{self.name}{number}", recovery=f"code-{number}")

    def enrolment(self, number: int) -> str:
        """Two authenticators for one code: one of them is the account's, and the other is not."""
        seed, used = self.name.encode(), f"{number:064}"
        change = AccountChange(totp_seed=seed, totp_step=1, enrolment=used)
        try:
            self.staff.change_account(f"new-{number}", change, NOW)
        except InputError as refused:
            return refused.message.code
        account = self.identity.account(f"new-{number}")
        assert account is not None
        return "done" if account.totp_seed == seed else "overwritten"

    def approval_used(self, number: int) -> str:
        case = CASES["used"][number]
        return acted(lambda: self.approvals.take(COURIER, case, "export", f"{number:064}", NOW))

    def one_answer(self, number: int) -> str:
        case = CASES["answered"][number]
        who = MANAGER if self.name == "a" else replace(MANAGER, account=KEEPER.account)
        return acted(lambda: self.approvals.vote(who, case, NOW, agree=True))


CASES: dict[str, list[str]] = {"used": [], "answered": []}
WON = frozenset({"opened", "proved", "done"})
KINDS = (
    "two_logins", "two_step_ups", "login_and_step_up", "recovery_code", "enrolment",
    "approval_used", "one_answer",
)  # fmt: skip


def acted(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except ActRefused as refused:
        return refused.refusal.code
    return "done"


def racer(url: str, runner: Runner) -> None:
    """Every kind, round by round; a code's step is newer than any before it."""
    with Database.open(url) as database:
        side = Side(database, runner.name)
        read_cases(database)
        for place, kind in enumerate(KINDS):
            for number in range(ROUNDS):
                item = number + (place * 100 + 1 if place < 3 else 0)
                runner.together()
                runner.say(f"{kind} {number} {getattr(side, kind)(item)}")


def prepare(url: str) -> None:
    with Database.open(url) as database:
        build(database)
        side = Side(database, "a")
        assert side.login("mine") == "opened"
        codes = [{"code_hash": f"code-{n}", "login": LOGIN, "made_at": NOW} for n in range(ROUNDS)]
        with database.write() as cx:
            cx.execute(insert(recovery_codes), codes)
        for number in range(ROUNDS):
            new = {"login": f"new-{number}", "role": "courier", "unit": "b-1", "status": "active"}
            with database.write() as cx:
                cx.execute(insert(accounts).values(**new, password_hash="!"))
            opened = Enrolment(new["login"], f"{number:064}", 0, NOW + 60)
            SqlEnrolments(database).put(opened, NOW)
            case = side.approvals.ask(COURIER, replace(EXPORT, object=f"{number:064}"), NOW)
            side.approvals.vote(MANAGER, case, NOW, agree=True)
            two = replace(EXPORT, object=f"e{number:063}", approvers=2)
            side.approvals.ask(COURIER, two, NOW)


def read_cases(database: Database) -> None:
    with database.read() as cx:
        query = select(approvals.c.approval_no, approvals.c.needed).order_by(approvals.c.id)
        for row in cx.execute(query):
            CASES["answered" if row.needed == 2 else "used"].append(row.approval_no)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def rounds(request: pytest.FixtureRequest) -> dict[str, list[list[str]]]:
    """Of each kind, what the two said in each round."""
    url = request.getfixturevalue(f"own_{request.param}_url")
    prepare(url)
    found: dict[str, list[list[str]]] = {kind: [[] for _ in range(ROUNDS)] for kind in KINDS}
    for said in race(racer, url, 2 * ROUNDS * len(KINDS)):
        kind, number, what = said.split()
        found[kind][int(number)].append(what)
    return found


LOST = {
    "enrolment": "staff-changed",
    "one_answer": "approval.answered-already",
    "approval_used": "approval.not-usable",
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_one_winner(rounds: dict[str, list[list[str]]], kind: str) -> None:
    for said in rounds[kind]:
        assert Counter(one in WON for one in said) == {True: 1, False: 1}, said
        assert LOST.get(kind, "code-used") in said
