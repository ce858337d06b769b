"""HR files and old systems' account lists: all or nothing, each bad row named. Both databases."""

from dataclasses import replace

import pytest

from acl_engine.audit import record
from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.staff_imports import StaffImports
from acl_engine.domain.errors import ChangeRefused, InputError, SessionDead
from acl_engine.domain.staff_plan import Plan
from acl_engine.identity.standing import DAY
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from tests.account_world import Company
from tests.identity_world import NOW, PASSWORDS

HEADER = "person,name,unit,superior,role,login,status,kind,sponsor,starts,ends\n"
HERE = {
    "owner": "owner,owner,u1,,hq_ops,boss-1,active,,,,",
    "p1": "p1,p1,u1,p2,courier,courier-1,active,,,,",
    "p2": "p2,p2,u1,owner,courier,courier-2,active,,,,",
    "p3": "p3,p3,u1,owner,account_admin,weak-1,active,,,,",
}


@pytest.fixture
def company(database: Database) -> Company:
    made = Company(database)
    made.acts.create("boss-1", "owner", "hq_ops", "u1", "weak-1")
    made.log.clear()
    return made


def hr(company: Company, *rows: str, absent: bool = False) -> tuple[Plan | None, list[str]]:
    """The plan, and `row code` of each refused row."""
    data = (HEADER + "\n".join(rows) + "\n").encode()
    imports = StaffImports(company.acts, "weak-1")
    plan, findings = imports.hr(data, "hr.csv", encoding="utf-8-sig", absent_leave=absent)
    return plan, [f"{one.row} {one.message.code}" for one in findings]


def apply(company: Company, plan: Plan, **more: int) -> None:
    StaffImports(company.acts, "weak-1").apply(plan, plan.digest[:12], "import-hr", **more)


def rows(**changed: str) -> list[str]:
    return [changed.get(person, row) for person, row in HERE.items()]


def test_a_file_that_says_what_is_changes_nothing(company: Company) -> None:
    plan, refused = hr(company, *HERE.values())
    assert refused == []
    assert plan
    assert plan.empty
    assert plan.unchanged == 4


def test_joiner_mover_and_leaver_at_once(company: Company) -> None:
    """And whoever loses a right is out at the next decision."""
    one, two = company.hand.login(), company.hand.login("courier-2", device="pda-2")
    plan, refused = hr(
        company,
        "p9,新人,u1,owner,courier,courier-9,active,,,,",
        "p2,p2,u1,owner,cs_agent,courier-2,active,,,,",
        "p1,,,,,courier-1,left,,,,",
    )
    assert refused == []
    assert plan
    assert [one.kind for one in plan.differences] == ["joins", "moves", "leaves"]
    assert "新人" not in repr(plan.differences)
    apply(company, plan)
    assert company.status("courier-9") == "pending"
    assert company.acts.account("courier-2").role == "cs_agent"
    assert company.acts.account("courier-2").made_by == "weak-1"
    assert company.status("courier-1") == "left"
    for token in (one, two):
        with pytest.raises(SessionDead):
            company.hand.sessions.resolve(token)
    actions = [entry.action for entry in company.log]
    assert actions == ["account.create", "account.move", "person.leave", "account.import-hr"]
    assert {entry.digest for entry in company.log} == {plan.digest}
    assert all(entry.subjects for entry in company.log[:3])


BAD: dict[str, tuple[str, str]] = {
    "unknown unit": ("p9,x,nowhere,owner,courier,c-9,active,,,,", "hr-no-unit"),
    "unknown role": ("p9,x,u1,owner,typo,c-9,active,,,,", "account-unknown-role"),
    "role of a service": ("p9,x,u1,owner,dial_broker,c-9,active,,,,", "account-unknown-role"),
    "no such superior": ("p9,x,u1,ghost,courier,c-9,active,,,,", "account-no-superior"),
    "second head": ("p9,x,u1,,courier,c-9,active,,,,", "account-no-superior"),
    "own superior": ("p9,x,u1,p9,courier,c-9,active,,,,", "account-superior-cycle"),
    "cycle": ("p2,p2,u1,p1,courier,courier-2,active,,,,", "account-superior-cycle"),
    "bad login": ("p9,x,u1,owner,courier,A b,active,,,,", "administration-bad-login"),
    "generic login": ("p9,x,u1,owner,courier,admin,active,,,,", "administration-generic-login"),
    "another's login": ("p9,x,u1,owner,courier,courier-1,active,,,,", "hr-login-taken"),
    "second account": ("p1,p1,u1,p2,courier,c-9,active,,,,", "hr-other-login"),
    "term that ends before it starts": (
        "p9,x,u1,owner,courier,c-9,active,,,2099-02-01,2099-01-01",
        "hr-backwards",
    ),
    "term in the past": ("p9,x,u1,owner,courier,c-9,active,,,,2020-01-01", "hr-past"),
    "no date": ("p9,x,u1,owner,courier,c-9,active,,,,31.12.2026", "staff-file-date"),
    "no such day": ("p9,x,u1,owner,courier,c-9,active,,,,2026-02-30", "staff-file-date"),
    "temporary without end": ("p9,x,u1,owner,courier,c-9,active,temporary,p2,,", "hr-term"),
    "temporary for ever": ("p9,x,u1,owner,courier,c-9,active,temporary,p2,,2099-01-01", "hr-term"),
    "temporary without sponsor": (
        "p9,x,u1,owner,courier,c-9,active,temporary,,,2026-03-30",
        "hr-term",
    ),
    "status": ("p9,x,u1,owner,courier,c-9,maybe,,,,", "staff-file-word"),
    "no name": ("p9,,u1,owner,courier,c-9,active,,,,", "staff-file-lacks"),
    "formula": ("p9,=cmd(),u1,owner,courier,c-9,active,,,,", "staff-file-control"),
    "too few cells": ("p9,x,u1", "staff-file-width"),
    "temporary beyond their roles": (
        "p9,x,u1,owner,branch_mgr,c-9,active,temporary,p2,,2026-03-30",
        "account-temporary-role",
    ),
    "a regular who becomes temporary keeps no greater role": (
        "p3,p3,u1,owner,account_admin,weak-1,active,temporary,p2,,2026-03-30",
        "account-self-granted",
    ),
    "sponsor of oneself": (
        "p1,p1,u1,p2,courier,courier-1,active,temporary,p1,,2026-03-30",
        "hr-term",
    ),
    "a leaver by another's login": ("p1,,,,,courier-2,left,,,,", "hr-login-taken"),
    "importer's own superior": (
        "p3,p3,u1,p2,account_admin,weak-1,active,,,,",
        "account-self-granted",
    ),
    "importer's own term": (
        "p3,p3,u1,owner,account_admin,weak-1,active,,,,2030-01-01",
        "account-self-granted",
    ),
    "importer's own role": ("p3,p3,u1,owner,branch_mgr,weak-1,active,,,,", "account-self-granted"),
}


@pytest.mark.parametrize("what", BAD)
def test_one_bad_row_and_nothing_is_done(company: Company, what: str) -> None:
    row, code = BAD[what]
    good = "p8,y,u1,owner,courier,c-8,active,,,,"
    plan, refused = hr(company, good, row)
    assert (plan, refused) == (None, [f"3 {code}"])


def test_duplicates_are_named_with_the_first_row(company: Company) -> None:
    one = "p9,x,u1,owner,courier,c-9,active,,,,"
    plan, refused = hr(company, one, one, "p8,x,u1,owner,courier,c-9,active,,,,")
    assert plan is None
    assert refused == ["3 hr-twice", "4 hr-twice"]


def test_every_bad_row_is_named_at_once(company: Company) -> None:
    found = hr(company, *(row for row, _ in BAD.values()))[1]
    assert len({one.split()[0] for one in found}) >= len(BAD) - 2


def test_a_service_is_nobodys_account(company: Company) -> None:
    """Its owner has none of their own; with a role of staff its key alone would open it."""
    company.account("boss-1", status="left")
    row = "owner,owner,u1,,hq_ops,svc-dial,active,,,,"
    assert hr(company, row) == (None, ["2 hr-login-taken"])


@pytest.mark.parametrize("gone", ["p2,,,,,courier-2,left,,,,", None])
def test_a_sponsor_is_regular_and_stays(company: Company, gone: str | None) -> None:
    """As `acl account extend` has it: neither temporary, nor leaving by the same file."""
    if gone is None:
        company.person("p2", kind="temporary", ends_at=NOW + 9 * DAY, sponsor="owner")
    row = "p9,x,u1,owner,courier,c-9,active,temporary,p2,,2026-03-30"
    plan, refused = hr(company, row, *([gone] if gone else []))
    assert plan is None
    assert refused[0] == ("2 account-no-sponsor" if gone else "2 hr-term")


def test_a_superior_who_leaves_by_the_same_file_is_none(company: Company) -> None:
    plan, refused = hr(company, HERE["p1"], "p2,,,,,courier-2,left,,,,")
    assert (plan, refused) == (None, ["2 account-no-superior"])


def test_the_absent_leave_only_when_told_so_and_not_by_hundreds(company: Company) -> None:
    plan, _ = hr(company, HERE["owner"], HERE["p3"], absent=True)
    assert plan
    assert set(plan.leavers) == {"p1", "p2"}
    many = [f"x{n},x,u1,owner,courier,cx-{n},active,,,," for n in range(30)]
    joined, _ = hr(company, *many)
    assert joined
    apply(company, joined)
    mass, _ = hr(company, *HERE.values(), absent=True)
    assert mass
    with pytest.raises(InputError) as caught:
        apply(company, mass)
    assert caught.value.message.code == "import-many-leave"
    apply(company, mass, leavers=len(mass.leavers))


def test_each_of_many_is_on_record(company: Company) -> None:
    """More people than one record can name; the real log takes them."""
    log = AuditStore(company.database, record.encode, record.leaf_hash, record.decode)
    acts = Administration(replace(company.acts.desk, audit=log.append), PASSWORDS)
    data = HEADER + "".join(f"x{n},x,u1,owner,courier,cx-{n},active,,,,\n" for n in range(1_200))
    imports = StaffImports(acts, "weak-1")
    plan, _ = imports.hr(data.encode(), "hr.csv", encoding="utf-8-sig", absent_leave=False)
    assert plan
    imports.apply(plan, plan.digest, "import-hr")
    entries = [entry for _, entry in log.entries()]
    assert sum(one.count for one in entries if one.action == "account.create") == 1_200


def test_what_is_applied_is_what_was_shown(company: Company) -> None:
    """Another digest, or a directory that has changed meanwhile: nothing is done."""
    plan, _ = hr(company, "p9,x,u1,owner,courier,c-9,active,,,,")
    assert plan
    for digest in ("0" * 12, plan.digest[:11]):  # a few figures would fit another plan as well
        with pytest.raises(InputError) as caught:
            StaffImports(company.acts, "weak-1").apply(plan, digest, "import-hr")
        assert caught.value.message.code == "import-other-plan"
    company.acts.suspend("courier-2", "weak-1")
    with pytest.raises(InputError) as caught:
        apply(company, plan)
    assert caught.value.message.code == "staff-plan-stale"
    assert company.hand.store.account("c-9") is None
    assert company.log[-1].effect == "error"


def test_a_login_meanwhile_does_not_make_a_plan_stale(company: Company) -> None:
    plan, _ = hr(company, "p9,x,u1,owner,courier,c-9,active,,,,")
    assert plan
    company.hand.login()
    apply(company, plan)
    assert company.status("c-9") == "pending"


def test_an_import_lifts_no_suspension(company: Company) -> None:
    company.acts.suspend("courier-1", "weak-1")
    plan, _ = hr(company, *rows(p1="p1,p1,u1,p2,cs_agent,courier-1,active,,,,"))
    assert plan
    apply(company, plan)
    assert company.status("courier-1") == "suspended"


def test_only_an_administrator_imports(company: Company) -> None:
    with pytest.raises(ChangeRefused):
        StaffImports(company.acts, "courier-1").hr(
            HEADER.encode(), "hr.csv", encoding="utf-8", absent_leave=False
        )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        HEADER.encode(),
        b"person,name\np1,x\n",
        HEADER.replace("status", "statsu").encode() + b"x\n",
        HEADER.replace("kind", "name").encode() + b"x\n",
        HEADER.encode() + b'"p9,x',
        "人员,姓名\n".encode("gb18030"),
    ],
)
def test_a_file_that_is_none_is_one_error(company: Company, data: bytes) -> None:
    imports = StaffImports(company.acts, "weak-1")
    with pytest.raises(InputError):
        imports.hr(data, "hr.csv", encoding="utf-8-sig", absent_leave=False)


# --- old accounts ------------------------------------------------------------------------------

OLD = """login,persons,role,unit,status,used,password_hash
Old-1,p1,superuser,u1,active,2026-02-01,$1$abc
old-4,p4,courier,u1,active,2026-02-01,$1$abc
old-4b,p4,courier,u1,active,2026-02-09,$1$abc
shift-a,p4;p5,courier,u1,active,2026-02-01,$1$abc
admin,p5,admin,u1,active,2026-02-01,$1$abc
ghost-1,nobody,courier,u1,active,2026-02-01,$1$abc
gone-1,p6,courier,u1,active,2026-02-01,$1$abc
off-1,p5,courier,nowhere,disabled,2026-02-01,$1$abc
"""


def legacy(company: Company, text: str = OLD) -> tuple[Plan | None, list[str], tuple[str, ...]]:
    imports = StaffImports(company.acts, "weak-1")
    plan, findings, ignored = imports.legacy(text.encode(), "old.csv", encoding="utf-8-sig")
    return plan, [f"{one.row} {one.message.code}" for one in findings], ignored


@pytest.fixture
def old(company: Company) -> Company:
    from acl_engine.domain.staff import Person

    for person in ("p4", "p5", "p6"):
        company.acts.hire(Person(person, person, "u1", "owner", "active"), "weak-1")
    company.person("p6", status="left")
    return company


def test_old_accounts_are_mapped_or_frozen(old: Company) -> None:
    plan, refused, ignored = legacy(old)
    assert refused == []
    assert ignored == ("password_hash",)
    assert plan
    fates = {one.login: (one.kind, one.what) for one in plan.differences}
    assert fates == {
        "old-1": ("frozen", "person has an account here"),
        "old-4": ("frozen", "the person's second account, used less lately"),
        "old-4b": ("joins", "mapped"),
        "shift-a": ("frozen", "shared by several"),
        "admin": ("frozen", "named after nobody"),
        "ghost-1": ("frozen", "no such person"),
        "gone-1": ("frozen", "the person has left or is suspended"),
        "off-1": ("frozen", "disabled in the old system"),
    }
    assert {one.old for one in plan.differences} >= {"superuser", "admin"}


@pytest.mark.parametrize("used", ["2026-3-2", "02.03.2026", "yesterday", "2026-13-01"])
def test_a_last_use_that_is_no_date_is_refused(old: Company, used: str) -> None:
    """Which of two accounts was used last is told by it."""
    plan, refused, _ = legacy(old, OLD.replace("2026-02-09", used))
    assert (plan, refused) == (None, ["4 staff-file-date"])


def test_neither_a_hash_nor_a_right_comes_along(old: Company) -> None:
    plan, _, _ = legacy(old)
    assert plan
    StaffImports(old.acts, "weak-1").apply(plan, plan.digest, "import-legacy")
    for joiner in plan.joiners:
        account = old.hand.store.account(joiner.account.login)
        assert account
        assert (account.password_hash, account.role, account.totp_seed) == ("!", "none", None)
        expected = "pending" if account.login == "old-4b" else "suspended"
        assert account.status == expected
    with pytest.raises(ChangeRefused):
        old.acts.resume("shift-a", "weak-1")


def test_old_logins_that_cannot_be_are_refused_by_row(old: Company) -> None:
    text = OLD + "courier-1,p4,x,u1,active,,\nold-4,p4,x,u1,active,,\nÄ,p4,x,u1,active,,\n"
    plan, refused, _ = legacy(old, text)
    assert plan is None
    assert refused == [
        "10 legacy-login-taken",
        "11 hr-twice",
        "12 administration-bad-login",
    ]
