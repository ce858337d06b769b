"""After any write path that takes a right away, the next decision is without it. Both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from tests.identity_world import KEYS, NOW, PASSWORDS, SEED, STRICT, Hand, fill

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import ALONE, Desk
from acl_engine.bootstrap.keys import Keys
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import Device
from acl_engine.domain.errors import (
    AuditUnavailable,
    ChangeRefused,
    InputError,
    LoginRefused,
    SessionDead,
)
from acl_engine.domain.staff import AccountChange, Person, Staff
from acl_engine.domain.text import Text
from acl_engine.identity.responsibility import findings
from acl_engine.identity.standing import NOTHING_ASKED
from acl_engine.identity.totp import Totp, code_at
from acl_engine.storage.database import Database
from acl_engine.storage.staff import SqlStaffDirectory
from acl_engine.storage.tables import accounts, devices, persons

KEYSET = replace(Keys.of(b"m" * 32, b"m" * 32), totp=b"k" * 32)
Act = Callable[[Administration], object]


class Office:
    """An administrator beside a courier who is logged in."""

    def __init__(self, database: Database) -> None:
        fill(database)
        self.hand = Hand(database, STRICT)
        self.log: list[AuditEntry] = []
        self.directory = SqlStaffDirectory(database)
        self.acts = self.over(self.log.append)

    def over(self, write: Callable[[AuditEntry], object]) -> Administration:
        """`admin` is nobody, as on a company's first day; that it is said is test_lockout's."""

        def audit(entry: AuditEntry) -> object:
            return None if entry.action == ALONE else write(entry)

        desk = Desk.over(self.hand.database, KEYSET, self.hand, NOTHING_ASKED)
        return Administration(replace(desk, audit=audit), PASSWORDS)


@pytest.fixture
def desk(database: Database) -> Office:
    return Office(database)


PATHS: dict[str, Act] = {
    "suspend": lambda a: a.suspend("courier-1", "admin"),
    "leave": lambda a: a.leave("p1", "admin"),
    "move to another unit": lambda a: a.move("courier-1", None, "u1", "admin"),
    "move to another role": lambda a: a.move("courier-1", "cs_agent", None, "admin"),
    "password reset": lambda a: a.secrets.set_password("courier-1", "five loud geese fly"),
    "new second factor": lambda a: a.secrets.enrol_totp("courier-1", SEED, code_at(SEED, NOW)),
    "scanner lost": lambda a: a.devices.revoke("pda-1", "lost", "admin"),
    "scanner to another": lambda a: a.devices.bind("pda-1", "p3", "admin"),
    "lease cut short": lambda a: a.devices.lease("pda-1", NOW + 60, "admin"),
}


@pytest.mark.parametrize("path", PATHS)
def test_live_session_dies_by_every_write_path(desk: Office, path: str) -> None:
    token = desk.hand.login()
    desk.hand.sessions.resolve(token)
    PATHS[path](desk.acts)
    with pytest.raises(SessionDead):
        desk.hand.sessions.resolve(token)
    assert [entry.effect for entry in desk.log] == ["allow"]


def test_a_longer_lease_ends_nobodys_session(desk: Office) -> None:
    token = desk.hand.login()
    desk.acts.devices.lease("pda-1", NOW + 100_000, "admin")
    desk.hand.sessions.resolve(token)


def test_a_colleagues_session_stays(desk: Office) -> None:
    token = desk.hand.login("courier-2", device="pda-2")
    for path in ("suspend", "scanner lost", "leave"):
        PATHS[path](desk.acts)
    desk.hand.sessions.resolve(token)


def test_a_leaver_is_out_for_good(desk: Office) -> None:
    desk.acts.leave("p1", "admin")
    with pytest.raises(LoginRefused) as caught:
        desk.hand.login()
    assert set(caught.value.attempt.refusal.controls) >= {"account-state", "device-binding"}
    with pytest.raises(ChangeRefused):
        desk.acts.resume("courier-1", "admin")
    with pytest.raises(LoginRefused):
        desk.hand.login()


def test_a_mover_has_the_new_role_only(desk: Office) -> None:
    desk.acts.move("courier-1", "cs_agent", None, "admin")
    assert desk.hand.sessions.resolve(desk.hand.login()).role == "cs_agent"


@pytest.mark.parametrize("status", ["active", "lost", "revoked"])
def test_a_devices_key_is_no_second_device(desk: Office, status: str) -> None:
    """One scanner under two names would be two persons', and a lost one would be back."""
    if status != "active":
        desk.acts.devices.revoke("pda-1", status, "admin")
    key = KEYS["pda-1"].public_key().public_bytes_raw()
    with pytest.raises(InputError) as caught:
        desk.acts.devices.enrol(Device("pda-8", "app", "u1", None, key, "active", 0), "admin")
    assert caught.value.message.code == "administration-known-key"


def _forged(public: bytes, message: bytes) -> bool:
    """Whether a signature that took no private key (R the neutral point, s zero) is taken."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(b"\x01" + bytes(63), message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31, "ed" + "ff" * 31])
def test_a_key_that_anybody_signs_for_is_none(desk: Office, key: str) -> None:
    """Zeros that stand for a key to come: one of four forged signatures is good."""
    public = bytes.fromhex(key)
    assert any(_forged(public, b"%d" % nonce) for nonce in range(64))
    with pytest.raises(InputError) as caught:
        desk.acts.devices.enrol(Device("pda-8", "app", "u1", None, public, "active", 0), "admin")
    assert caught.value.message.code == "administration-device-key"


@pytest.mark.parametrize("name", ["", "a b", "pda-8\n", "-x", "x" * 65])
def test_a_devices_id_is_one_word(desk: Office, name: str) -> None:
    """It stands in what the device signs, line by line."""
    with pytest.raises(InputError) as caught:
        desk.acts.devices.enrol(Device(name, "app", "u1", None, b"k" * 32, "active", 0), "admin")
    assert caught.value.message.code == "administration-device-id"


def test_joining_takes_the_person_to_set_the_secrets(desk: Office) -> None:
    """The administrator creates, and never learns or chooses a secret."""
    acts, hand = desk.acts, desk.hand
    acts.hire(Person("p9", "new", "u1", "p1", "active"), "admin")
    acts.create("courier-9", "p9", "courier", "u1", "admin")
    KEYS["pda-9"] = Ed25519PrivateKey.generate()
    key = KEYS["pda-9"].public_key().public_bytes_raw()
    acts.devices.enrol(Device("pda-9", "app", "u1", None, key, "active", 0), "admin")
    acts.devices.bind("pda-9", "p9", "admin")
    acts.devices.lease("pda-9", NOW + 3600, "admin")
    for password in ("", "!"):
        with pytest.raises(LoginRefused):
            hand.login("courier-9", password, device="pda-9")
    seed = Totp.new_seed()
    with pytest.raises(InputError):
        acts.secrets.enrol_totp("courier-9", seed, "000000")
    acts.secrets.enrol_totp("courier-9", seed, code_at(seed, NOW))
    with pytest.raises(InputError) as caught:
        acts.secrets.set_password("courier-9", "Kuaidi888")
    assert caught.value.message.code == "password-context"
    acts.secrets.set_password("courier-9", "five loud geese fly")
    with pytest.raises(LoginRefused):
        hand.login("courier-9", "five loud geese fly", code_at(seed, NOW), "pda-9")
    later = code_at(seed, NOW + 30)  # the code that enrolled is used up
    token = hand.login("courier-9", "five loud geese fly", later, "pda-9")
    assert hand.sessions.resolve(token).person == "p9"
    del KEYS["pda-9"]


def test_an_account_without_a_password_costs_a_hash_like_any_other() -> None:
    hashed = []

    class Spy:
        def verify(self, stored: str, text: str) -> bool:
            hashed.append(stored)
            return real.verify(stored, text)

    passwords = type(PASSWORDS).synthetic()
    real = passwords._hasher
    passwords._hasher = Spy()  # type: ignore[assignment]
    assert not passwords.verify("!", "anything")
    assert len(hashed) == 2
    assert hashed[1].startswith("$argon2id$")


@pytest.mark.parametrize(
    ("person", "role", "by", "code"),
    [
        ("p1", "cs_agent", "courier-1", "account-self-granted"),
        ("p1", "cs_agent", "admin", "account-several"),
    ],
)
def test_grants_that_are_refused(desk: Office, person: str, role: str, by: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        desk.acts.create("second", person, role, "u1", by)
    assert caught.value.message.code == code
    (entry,) = desk.log
    assert (entry.effect, entry.reason) == ("deny", code)
    assert entry.controls == ("separation-of-duties",)


def test_duties_that_must_be_apart(desk: Office) -> None:
    desk.acts.move("courier-1", "branch_mgr", None, "admin")
    with pytest.raises(InputError) as caught:
        desk.acts.create("auditor", "p1", "sec_auditor", "u1", "admin")
    assert caught.value.message.code == "account-duties"


def test_self_granted_role(desk: Office) -> None:
    with pytest.raises(InputError) as caught:
        desk.acts.move("courier-1", "branch_mgr", None, "courier-1")
    assert caught.value.message.code == "account-self-granted"


def test_a_second_scanner_is_refused(desk: Office) -> None:
    with pytest.raises(InputError) as caught:
        desk.acts.devices.bind("pda-stray", "p1", "admin")
    assert caught.value.message.code == "administration-second-device"


def test_two_scanners_at_once_come_to_one_person(desk: Office) -> None:
    """One is bound, also where both were asked for at the same moment."""
    hand = desk.hand
    hand.change(devices, devices.c.id == "pda-1", person=None)
    results: list[str] = []

    def bind(device: str) -> None:
        try:
            desk.acts.devices.bind(device, "p1", "admin")
            results.append("bound")
        except InputError as error:
            results.append(error.message.code)

    threads = [threading.Thread(target=bind, args=(one,)) for one in ("pda-1", "pda-stray")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(results) == ["administration-second-device", "bound"]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda a: a.devices.bind("pda-stray", "ghost", "admin"), "administration-no-holder"),
        (lambda a: a.devices.bind("pda-stray", "courier-1", "admin"), "administration-no-holder"),
        (lambda a: a.devices.bind("pda-stray", "p2", "admin"), "administration-no-holder"),
        (lambda a: a.devices.bind("pda-1", "p3", "admin"), "administration-dead-device"),
        (lambda a: a.devices.lease("pda-1", NOW + 60, "admin"), "administration-dead-device"),
        (
            lambda a: a.devices.enrol(Device("x", "app", "u?", None, b"", "active", 0), "admin"),
            "hr-no-unit",
        ),
    ],
)
def test_a_device_comes_to_nobody_who_is_not_here(desk: Office, act: Act, code: str) -> None:
    """Nor does one that was lost come back by being bound again."""
    desk.acts.devices.revoke("pda-1", "lost", "admin")
    desk.hand.change(persons, persons.c.id == "p2", status="left")
    with pytest.raises(InputError) as caught:
        act(desk.acts)
    assert caught.value.message.code == code


@pytest.mark.parametrize(
    "act",
    [
        lambda a: a.suspend("nobody", "admin"),
        lambda a: a.leave("nobody", "admin"),
        lambda a: a.devices.revoke("nothing", "lost", "admin"),
        lambda a: a.create("courier-1", "owner-2", "courier", "u1", "admin"),
        lambda a: a.create("x", "no-such-person", "courier", "u1", "admin"),
        lambda a: a.hire(Person("p1", "again", "u1", None, "active"), "admin"),
    ],
)
def test_what_does_not_exist_or_exists_already_is_one_error(desk: Office, act: Act) -> None:
    with pytest.raises(InputError):
        act(desk.acts)
    assert all(entry.effect in ("allow", "error") for entry in desk.log)
    assert not desk.log or desk.log[-1].effect == "error"


def test_no_record_no_change(desk: Office, database: Database) -> None:
    """An act that cannot be written down is not done."""

    def full(entry: AuditEntry) -> None:
        raise AuditUnavailable(Text("full", "满", "full").of())

    acts = desk.over(full)
    with pytest.raises(AuditUnavailable):
        acts.suspend("courier-1", "admin")
    with database.read() as cx:
        query = select(accounts.c.status).where(accounts.c.login == "courier-1")
        assert cx.execute(query).scalar_one() == "active"


def test_the_record_names_no_person_in_clear(desk: Office) -> None:
    desk.acts.suspend("courier-1", "admin")
    (entry,) = desk.log
    assert entry.account == "admin"
    assert "courier-1" not in entry.subjects[0]


def codes(staff: Staff) -> set[str]:
    return {one.code for one in findings(staff, NOTHING_ASKED, NOW)}


def test_the_audit_finds_each_kind_of_disorder(desk: Office) -> None:
    hand = desk.hand
    hand.change(persons, persons.c.id != "owner", superior="owner")
    clean = codes(desk.directory.staff())
    assert clean == set()
    hand.change(accounts, accounts.c.login == "courier-2", person=None)
    hand.change(accounts, accounts.c.login == "weak-1", person="p1", role="sec_auditor")
    hand.change(accounts, accounts.c.login == "courier-1", role="branch_mgr", totp_seed=None)
    assert codes(desk.directory.staff()) >= {
        "account-ownerless",
        "account-several",
        "account-duties",
        "account-no-second-factor",
        "device-holder-gone",
    }
    hand.change(persons, persons.c.id == "p1", status="left", superior="p1")
    assert codes(desk.directory.staff()) >= {"account-of-leaver", "account-no-superior"}
    hand.change(persons, persons.c.id == "p1", status="active", superior="p2")
    hand.change(persons, persons.c.id == "p2", superior="p1")
    assert "account-superior-cycle" in codes(desk.directory.staff())


def test_a_change_that_changes_nothing_still_ends_the_session(desk: Office) -> None:
    token = desk.hand.login()
    desk.directory.change_account("courier-1", AccountChange(status="active"), NOW)
    with pytest.raises(SessionDead):
        desk.hand.sessions.resolve(token)
