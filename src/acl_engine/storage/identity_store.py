"""Accounts, devices, challenges and sessions: the adapter behind `domain.accounts.IdentityStore`.

INVARIANTS
- What may happen once (a code, a nonce, a session) is decided by one conditional statement, so two
  processes racing cannot both win.
- A session is inserted under a lock on its owner; the account is read again under that lock.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from acl_engine.domain.accounts import (
    Account,
    Device,
    NewSession,
    Opened,
    SessionState,
    Standing,
    Undertaking,
)
from acl_engine.storage.database import Database
from acl_engine.storage.factors import use_recovery, use_step
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import accounts, challenges, devices, persons, sessions

_ACCOUNT = (
    accounts.c.login,
    accounts.c.person,
    persons.c.status.label("person_status"),
    accounts.c.role,
    accounts.c.unit,
    accounts.c.tenant,
    accounts.c.customer,
    accounts.c.status,
    accounts.c.password_hash,
    accounts.c.totp_seed,
    accounts.c.totp_last_step,
    accounts.c.epoch,
    accounts.c.locked_until,
    accounts.c.certified_at,
    accounts.c.used_at,
    persons.c.starts_at,
    persons.c.ends_at,
    persons.c.undertaking,
    persons.c.undertaking_digest,
    persons.c.trained_at,
)
_SESSION = (
    sessions.c.token_hash,
    sessions.c.device.label("session_device"),
    sessions.c.epoch.label("session_epoch"),
    sessions.c.seen_at,
    sessions.c.expires_at,
    sessions.c.ended_at,
    sessions.c.held_at,
    sessions.c.proven_at,
)
_DEVICE = (
    devices.c.id.label("device_id"),
    devices.c.device_class,
    devices.c.unit.label("device_unit"),
    devices.c.person.label("device_person"),
    devices.c.public_key,
    devices.c.status.label("device_status"),
    devices.c.lease_until,
    devices.c.adapter,
)
_ACCOUNTS = accounts.outerjoin(persons, accounts.c.person == persons.c.id)
_SESSIONS = (
    sessions.join(accounts, sessions.c.login == accounts.c.login)
    .outerjoin(persons, accounts.c.person == persons.c.id)
    .outerjoin(devices, sessions.c.device == devices.c.id)
)
# These run at every look.
_BY_LOGIN = Prepared(
    select(*_ACCOUNT).select_from(_ACCOUNTS).where(accounts.c.login == bindparam("login"))
)
_BY_TOKEN = Prepared(
    select(*_SESSION, *_ACCOUNT, *_DEVICE)
    .select_from(_SESSIONS)
    .where(sessions.c.token_hash == bindparam("token"))
)
_BY_DEVICE = Prepared(select(*_DEVICE).where(devices.c.id == bindparam("device")))
_LATEST = Prepared(
    select(sessions.c.token_hash)
    .where(
        sessions.c.login == bindparam("login"),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
    )
    .order_by(sessions.c.seen_at.desc())
    .limit(1)
)


class SqlIdentityStore:
    """Implements `domain.accounts.IdentityStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, login: str) -> Account | None:
        return self._database.unchanged.recall(("account", login), lambda: self._read(login))

    def device(self, device: str) -> Device | None:
        return self._database.unchanged.recall(("device", device), lambda: self._device(device))

    def _device(self, device: str) -> Device | None:
        with self._database.read() as cx:
            row = _BY_DEVICE.first(cx, {"device": device})
        return None if row is None else _to_device(row)

    def put_challenge(self, nonce: str, device: str, now: int, expires_at: int) -> None:
        with self._database.write() as cx:
            _put_nonce(cx, nonce, device, now, expires_at)

    def take_challenge(self, nonce: str, device: str, now: int) -> bool:
        mine = (challenges.c.nonce == nonce) & (challenges.c.device == device)
        with self._database.write() as cx:
            taken = cx.execute(delete(challenges).where(mine, challenges.c.expires_at > now))
            return taken.rowcount == 1

    def fail(self, login: str, *, most: int, now: int, locked_until: int) -> None:
        known = accounts.c.login == login
        with self._database.write() as cx:
            if most:
                locks = accounts.c.failures + 1 >= most
                cx.execute(
                    update(accounts)
                    .where(known)
                    .values(
                        failures=case((locks, 0), else_=accounts.c.failures + 1),
                        locked_until=case((locks, locked_until), else_=accounts.c.locked_until),
                    )
                )
            # One row is always written, so that a login that does not exist costs a commit too.
            _put_nonce(cx, secrets.token_hex(16), "", now, now)

    def open_session(self, new: NewSession) -> Opened:
        login = new.account.login
        with self._database.write() as cx:
            _lock_owner(cx, new.account)
            found = _account(cx, login)
            if found is None or found.epoch != new.account.epoch or not found.active:
                return Opened.CHANGED
            if new.limit and _live_elsewhere(cx, new) >= new.limit:
                return Opened.OTHER_SESSION
            if new.totp_step is not None and not use_step(cx, login, new.totp_step):
                return Opened.CODE_USED
            if new.recovery is not None and not use_recovery(cx, login, new.recovery):
                return Opened.CODE_USED
            _end_on_same_device(cx, new)
            if new.replaces is not None:
                mine = sessions.c.token_hash == new.replaces, sessions.c.ended_at.is_(None)
                cx.execute(update(sessions).where(*mine).values(ended_at=new.now))
            cx.execute(
                update(accounts)
                .where(accounts.c.login == login)
                .values(failures=0, locked_until=0, used_at=new.now)
            )
            cx.execute(
                insert(sessions).values(
                    token_hash=new.token_hash,
                    login=login,
                    device=new.device,
                    epoch=new.account.epoch,
                    created_at=new.now,
                    seen_at=new.now,
                    expires_at=new.expires_at,
                    proven_at=new.proven_at,
                )
            )
            return Opened.OPENED

    def session(self, token_hash: str) -> SessionState | None:
        key = ("session", token_hash)
        return self._database.unchanged.recall(key, lambda: self._session(token_hash))

    def live_session(self, login: str, now: int) -> str | None:
        key = ("live-session", login, now)
        return self._database.unchanged.recall(key, lambda: self._latest(login, now))

    def _read(self, login: str) -> Account | None:
        with self._database.read() as cx:
            return _account(cx, login)

    def _latest(self, login: str, now: int) -> str | None:
        with self._database.read() as cx:
            row = _LATEST.first(cx, {"login": login, "now": now})
        return None if row is None else str(row["token_hash"])

    def _session(self, token_hash: str) -> SessionState | None:
        with self._database.read() as cx:
            row = _BY_TOKEN.first(cx, {"token": token_hash})
        if row is None:
            return None
        return SessionState(
            token_hash=row["token_hash"],
            account=_to_account(row),
            device=None if row["device_id"] is None else _to_device(row),
            device_id=row["session_device"],
            epoch=row["session_epoch"],
            seen_at=row["seen_at"],
            expires_at=row["expires_at"],
            ended_at=row["ended_at"],
            held_at=row["held_at"],
            proven_at=row["proven_at"],
        )

    def touch(self, token_hash: str, now: int) -> None:
        mine = (sessions.c.token_hash == token_hash) & sessions.c.ended_at.is_(None)
        with self._database.write() as cx:
            cx.execute(update(sessions).where(mine, sessions.c.seen_at < now).values(seen_at=now))

    def end_session(self, token_hash: str, now: int) -> None:
        mine = (sessions.c.token_hash == token_hash) & sessions.c.ended_at.is_(None)
        with self._database.write() as cx:
            cx.execute(update(sessions).where(mine).values(ended_at=now))

    def rehash(self, login: str, old: str, new: str) -> None:
        same = (accounts.c.login == login) & (accounts.c.password_hash == old)
        with self._database.write() as cx:
            cx.execute(update(accounts).where(same).values(password_hash=new))


def _put_nonce(cx: Connection, nonce: str, device: str, now: int, expires_at: int) -> None:
    cx.execute(delete(challenges).where(challenges.c.expires_at <= now))
    row = {"nonce": nonce, "device": device, "expires_at": expires_at}
    cx.execute(insert(challenges).values(row))


def _account(cx: Connection, login: str) -> Account | None:
    row = _BY_LOGIN.first(cx, {"login": login})
    return None if row is None else _to_account(row)


def _lock_owner(cx: Connection, account: Account) -> None:
    """Hold the person (or an unowned account) until the transaction ends.

    SQLite has one writer, and its dialect leaves FOR UPDATE out.
    """
    held: Any = select(accounts.c.login).where(accounts.c.login == account.login)
    if account.person is not None:
        held = select(persons.c.id).where(persons.c.id == account.person)
    cx.execute(held.with_for_update())
    cx.execute(select(accounts.c.epoch).where(accounts.c.login == account.login).with_for_update())


def _owners_sessions(account: Account) -> Any:
    if account.person is None:
        return sessions.c.login == account.login
    # A service is its owner's to answer for, and its sessions are not theirs.
    mine = select(accounts.c.login).where(
        accounts.c.person == account.person, accounts.c.password_hash != ""
    )
    return sessions.c.login.in_(mine.scalar_subquery())


def _live_elsewhere(cx: Connection, new: NewSession) -> int:
    """Live sessions of the owner, but for one on the same proven device: that one is replaced."""
    query = (
        select(sessions.c.device, sessions.c.token_hash)
        .join(accounts, sessions.c.login == accounts.c.login)
        .where(
            _owners_sessions(new.account),
            sessions.c.ended_at.is_(None),
            sessions.c.expires_at > new.now,
            sessions.c.seen_at > new.idle_since,
            sessions.c.epoch == accounts.c.epoch,
        )
    )
    held = [one.device for one in cx.execute(query) if one.token_hash != new.replaces]
    return sum(1 for device in held if device is None or device != new.device)


def _end_on_same_device(cx: Connection, new: NewSession) -> None:
    if new.device is None or not new.limit:
        return
    same = (sessions.c.device == new.device) & sessions.c.ended_at.is_(None)
    cx.execute(update(sessions).where(_owners_sessions(new.account), same).values(ended_at=new.now))


def _to_account(row: Mapping[str, Any]) -> Account:
    return Account(
        login=row["login"],
        person=row["person"],
        person_status=row["person_status"],
        role=row["role"],
        unit=row["unit"],
        tenant=row["tenant"],
        customer=row["customer"],
        status=row["status"],
        password_hash=row["password_hash"],
        totp_seed=row["totp_seed"],
        totp_last_step=row["totp_last_step"],
        epoch=row["epoch"],
        locked_until=row["locked_until"],
        standing=Standing(
            signed=_undertaking(row),
            trained_at=row["trained_at"] or 0,
            certified_at=row["certified_at"],
            used_at=row["used_at"],
            starts_at=row["starts_at"] or 0,
            ends_at=row["ends_at"],
        ),
    )


def _undertaking(row: Mapping[str, Any]) -> Undertaking | None:
    """None for nobody, and for a person who signed nothing."""
    if not row["undertaking"]:
        return None
    return Undertaking(row["undertaking"], row["undertaking_digest"])


def _to_device(row: Mapping[str, Any]) -> Device:
    return Device(
        id=row["device_id"],
        device_class=row["device_class"],
        unit=row["device_unit"],
        person=row["device_person"],
        public_key=row["public_key"],
        status=row["device_status"],
        lease_until=row["lease_until"],
        adapter=row["adapter"],
    )
