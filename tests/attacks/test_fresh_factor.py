"""Attacks on the second factor inside a session, and on recovery codes; on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.account_world import Company
from tests.identity_world import STRICT, Hand, fill

from acl_engine.domain.errors import ChangeRefused, InputError, LoginRefused, SessionDead
from acl_engine.identity.recovery import CODES, digest_of, new_codes
from acl_engine.identity.sessions import hash_token
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database
from acl_engine.storage.factors import set_recovery
from acl_engine.storage.tables import devices, login_tries, recovery_codes, sessions


@pytest.fixture
def hand(database: Database) -> Iterator[Hand]:
    fill(database)
    return Hand(database, STRICT)


def proven_at(hand: Hand, token: str) -> int:
    with hand.database.read() as cx:
        mine = sessions.c.token_hash == hash_token(token)
        return int(cx.scalar(select(sessions.c.proven_at).where(mine)) or 0)


def refused(hand: Hand, token: str, **shown: object) -> tuple[str, tuple[str, ...]]:
    before = proven_at(hand, token)
    with pytest.raises(LoginRefused) as caught:
        hand.prove(token, **shown)  # type: ignore[arg-type]
    assert proven_at(hand, token) == before
    refusal = caught.value.attempt.refusal
    return refusal.code, refusal.controls


def recovery(hand: Hand, login: str = "courier-1") -> tuple[str, ...]:
    codes = new_codes()
    with hand.database.write() as cx:
        set_recovery(cx, login, tuple(digest_of(login, one) or "" for one in codes), hand.epoch)
    return codes


def test_a_code_shown_anew_makes_the_session_fresh(hand: Hand) -> None:
    token = hand.login()
    assert proven_at(hand, token) == hand.epoch
    hand.later(minutes=20)
    assert hand.prove(token).account == "courier-1"
    assert proven_at(hand, token) == hand.epoch


def test_a_code_is_good_for_the_login_or_for_the_proof(hand: Hand) -> None:
    token = hand.login()
    assert refused(hand, token) == ("code-used", ("step-up",))
    hand.later(seconds=30)
    hand.prove(token)
    assert refused(hand, token) == ("code-used", ("step-up",))


def test_a_code_read_out_by_phone_without_the_device(hand: Hand) -> None:
    """Whoever has the token and the code still lacks the key; another's device does not do."""
    token = hand.login()
    hand.later(seconds=30)
    assert refused(hand, token, device=None) == ("device-not-proven", ("device-binding",))
    assert refused(hand, token, device="pda-2") == ("device-not-proven", ("device-binding",))
    hand.change(devices, devices.c.id == "pda-2", person="p1")
    assert refused(hand, token, device="pda-2") == ("device-not-proven", ("device-binding",))
    hand.prove(token)


def test_guessing_codes_inside_a_session_locks_the_login(hand: Hand) -> None:
    token = hand.login()
    hand.later(seconds=30)
    for _ in range(STRICT.max_failures):
        assert refused(hand, token, code="000000") == ("code-wrong", ("step-up",))
    assert refused(hand, token) == ("account-locked", ("account-state",))
    hand.later(minutes=STRICT.lock_minutes)
    hand.prove(token)


def test_a_dead_session_proves_nothing(hand: Hand) -> None:
    token = hand.login()
    hand.later(seconds=30)
    hand.sessions.end(token)
    assert refused(hand, token)[0] == "session-ended"
    assert refused(hand, "made-up")[0] == "unknown-session"


def test_a_held_session_shows_nothing_until_it_is_proven(hand: Hand) -> None:
    token = hand.login()
    hand.later(seconds=30)
    assert hand.factors.hold("courier-1", hand.epoch) == 1
    with pytest.raises(SessionDead) as caught:
        hand.sessions.resolve(token)
    assert (caught.value.refusal.code, caught.value.refusal.controls) == (
        "factor-asked",
        ("step-up",),
    )
    assert refused(hand, token, code="000000")[0] == "code-wrong"
    hand.prove(token)
    assert hand.sessions.resolve(token).account == "courier-1"


def test_a_recovery_code_opens_once_and_is_fresh_for_nothing(hand: Hand) -> None:
    first, second, *_ = recovery(hand)
    token = hand.login(code=first.lower().replace("-", " "))
    assert proven_at(hand, token) == 0
    hand.sessions.end(token)
    with pytest.raises(LoginRefused) as caught:
        hand.login(code=first)
    assert caught.value.attempt.refusal.controls == ("second-factor",)
    hand.login(code=second)
    assert hand.factors.recovery_left("courier-1") == CODES - 2


def test_a_recovery_code_of_somebody_else_or_without_the_rest(hand: Hand) -> None:
    mine, *_ = recovery(hand)
    theirs, *_ = recovery(hand, "courier-2")
    for typed in (
        {"code": theirs},
        {"code": mine, "device": None},
        {"code": mine, "password": "x"},
    ):
        with pytest.raises(LoginRefused):
            hand.login(**typed)  # type: ignore[arg-type]
    assert hand.factors.recovery_left("courier-1") == CODES
    token = hand.login(code=mine)
    hand.later(seconds=30)
    assert refused(hand, token, code=mine) == ("code-wrong", ("step-up",))


def test_stored_recovery_codes_are_of_no_use(hand: Hand) -> None:
    codes = recovery(hand)
    with hand.database.read() as cx:
        stored = [row.code_hash for row in cx.execute(select(recovery_codes))]
    assert len(set(stored)) == CODES
    assert not any(code.replace("-", "") in one.upper() for code in codes for one in stored)
    with pytest.raises(LoginRefused):
        hand.login(code=stored[0])


def test_the_throttle_is_one_for_every_process(hand: Hand) -> None:
    """Two processes share a bucket; it fills again with time, and other keys have their own."""
    one, other = Hand(hand.database, STRICT).factors, Hand(hand.database, STRICT).factors
    now = hand.epoch * 1000
    taken = [store.take_try("k", now, tries=3, refill_ms=1000) for store in (one, other) * 2]
    assert taken == [True, True, True, False]
    assert one.take_try("other", now, tries=3, refill_ms=1000)
    assert not one.take_try("k", now + 999, tries=3, refill_ms=1000)
    assert one.take_try("k", now + 1000, tries=3, refill_ms=1000)
    assert one.take_try("k", now + 60_000, tries=3, refill_ms=1000)
    with hand.database.read() as cx:
        assert len(cx.execute(select(login_tries)).all()) == 1  # what is full again is forgotten


def test_a_reset_is_started_by_an_administrator_who_learns_nothing(database: Database) -> None:
    """Password, authenticator and recovery codes are void; nobody resets their own."""
    company = Company(database)
    hand = company.hand
    hand.later(seconds=30)
    with pytest.raises(InputError):
        company.acts.secrets.recovery_codes("courier-1", "000000")
    assert len(set(company.acts.secrets.recovery_codes("courier-1", hand.code()))) == CODES
    assert hand.factors.recovery_left("courier-1") == CODES
    with pytest.raises(LoginRefused):
        hand.login()  # the code that was shown for them is used up
    hand.later(seconds=30)
    token = hand.login()
    with pytest.raises(ChangeRefused):
        company.acts.secrets.reset("weak-1", "weak-1")
    company.acts.secrets.reset("courier-1", "weak-1")
    with pytest.raises(SessionDead):
        hand.sessions.resolve(token)
    hand.later(seconds=30)
    with pytest.raises(LoginRefused):
        hand.login()
    account = hand.store.account("courier-1")
    assert account
    assert account.totp_seed is None
    assert hand.factors.recovery_left("courier-1") == 0
    assert company.log[-1].action == "account.reset"


PACKS = Path(__file__).parents[2] / "policies"
GRAVEST = {"approve", "break_glass", "export", "publish", "disclose"}


@pytest.mark.parametrize("name", ["courier", "housing"])
def test_no_person_is_shown_or_decides_the_gravest_without_it(name: str) -> None:
    """Every row of a person that rests on an approval, or acts gravely, asks for a fresh factor. A
    service has none to show: its approver showed theirs."""
    pack = load_pack(PACKS / name / "after")
    human = {role for role, spec in pack.roles.items() if spec.human}
    groups = {group for role, group in pack.role_links if role in human}
    grave = [
        row
        for row in pack.rows
        if row.role in human | groups
        and row.allow
        and (row.action in GRAVEST or (row.grants and "approved" in row.relation.split(" & ")))
    ]
    assert grave
    for row in grave:
        assert "fresh_factor" in row.relation.split(" & "), row.id
