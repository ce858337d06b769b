"""An account is in force while everything that the company asks of it is on record. Both databases.

Named after the rules of account responsibility (账号责任制): one person, one account, one superior.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.account_world import RULES, SIGNED, TEXT, Company
from tests.identity_world import KEYS, NOW

from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.errors import ChangeRefused, InputError, LoginRefused, SessionDead
from acl_engine.domain.staff import Person
from acl_engine.identity.standing import DAY, Lapse
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts


@pytest.fixture
def company(database: Database) -> Iterator[Company]:
    return Company(database)


LAPSES: dict[Lapse, Callable[[Company], None]] = {
    Lapse.NOT_STARTED: lambda c: c.person("p1", starts_at=NOW + DAY),
    Lapse.ENDED: lambda c: c.person("p1", ends_at=NOW),
    Lapse.UNDERTAKING: lambda c: c.person("p1", undertaking="v0"),
    Lapse.TRAINING: lambda c: c.person("p1", trained_at=NOW - 365 * DAY),
    Lapse.RECERTIFICATION: lambda c: c.account("courier-1", certified_at=NOW - 35 * DAY),
    Lapse.DORMANT: lambda c: c.account("courier-1", used_at=NOW - 30 * DAY),
}


@pytest.mark.parametrize("lapse", LAPSES)
def test_a_lapse_ends_a_live_session_and_the_next_login(company: Company, lapse: Lapse) -> None:
    """By itself, at the next look: nobody has to do anything."""
    token = company.hand.login()
    company.hand.sessions.resolve(token)
    LAPSES[lapse](company)
    with pytest.raises(SessionDead) as dead:
        company.hand.sessions.resolve(token)
    assert (dead.value.refusal.code, dead.value.refusal.controls) == (lapse, ("account-standing",))
    company.hand.later(seconds=30)
    with pytest.raises(LoginRefused) as refused:
        company.hand.login()
    assert refused.value.attempt.refusal.controls == ("account-standing",)


def test_a_changed_text_of_the_undertaking_is_to_be_signed_anew(company: Company) -> None:
    """The version may stay the same: what counts is what was signed."""
    token = company.hand.login()
    changed = Undertaking("v1", hashlib.sha256(TEXT + b"more").hexdigest())
    company.rules(replace(RULES, undertaking=changed))
    with pytest.raises(SessionDead):
        company.hand.sessions.resolve(token)


def test_a_text_that_is_not_the_current_one_is_no_signature(company: Company) -> None:
    with pytest.raises(InputError) as caught:
        company.standing.sign("p1", b"another text", NOW - DAY, "weak-1")
    assert caught.value.message.code == "standing-other-text"
    assert company.standing.sign("p1", TEXT, NOW - DAY, "weak-1") == []


@pytest.mark.parametrize("at", [NOW + 1, NOW - 365 * DAY, 0])
def test_a_day_to_come_or_too_long_ago_is_refused(company: Company, at: int) -> None:
    with pytest.raises(InputError) as caught:
        company.standing.train("p1", "privacy", at, "weak-1")
    assert caught.value.message.code == "standing-date"


def test_an_account_waits_for_undertaking_and_training(company: Company) -> None:
    """Active only with both; and only another than the person records them."""
    acts, standing = company.acts, company.standing
    acts.hire(Person("p9", "new", "u1", "p2", "active"), "weak-1")
    assert acts.create("courier-9", "p9", "courier", "u1", "weak-1") == "pending"
    assert standing.sign("p9", TEXT, NOW, "weak-1") == []
    assert company.status("courier-9") == "pending"
    assert standing.train("p9", "privacy", NOW, "weak-1") == ["courier-9"]
    assert company.status("courier-9") == "active"
    assert [entry.action for entry in company.log][-2:] == ["person.training", "account.activate"]


def test_nobody_signs_or_trains_for_themselves(company: Company) -> None:
    for act in (company.standing.sign, company.standing.train):
        with pytest.raises(ChangeRefused) as caught:
            act("p3", TEXT if act == company.standing.sign else "x", NOW, "weak-1")  # type: ignore[operator]
        assert caught.value.message.code == "account-self-granted"


def test_only_the_next_level_up_confirms(company: Company) -> None:
    company.account("courier-1", certified_at=NOW - 40 * DAY)
    for by in ("weak-1", "courier-1", "nobody"):
        with pytest.raises(ChangeRefused):
            company.standing.certify("courier-1", by)
    assert [one.login for one in company.standing.due("p2", 0)] == ["courier-1"]
    company.standing.certify("courier-1", "courier-2")
    assert company.standing.due("p2", 14) == []
    card = company.acts.account("courier-1")
    assert (card.certified_at, card.certified_by) == (NOW, "courier-2")
    company.hand.login()


def test_a_confirmation_is_no_act_of_an_administrator(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """Administrators are in force: neither the superior nor a stranger sounds the alarm of none."""
    with caplog.at_level(logging.WARNING, "acl_engine.alarm"):
        with pytest.raises(ChangeRefused):
            company.standing.certify("courier-1", "nobody")
        company.standing.certify("courier-1", "courier-2")
    assert caplog.text == ""
    assert [one.action for one in company.log] == ["account.recertify"] * 2


def test_a_superior_out_of_force_confirms_nobody(company: Company) -> None:
    """But one who only waits to be confirmed does: two who confirm each other never lock up."""
    company.person("p2", ends_at=NOW)
    with pytest.raises(ChangeRefused) as caught:
        company.standing.certify("courier-1", "courier-2")
    assert caught.value.message.code == Lapse.ENDED
    company.person("p2", ends_at=None)
    company.account("courier-2", certified_at=NOW - 36 * DAY)
    company.standing.certify("courier-1", "courier-2")


def test_above_a_suspended_superior_the_next_one_confirms(company: Company) -> None:
    company.person("p2", status="suspended")
    with pytest.raises(ChangeRefused):
        company.standing.certify("courier-1", "courier-2")
    company.acts.create("boss-1", "owner", "hq_ops", "u1", "weak-1")
    company.standing.certify("courier-1", "boss-1")


def test_whoever_has_nobody_above_is_confirmed_by_the_auditor(company: Company) -> None:
    company.acts.create("boss-1", "owner", "hq_ops", "u1", "weak-1")
    with pytest.raises(ChangeRefused):
        company.standing.certify("boss-1", "courier-2")
    company.account("courier-2", role="sec_auditor")
    company.standing.certify("boss-1", "courier-2")


def test_what_was_not_confirmed_in_time_lapses_and_is_swept(company: Company) -> None:
    company.account("courier-1", certified_at=NOW - 36 * DAY)
    company.account("courier-2", used_at=NOW - 31 * DAY)
    assert {(one.login, one.lapse) for one in company.standing.lapsed()} == {
        ("courier-1", Lapse.RECERTIFICATION),
        ("courier-2", Lapse.DORMANT),
    }
    assert company.status("courier-1") == "active"
    company.standing.sweep("weak-1")
    assert {company.status(one) for one in ("courier-1", "courier-2")} == {"suspended"}
    assert {one.reason for one in company.log} == {Lapse.RECERTIFICATION, Lapse.DORMANT}
    company.acts.resume("courier-2", "weak-1")
    company.hand.login("courier-2", device="pda-2")
    with pytest.raises(ChangeRefused) as caught:
        company.acts.resume("courier-1", "weak-1")
    assert caught.value.message.code == Lapse.RECERTIFICATION


def test_a_dormant_administrator_administers_nothing(company: Company) -> None:
    company.account("weak-1", used_at=NOW - 31 * DAY)
    with pytest.raises(ChangeRefused) as caught:
        company.acts.move("courier-1", "branch_mgr", None, "weak-1")
    assert caught.value.message.code == Lapse.DORMANT
    (entry,) = company.log
    assert (entry.effect, entry.account, entry.reason) == ("deny", "weak-1", Lapse.DORMANT)
    assert entry.controls == ("account-standing",)


def test_only_an_administrator_changes_accounts(company: Company) -> None:
    """Neither a courier, nor a login that does not exist, once there is an administrator."""
    for by in ("courier-2", "nobody"):
        with pytest.raises(ChangeRefused):
            company.acts.suspend("courier-1", by)
    company.account("weak-1", role="courier")
    company.acts.suspend("courier-1", "nobody")  # a directory without one takes its first


def test_an_outsider_is_given_no_role_of_the_company(company: Company) -> None:
    """Of a customer's account neither device nor standing is asked: courier would be a way in."""
    acts = company.acts
    with pytest.raises(ChangeRefused) as caught:
        acts.move("recipient-1", "courier", None, "weak-1")
    assert caught.value.message.code == "administration-outsider"
    acts.suspend("recipient-1", "weak-1")
    acts.resume("recipient-1", "weak-1")
    assert (acts.account("recipient-1").role, company.status("recipient-1")) == (
        "recipient",
        "active",
    )
    company.account("recipient-1", role="courier")  # past the engine
    assert "account-outsider" in {one.code for one in acts.audit()}


def test_an_account_of_nobody_comes_into_force_by_no_act(company: Company) -> None:
    """Frozen at the import: no role, no resumption, also where nothing has to be signed."""
    company.rules(
        replace(RULES, settings=replace(RULES.settings, training_days=0), undertaking=None)
    )
    company.account("courier-1", person=None, status="suspended")
    for act in (
        lambda: company.acts.move("courier-1", "branch_mgr", None, "weak-1"),
        lambda: company.acts.resume("courier-1", "weak-1"),
    ):
        with pytest.raises(ChangeRefused) as caught:
            act()
        assert caught.value.message.code == "account-ownerless"
    assert company.status("courier-1") == "suspended"


def test_self_granted_role(company: Company) -> None:
    with pytest.raises(ChangeRefused) as caught:
        company.acts.move("weak-1", "branch_mgr", None, "weak-1")
    assert caught.value.message.code == "account-self-granted"


def test_a_grant_by_ones_own_creature(company: Company) -> None:
    """An administrator makes a second administrator, who then raises the first."""
    acts = company.acts
    acts.hire(Person("p8", "puppet", "u1", "owner", "active"), "weak-1")
    company.person("p8", undertaking="v1", undertaking_digest=SIGNED.digest, trained_at=NOW)
    assert acts.create("adm-8", "p8", "account_admin", "u1", "weak-1") == "active"
    acts.hire(Person("p7", "puppet", "u1", "owner", "active"), "adm-8")
    company.person("p7", undertaking="v1", undertaking_digest=SIGNED.digest, trained_at=NOW)
    acts.create("adm-7", "p7", "account_admin", "u1", "adm-8")
    for puppet in ("adm-8", "adm-7"):
        with pytest.raises(ChangeRefused) as caught:
            acts.move("weak-1", "branch_mgr", None, puppet)
        assert caught.value.message.code == "account-creature"
    company.person("p3", superior="p8")
    with pytest.raises(ChangeRefused):
        company.standing.certify("weak-1", "adm-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("branch_mgr", "account_admin"),
        ("branch_mgr", "sec_auditor"),
        ("account_admin", "device_admin"),
        ("policy_author", "policy_approver"),
    ],
)
def test_duties_that_must_be_apart_are_refused_at_the_grant(
    company: Company, one: str, other: str
) -> None:
    company.account("courier-1", role=one)
    with pytest.raises(ChangeRefused) as caught:
        company.acts.create("second", "p1", other, "u1", "weak-1")
    assert caught.value.message.code == "account-duties"


def test_a_suspended_duty_still_counts(company: Company) -> None:
    """Or a grant could wait for a suspension and the suspension be lifted after it."""
    company.account("courier-1", role="branch_mgr", status="suspended")
    with pytest.raises(ChangeRefused):
        company.acts.create("second", "p1", "sec_auditor", "u1", "weak-1")


def test_two_grants_at_once_make_one_account(company: Company) -> None:
    """The rule holds inside the transaction, not only before it."""
    company.acts.hire(Person("p9", "new", "u1", "p2", "active"), "weak-1")
    results: list[str] = []
    start = threading.Barrier(2)

    def create(login: str) -> None:
        start.wait(10)
        try:
            company.acts.create(login, "p9", "courier", "u1", "weak-1")
            results.append("made")
        except InputError as refused:
            results.append(refused.message.code)

    threads = [threading.Thread(target=create, args=(f"twin-{n}",)) for n in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(results) == ["account-several", "made"]


def test_a_superior_below_or_gone_is_refused(company: Company) -> None:
    company.person("p2", status="left")
    for person, superior in (("owner", "p1"), ("p2", "p1"), ("p1", "p1"), ("p1", "p2")):
        with pytest.raises(ChangeRefused) as caught:
            company.acts.set_superior(person, superior, "weak-1")
        assert caught.value.message.code == "administration-superior"


def test_temporary_staff_are_out_when_their_term_ends(company: Company) -> None:
    """Sponsor, term, least rights; out without anybody's act, and then their scanner is free."""
    new = Person("t1", "peak", "u1", "p2", "active", "temporary", "p2", ends_at=NOW + 20 * DAY)
    status = company.standing.temporary(new, "temp-1", "courier", "privacy", "weak-1")
    assert status == "active"
    company.hand.change(accounts, accounts.c.login == "temp-1", used_at=NOW + 20 * DAY)
    for late, lacking in ((20 * DAY - 1, ()), (20 * DAY, (Lapse.ENDED,))):
        account = company.hand.store.account("temp-1")
        assert account
        standing = replace(account.standing, certified_at=NOW + late, trained_at=NOW + late)
        assert RULES.lacking(standing, False, NOW + late) == lacking
    company.person("t1", ends_at=NOW - 1)
    company.standing.sweep("weak-1")
    assert company.status("temp-1") == "left"


def test_temporary_staff_get_no_more_than_the_roles_for_them(company: Company) -> None:
    """Neither at once nor by a later move."""
    new = Person("t1", "x", "u1", "p2", "active", "temporary", "p2", ends_at=NOW + 20 * DAY)
    with pytest.raises(ChangeRefused) as caught:
        company.standing.temporary(new, "temp-1", "branch_mgr", "privacy", "weak-1")
    assert caught.value.message.code == "account-temporary-role"
    with pytest.raises(InputError):
        company.directory.of_person("t1")
    company.standing.temporary(new, "temp-1", "courier", "privacy", "weak-1")
    with pytest.raises(ChangeRefused):
        company.acts.move("temp-1", "branch_mgr", None, "weak-1")
    company.account("temp-1", role="branch_mgr")
    assert "account-temporary-role" in [one.code for one in company.acts.audit()]


def test_a_joiner_is_whole_or_nobody(company: Company) -> None:
    """Person and account in one transaction: what is refused leaves no person behind."""
    new = Person("p9", "new", "u1", "p2", "active")
    for login, role, unit in (("courier-1", "courier", "u1"), ("c-9", "courier", "nowhere")):
        with pytest.raises(InputError):
            company.acts.join(login, replace(new, unit=unit), role, "weak-1")
    with pytest.raises(InputError):
        company.acts.join("c-9", replace(new, id="p2"), "courier", "weak-1")
    with pytest.raises(InputError):
        company.directory.of_person("p9")
    assert company.acts.join("c-9", new, "courier", "weak-1") == "pending"
    assert [one.action for one in company.log[-2:]] == ["person.hire", "account.create"]


def test_when_all_administrators_have_lapsed_the_database_holder_brings_one_back(
    company: Company,
) -> None:
    """On record; an account that has lapsed itself never may, nor anybody while one is in force."""
    with pytest.raises(ChangeRefused):
        company.standing.train("p3", "privacy", NOW, "setup")
    company.person("p3", trained_at=NOW - 400 * DAY)
    with pytest.raises(ChangeRefused) as caught:
        company.acts.suspend("courier-1", "weak-1")
    assert caught.value.message.code == Lapse.TRAINING
    company.standing.train("p3", "privacy", NOW, "setup")
    assert company.log[-1].account == "setup"
    company.acts.suspend("courier-1", "weak-1")


@pytest.mark.parametrize("days", [0, -1, 91])
def test_a_temporary_term_is_short_and_to_come(company: Company, days: int) -> None:
    new = Person("t1", "x", "u1", "p2", "active", "temporary", "p2", ends_at=NOW + days * DAY)
    with pytest.raises(InputError) as caught:
        company.standing.temporary(new, "temp-1", "courier", "privacy", "weak-1")
    assert caught.value.message.code == "standing-term"
    with pytest.raises(InputError):
        company.directory.of_person("t1")


def test_a_service_has_an_owner_a_purpose_and_no_password(company: Company) -> None:
    company.acts.create("svc-2", "p2", "label_printer", "u1", "weak-1", purpose="labels")
    service = company.acts.account("svc-2")
    assert (service.service, service.person, service.purpose) == (True, "p2", "labels")
    for act in (
        lambda: company.acts.secrets.set_password("svc-2", "five loud geese fly"),
        lambda: company.acts.secrets.enrol_totp("svc-2", "A" * 32, "123456"),
    ):
        with pytest.raises(InputError) as caught:
            act()
        assert caught.value.message.code == "administration-service-secret"


def test_the_owners_own_device_does_not_open_the_service(company: Company) -> None:
    """The owner answers for a service; that is no key to it."""
    company.hand.change(accounts, accounts.c.login == "svc-dial", person="p1")
    with pytest.raises(LoginRefused):
        company.hand.login("svc-dial", "", None, "pda-1")
    assert "srv-1" in KEYS
    token = company.hand.login("svc-dial", "", None, "srv-1")
    company.hand.login()  # and the service's session is none of the owner's
    company.hand.sessions.resolve(token)


@pytest.mark.parametrize("login", ["", "A b", "x" * 65, "名字", "-x", "admin", "shared"])
def test_a_login_names_one_person(company: Company, login: str) -> None:
    with pytest.raises(InputError):
        company.acts.create(login, "owner", "courier", "u1", "weak-1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET role = 'branch_mgr' WHERE login = 'courier-1'",
        "UPDATE accounts SET status = 'suspended' WHERE login = 'courier-1'",
        "UPDATE accounts SET person = 'p3' WHERE login = 'courier-1'",
        "UPDATE persons SET status = 'left' WHERE id = 'p1'",
        "UPDATE persons SET unit = 'u2' WHERE id = 'p1'",
    ],
)
def test_a_change_by_plain_sql_raises_the_epoch(company: Company, change: str) -> None:
    """The revocation lies below every write path, a database console included."""
    token = company.hand.login()
    before = company.acts.account("courier-1").epoch
    with company.database.write() as cx:
        if "u2" in change:
            unit = "'u2', 'x', 'x', 'x', 'x', 'x', 'x', false"
            cx.execute(
                text(
                    "INSERT INTO units (id, kind, path, name_zh, name_en, city, district,"
                    f" franchise) VALUES ({unit})"
                )
            )
        cx.execute(text(change))
    assert company.acts.account("courier-1").epoch == before + 1
    with pytest.raises(SessionDead):
        company.hand.sessions.resolve(token)
