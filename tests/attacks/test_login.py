"""Attacks on the login, by name, on both databases. Each is let in when its control is off."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from tests.identity_world import LAX, PASSWORD, PASSWORDS, SEED, STRICT, Hand, fill

from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import LoginRefused, SessionDead
from acl_engine.identity.totp import code_at
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, challenges, devices, persons, sessions


@pytest.fixture
def hand(database: Database) -> Iterator[Hand]:
    fill(database)
    return Hand(database, STRICT)


def refused(hand: Hand, **typed: object) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(LoginRefused) as caught:
        hand.login(**typed)  # type: ignore[arg-type]
    refusal = caught.value.attempt.refusal
    assert refusal.line == "login"
    return refusal.code, refusal.controls


def dead(hand: Hand, token: str) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(SessionDead) as caught:
        hand.sessions.resolve(token)
    assert caught.value.refusal.line == "0"
    return caught.value.refusal.code, caught.value.refusal.controls


def test_the_honest_courier_gets_in(hand: Hand) -> None:
    principal = hand.sessions.resolve(hand.login())
    assert (principal.account, principal.person, principal.device) == ("courier-1", "p1", "pda-1")
    assert (principal.role, principal.unit, principal.device_class) == ("courier", "u1", "app")


def test_sold_password_without_second_factor(hand: Hand) -> None:
    assert refused(hand, code=None) == ("code-wrong", ("second-factor",))
    assert refused(hand, code="000000") == ("code-wrong", ("second-factor",))
    hand.rewire(replace(STRICT, second_factor="none"))
    hand.login(code=None)


def test_replayed_code(hand: Hand) -> None:
    """A code seen over the shoulder is spent; so is an older one."""
    hand.sessions.end(hand.login())
    assert refused(hand) == ("code-used", ("second-factor",))
    assert refused(hand, code=code_at(SEED, hand.epoch - 30)) == ("code-used", ("second-factor",))
    hand.later(seconds=30)
    hand.login()


def test_a_refused_login_leaves_the_code_unused(hand: Hand) -> None:
    refused(hand, password="wrong")
    hand.login()


def test_code_of_another_minute(hand: Hand) -> None:
    code = code_at(SEED, hand.epoch - 90)
    assert refused(hand, code=code) == ("code-wrong", ("second-factor",))


def test_code_read_out_over_the_phone(hand: Hand) -> None:
    """Password and code alone, from a stranger's computer."""
    assert refused(hand, device=None) == ("device-not-proven", ("device-binding",))
    hand.rewire(replace(STRICT, device_binding="none"))
    assert hand.sessions.resolve(hand.login(device=None)).device is None


def test_strangers_scanner_and_colleagues_scanner(hand: Hand) -> None:
    for device in ("pda-stray", "pda-2"):
        assert refused(hand, device=device) == ("device-not-proven", ("device-binding",))
    hand.rewire(replace(STRICT, device_binding="none"))
    assert hand.sessions.resolve(hand.login(device="pda-stray")).device == "pda-stray"


def test_every_control_that_refuses_is_named(hand: Hand) -> None:
    _, controls = refused(hand, code=None, device="pda-stray")
    assert controls == ("device-binding", "second-factor")


@pytest.mark.parametrize("status", ["lost", "revoked"])
def test_lost_scanner(hand: Hand, status: str) -> None:
    token = hand.login()
    hand.change(devices, devices.c.id == "pda-1", status=status)
    assert dead(hand, token) == ("device-not-bound", ("device-binding",))
    hand.later(seconds=30)
    assert refused(hand) == ("device-not-proven", ("device-binding",))


def test_scanner_past_its_lease(hand: Hand) -> None:
    token = hand.login()
    hand.change(devices, devices.c.id == "pda-1", lease_until=hand.epoch)
    assert dead(hand, token) == ("device-not-bound", ("device-binding",))


def test_recorded_device_answer_played_again(hand: Hand) -> None:
    proof = hand.proof("pda-1")
    token = hand.logins.login("courier-1", PASSWORD, totp=hand.code(), device=proof).token
    hand.sessions.end(token)
    hand.later(seconds=30)
    with pytest.raises(LoginRefused) as caught:
        hand.logins.login("courier-1", PASSWORD, totp=hand.code(), device=proof)
    assert caught.value.attempt.refusal.controls == ("device-binding",)


def test_signature_forged_or_for_another_device(hand: Hand) -> None:
    honest = hand.proof("pda-1")
    moved = DeviceProof("pda-2", hand.proof("pda-1").nonce, honest.signature)
    forged = DeviceProof("pda-1", hand.logins.challenge("pda-1"), b"\0" * 64)
    short = DeviceProof("pda-1", hand.logins.challenge("pda-1"), b"")
    unknown = DeviceProof("pda-1", "no-such-nonce", honest.signature)
    for proof in (moved, forged, short, unknown):
        with pytest.raises(LoginRefused):
            hand.logins.login("courier-1", PASSWORD, totp=hand.code(), device=proof)


def test_challenge_answered_too_late(hand: Hand) -> None:
    proof = hand.proof("pda-1")
    hand.later(seconds=120)
    with pytest.raises(LoginRefused):
        hand.logins.login("courier-1", PASSWORD, totp=hand.code(), device=proof)


def test_known_weak_password(hand: Hand) -> None:
    hand.change(devices, devices.c.id == "pda-1", person="p3")
    typed = {"login": "weak-1", "password": "yuantong2020"}
    assert refused(hand, **typed) == ("password-weak", ("strong-passwords",))
    hand.rewire(replace(STRICT, strong_passwords=False))
    hand.login(**typed)


def test_second_session_of_one_person(hand: Hand) -> None:
    """A rented account: its owner works on while another logs in elsewhere."""
    hand.rewire(replace(STRICT, device_binding="none"))
    token = hand.login()
    hand.later(seconds=30)
    assert refused(hand, device="pda-stray") == ("other-session", ("one-session",))
    hand.sessions.resolve(token)
    hand.rewire(replace(STRICT, device_binding="none", sessions_per_person=0))
    hand.login(device="pda-stray")


def test_second_account_of_one_person_counts_as_the_person(hand: Hand) -> None:
    hand.change(accounts, accounts.c.login == "courier-2", person="p1")
    hand.rewire(replace(STRICT, device_binding="none"))
    hand.login()
    assert refused(hand, login="courier-2", device="pda-2")[1] == ("one-session",)


def test_logging_in_again_on_the_same_scanner_replaces_the_session(hand: Hand) -> None:
    first = hand.login()
    hand.later(seconds=30)
    second = hand.login()
    assert dead(hand, first)[0] == "session-ended"
    hand.sessions.resolve(second)


def test_a_dead_session_does_not_keep_its_person_out(hand: Hand) -> None:
    hand.rewire(replace(STRICT, device_binding="none"))
    hand.login()
    hand.later(minutes=30)
    hand.login(device="pda-2")


@pytest.mark.parametrize("table", [accounts, persons])
@pytest.mark.parametrize("status", ["suspended", "left"])
def test_leaver_and_suspended(hand: Hand, table: object, status: str) -> None:
    """The live session dies with the account or the person, and no new one begins."""
    token = hand.login()
    key = accounts.c.login == "courier-1" if table is accounts else persons.c.id == "p1"
    hand.change(table, key, status=status)
    assert dead(hand, token) == ("account-changed", ("account-state",))
    hand.later(seconds=30)
    assert refused(hand) == ("account-not-active", ("account-state",))


def test_a_raised_epoch_kills_the_session(hand: Hand) -> None:
    token = hand.login()
    hand.change(accounts, accounts.c.login == "courier-1", epoch=1)
    assert dead(hand, token) == ("account-changed", ("account-state",))


def test_an_account_changed_between_check_and_insert_is_not_let_in(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = hand.store.account("courier-1")
    hand.change(accounts, accounts.c.login == "courier-1", epoch=5)
    monkeypatch.setattr(hand.store, "account", lambda login: read)
    assert refused(hand) == ("account-changed", ("account-state",))


def test_idle_and_absolute_limits(hand: Hand) -> None:
    token = hand.login()
    for _ in range(23):
        hand.later(minutes=29)
        hand.sessions.resolve(token)
    hand.later(minutes=30)
    assert dead(hand, token)[0] == "session-idle"
    hand.later(hours=2)
    assert dead(hand, token)[0] == "session-expired"


def test_logged_out(hand: Hand) -> None:
    token = hand.login()
    hand.sessions.end(token)
    assert dead(hand, token) == ("session-ended", ())
    assert dead(hand, "no such token") == ("unknown-session", ())


def test_password_guessing_locks_the_account_for_a_while(hand: Hand) -> None:
    for _ in range(3):
        assert refused(hand, password="a wrong guess") == ("password-wrong", ())
    assert refused(hand) == ("account-locked", ("account-state",))
    hand.later(minutes=15)
    hand.login()


def test_strangers_cannot_lock_the_owner_out(hand: Hand) -> None:
    for _ in range(6):
        refused(hand, password="a wrong guess", device="pda-stray")
        refused(hand, password="a wrong guess", device=None)
    hand.login()


def test_flood_of_guesses_is_stopped_before_hashing(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = PASSWORDS.verify
    monkeypatch.setattr(
        PASSWORDS, "verify", lambda stored, text: hashed.append(text) or real(stored, text)
    )
    codes = [refused(hand, password="guess", device=None)[0] for _ in range(40)]
    assert codes.count("throttled") == 20
    assert len(hashed) == 20
    hand.login()  # the owner's own scanner has a bucket of its own


def test_flood_without_a_device_is_stopped_before_the_database(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read, nothing is written for a try that the throttle refuses."""
    for _ in range(20):
        refused(hand, password="guess", device=None)
    with monkeypatch.context() as closed:
        for name in ("read", "write"):
            closed.setattr(Database, name, lambda *_: pytest.fail("the database was asked"))
        assert refused(hand, password="guess", device=None)[0] == "throttled"


def test_flood_of_forged_answers_keeps_no_writer_waiting(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forged by who has no key: read, hashed until the throttle, and not written but the count."""
    honest = hand.proof("pda-1")
    forged = DeviceProof("pda-1", honest.nonce, b"x" * 64)
    for _ in range(20):
        with pytest.raises(LoginRefused):
            hand.logins.login("courier-1", "guess", device=forged)
    with monkeypatch.context() as closed:
        closed.setattr(Database, "write", lambda *_: pytest.fail("a writer was asked"))
        with pytest.raises(LoginRefused) as caught:
            hand.logins.login("courier-1", "guess", device=forged)
    assert caught.value.attempt.refusal.code == "throttled"
    hand.logins.login("courier-1", PASSWORD, totp=hand.code(), device=honest)  # still good, once


def test_unknown_wrong_locked_and_suspended_look_the_same(hand: Hand) -> None:
    """One text, one hash, one commit: nothing tells which logins exist."""
    hand.rewire(LAX)
    hand.change(accounts, accounts.c.login == "courier-2", status="suspended")
    hand.change(accounts, accounts.c.login == "weak-1", locked_until=hand.epoch + 60)
    seen = set()
    for login in ("nobody", "courier-1", "courier-2", "weak-1", "svc-dial"):
        hashes: list[bool] = []
        real = PASSWORDS.verify
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                PASSWORDS, "verify", lambda s, t, real=real, h=hashes: h.append(True) or real(s, t)
            )
            with pytest.raises(LoginRefused) as caught:
                hand.login(login, "wrong", None, None)
        with hand.database.read() as cx:
            marks = cx.execute(select(challenges.c.expires_at)).all()
        seen.add((str(caught.value), len(hashes), len(marks)))
    assert len(seen) == 1


def test_a_login_that_does_not_exist_is_not_kept(hand: Hand) -> None:
    """People type their password into the wrong box."""
    with pytest.raises(LoginRefused) as caught:
        hand.login("my secret password")
    assert caught.value.attempt.account is None


def test_service_account_comes_in_by_its_key_alone(hand: Hand) -> None:
    assert hand.sessions.resolve(hand.login("svc-dial", "", None, "srv-1")).account == "svc-dial"
    for settings in (STRICT, LAX):
        hand.rewire(settings)
        for device in ("pda-1", "pda-stray", None):
            found = refused(hand, login="svc-dial", password="", code=None, device=device)
            assert found == ("device-not-proven", ("device-binding",))


def test_customer_needs_no_company_scanner(hand: Hand) -> None:
    principal = hand.sessions.resolve(hand.login("recipient-1", code=None, device=None))
    assert principal.customer == "c1"


def test_stored_tokens_and_seeds_are_of_no_use(hand: Hand) -> None:
    """A copy of the tables opens no session, and a seed moved to another account is no factor."""
    token = hand.login()
    with hand.database.write() as cx:
        stored = cx.execute(select(sessions.c.token_hash)).scalar_one()
        seed = cx.execute(
            select(accounts.c.totp_seed).where(accounts.c.login == "courier-1")
        ).scalar_one()
        assert token != stored
        assert SEED.encode() not in seed
        cx.execute(update(accounts).where(accounts.c.login == "courier-2").values(totp_seed=seed))
    assert dead(hand, stored)[0] == "unknown-session"
    assert refused(hand, login="courier-2", device="pda-2") == ("code-wrong", ("second-factor",))


def test_an_old_hash_is_renewed_at_login(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hand.store.account("courier-1")
    monkeypatch.setattr(PASSWORDS, "outdated", lambda stored: True)
    hand.login()
    after = hand.store.account("courier-1")
    assert before
    assert after
    assert before.password_hash != after.password_hash
    assert PASSWORDS.verify(after.password_hash, PASSWORD)


def test_time_tells_nothing_about_which_logins_exist(sqlite_url: str) -> None:
    """The fastest of interleaved tries: unknown, wrong, suspended and locked within a quarter.

    The fastest, because a busy machine only ever adds time; an attacker takes it too. Tried until
    they agree: a real difference never goes away.
    """
    with Database.open(sqlite_url) as database:
        fill(database)
        hand = Hand(database, STRICT)
        hand.change(accounts, accounts.c.login == "courier-2", status="suspended")
        hand.change(accounts, accounts.c.login == "weak-1", locked_until=hand.epoch + 10**6)
        fastest = dict.fromkeys(("nobody", "courier-1", "courier-2", "weak-1"), math.inf)
        for tries in range(150):
            for login in fastest:
                start = time.perf_counter()
                with pytest.raises(LoginRefused):
                    hand.logins.login(login, "wrong password", totp="123456")
                fastest[login] = min(fastest[login], time.perf_counter() - start)
            if tries > 5 and max(fastest.values()) < 1.25 * min(fastest.values()):
                return
    pytest.fail(f"time tells logins apart: {fastest}")
