"""Passwords, their rules, the throttle and one-time codes, each alone."""

import threading

import pytest
from tests.identity_world import PASSWORDS, SEED, TOTP

from acl_engine.identity.password_rules import weakness
from acl_engine.identity.passwords import Busy, HashPool, Passwords
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp, code_at, enrolment_uri


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short-1", "password-too-short"),
        ("x" * 129, "password-too-long"),
        ("password123", "password-common"),
        ("P@ssw0rd!", "password-common"),
        ("Woaini1314", "password-common"),
        ("11111111", "password-pattern"),
        ("abcabcabc", "password-pattern"),
        ("12345678", "password-pattern"),
        ("qwertyuiop", "password-pattern"),
        ("1qaz2wsx", "password-common"),
        ("yuantong2020", "password-context"),
        ("Kuaidi@8888", "password-context"),
        ("baoan-xixiang-88", "password-context"),
        ("courier-88!", "password-context"),
        ("紫色的河马会唱歌吗", None),
        ("four quiet herons", None),
    ],
)
def test_which_passwords_may_be_set(password: str, reason: str | None) -> None:
    found = weakness(password, second_factor=True, context=("courier-88",))
    assert (found.code if found else None) == reason


def test_without_a_second_factor_fifteen_characters_are_asked() -> None:
    assert weakness("hippo sings ok", second_factor=False)
    assert weakness("hippo sings okay", second_factor=False) is None


def test_length_counts_characters_not_bytes_and_nothing_is_cut_off() -> None:
    assert weakness("河马紫色会唱歌吗", second_factor=True) is None
    stored = PASSWORDS.hash("x" * 100 + "a")
    assert not PASSWORDS.verify(stored, "x" * 100 + "b")


def test_no_composition_rules_and_no_blame_for_spaces() -> None:
    assert weakness("all lower case words", second_factor=True) is None


def test_the_same_password_in_another_unicode_form_fits() -> None:
    stored = PASSWORDS.hash("ｃａｆé ten herons")
    assert PASSWORDS.verify(stored, "cafe\u0301 ten herons")


def test_no_hash_no_entry() -> None:
    for stored in (None, "", "not a hash"):
        assert not PASSWORDS.verify(stored, "nobody's password")


def test_a_flood_of_bytes_is_not_hashed_as_it_is() -> None:
    assert not PASSWORDS.verify(PASSWORDS.hash("x" * 600), "x" * 600)


def test_lone_surrogates_do_not_crash() -> None:
    assert not PASSWORDS.verify(None, "\ud800")


def test_production_parameters_are_stronger_and_synthetic_hashes_are_outdated_there() -> None:
    assert Passwords.production().outdated(PASSWORDS.hash("four quiet herons"))
    assert not PASSWORDS.outdated(PASSWORDS.hash("four quiet herons"))


def test_a_full_pool_refuses_at_once() -> None:
    pool = HashPool(slots=1, waiting=0)
    with pool.slot(), pytest.raises(Busy), pool.slot():
        pass
    with pool.slot():
        pass


def test_the_pool_runs_one_at_a_time() -> None:
    pool = HashPool(slots=1, waiting=8)
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with pool.slot():
            with lock:
                running += 1
                most = max(most, running)
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_throttle_refills_and_keeps_keys_apart() -> None:
    now = 0.0
    throttle = Throttle(tries=2, refill_seconds=6, ticks=lambda: now)
    assert [throttle.take("a") for _ in range(3)] == [True, True, False]
    assert throttle.take("b")
    now = 6.0
    assert [throttle.take("a") for _ in range(2)] == [True, False]


def test_a_code_fits_its_step_and_the_two_beside_it() -> None:
    sealed = TOTP.seal("courier-1", SEED)
    now = 1_772_400_000
    for drift in (-1, 0, 1):
        at = now + 30 * drift
        assert TOTP.match("courier-1", sealed, code_at(SEED, at), now) == at // 30
    for drift in (-2, 2):
        assert TOTP.match("courier-1", sealed, code_at(SEED, now + 30 * drift), now) is None


@pytest.mark.parametrize("code", [None, "", "000000", "12345", "１２３４５６", "\ud800"])
def test_what_is_no_code_fits_nothing(code: str | None) -> None:
    assert TOTP.match("courier-1", TOTP.seal("courier-1", SEED), code, 30) is None


def test_rfc_6238_vector() -> None:
    """Appendix B, SHA-1, the last six of eight digits, at 59 s and 1111111109 s."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert code_at(seed, 59) == "287082"
    assert code_at(seed, 1111111109) == "081804"


def test_a_seed_opens_under_its_own_key_and_login_only() -> None:
    sealed = TOTP.seal("courier-1", SEED)
    code = code_at(SEED, 3000)
    assert TOTP.match("courier-1", sealed, code, 3000)
    assert TOTP.match("courier-2", sealed, code, 3000) is None
    assert Totp(b"z" * 32).match("courier-1", sealed, code, 3000) is None
    assert TOTP.match("courier-1", sealed[:-1], code, 3000) is None
    assert TOTP.match("courier-1", None, code, 3000) is None


def test_the_enrolment_uri_is_what_authenticators_read() -> None:
    uri = enrolment_uri("courier-1", SEED)
    assert uri.startswith("otpauth://totp/acl-engine:courier-1?secret=" + SEED)
