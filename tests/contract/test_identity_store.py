"""What is used once is used once: two processes race on each database, and one of them wins."""

from dataclasses import replace

from sqlalchemy import select

from acl_engine.domain.accounts import NewSession, Opened
from acl_engine.storage.database import Database
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.tables import accounts, sessions
from tests.identity_world import NOW, fill
from tests.racing import ROUNDS, Runner, race


def _new(store: SqlIdentityStore, token: str, **changes: object) -> NewSession:
    account = store.account("courier-1")
    assert account
    new = NewSession(
        token_hash=token,
        account=account,
        device=None,
        totp_step=None,
        limit=0,
        now=NOW,
        idle_since=NOW - 60,
        expires_at=NOW + 3600,
    )
    return replace(new, **changes)  # type: ignore[arg-type]


def _use_codes(url: str, runner: Runner) -> None:
    with Database.open(url) as database:
        store = SqlIdentityStore(database)
        for step in range(1, ROUNDS + 1):
            new = _new(store, f"{runner.name}{step}", totp_step=step)
            runner.together()
            runner.say(store.open_session(new))


def _take_nonces(url: str, runner: Runner) -> None:
    with Database.open(url) as database:
        store = SqlIdentityStore(database)
        for nonce in range(ROUNDS):
            runner.together()
            taken = store.take_challenge(f"n{nonce}", "pda-1", NOW)
            runner.say(taken)


def _open_one(url: str, runner: Runner) -> None:
    with Database.open(url) as database:
        store = SqlIdentityStore(database)
        for attempt in range(ROUNDS):
            now = NOW + 7200 * attempt  # the sessions of the round before are over
            times = {"now": now, "idle_since": now - 60, "expires_at": now + 3600}
            new = _new(store, f"{runner.name}{attempt}", limit=1, **times)
            runner.together()
            runner.say(store.open_session(new))


def test_a_code_is_used_once_by_two_racing_processes(database_url: str, database: Database) -> None:
    fill(database)
    found = race(_use_codes, database_url)
    assert found.count(Opened.OPENED) == ROUNDS
    assert found.count(Opened.CODE_USED) == ROUNDS


def test_a_nonce_is_taken_once_by_two_racing_processes(
    database_url: str, database: Database
) -> None:
    store = SqlIdentityStore(database)
    for nonce in range(ROUNDS):
        store.put_challenge(f"n{nonce}", "pda-1", NOW, NOW + 60)
    assert race(_take_nonces, database_url).count("True") == ROUNDS


def test_one_session_a_person_with_two_racing_processes(
    database_url: str, database: Database
) -> None:
    fill(database)
    found = race(_open_one, database_url)
    assert found.count(Opened.OPENED) == ROUNDS
    assert found.count(Opened.OTHER_SESSION) == ROUNDS


def test_a_nonce_belongs_to_its_device_and_expires(database: Database) -> None:
    store = SqlIdentityStore(database)
    store.put_challenge("n", "pda-1", NOW, NOW + 60)
    assert not store.take_challenge("n", "pda-2", NOW)
    assert not store.take_challenge("n", "pda-1", NOW + 60)
    assert store.take_challenge("n", "pda-1", NOW + 59)
    assert not store.take_challenge("n", "pda-1", NOW)


def test_what_is_not_there_is_none_and_changing_it_is_no_error(database: Database) -> None:
    store = SqlIdentityStore(database)
    assert store.account("nobody") is None
    assert store.device("nothing") is None
    assert store.session("no hash") is None
    store.touch("no hash", NOW)
    store.end_session("no hash", NOW)
    store.fail("nobody", most=3, now=NOW, locked_until=NOW + 60)
    store.rehash("nobody", "old", "new")


def test_failures_lock_at_the_limit_and_start_anew(database: Database) -> None:
    fill(database)
    store = SqlIdentityStore(database)
    for count in (1, 2, 0, 1):
        store.fail("courier-1", most=3, now=NOW, locked_until=NOW + 60)
        with database.read() as cx:
            query = select(accounts.c.failures).where(accounts.c.login == "courier-1")
            assert cx.execute(query).scalar_one() == count
    account = store.account("courier-1")
    assert account
    assert account.locked_until == NOW + 60


def test_a_changed_hash_is_not_overwritten_by_a_late_rehash(database: Database) -> None:
    fill(database)
    store = SqlIdentityStore(database)
    store.rehash("courier-1", "what it was before a reset", "stale")
    account = store.account("courier-1")
    assert account
    assert account.password_hash != "stale"


def test_a_refused_session_leaves_no_row(database: Database) -> None:
    fill(database)
    store = SqlIdentityStore(database)
    assert store.open_session(_new(store, "t1", limit=1, totp_step=7)) is Opened.OPENED
    assert store.open_session(_new(store, "t2", limit=1, totp_step=8)) is Opened.OTHER_SESSION
    assert store.open_session(_new(store, "t3", totp_step=7)) is Opened.CODE_USED
    with database.read() as cx:
        assert cx.execute(select(sessions.c.token_hash)).scalars().all() == ["t1"]
        step = select(accounts.c.totp_last_step).where(accounts.c.login == "courier-1")
        assert cx.execute(step).scalar_one() == 7
