"""Fresh proofs, recovery codes and tries: the adapter behind `domain.factors.FactorStore`.

INVARIANTS
- What counts once (a code's step, a recovery code, a try) is decided by one conditional statement.
"""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.factors import Proved
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, login_tries, recovery_codes, sessions


class SqlFactors:
    """Implements `domain.factors.FactorStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prove(self, session: str, login: str, epoch: int, step: int, now: int) -> Proved:
        with self._database.write() as cx:
            same = accounts.c.login == login, accounts.c.epoch == epoch
            if cx.execute(select(accounts.c.login).where(*same).with_for_update()).first() is None:
                return Proved.CHANGED
            if not use_step(cx, login, step):
                return Proved.CODE_USED
            mine = sessions.c.token_hash == session, sessions.c.ended_at.is_(None)
            # A used code that opened nothing stays used.
            marked = cx.execute(
                update(sessions)
                .where(*mine, sessions.c.login == login)
                .values(proven_at=now, held_at=0, seen_at=now)
            )
            return Proved.PROVED if marked.rowcount == 1 else Proved.CHANGED

    def hold(self, login: str, now: int) -> int:
        live = sessions.c.login == login, sessions.c.ended_at.is_(None), sessions.c.expires_at > now
        with self._database.write() as cx:
            held = cx.execute(update(sessions).where(*live).values(held_at=now, proven_at=0))
            return int(held.rowcount)

    def knows_recovery(self, login: str, code_hash: str) -> bool:
        with self._database.read() as cx:
            return (
                cx.execute(select(recovery_codes.c.login).where(*_code(login, code_hash))).first()
                is not None
            )

    def recovery_left(self, login: str) -> int:
        query = select(func.count()).where(recovery_codes.c.login == login)
        with self._database.read() as cx:
            return int(cx.scalar(query) or 0)

    def take_try(self, key_hash: str, now_ms: int, *, tries: int, refill_ms: int) -> bool:
        full_at = login_tries.c.full_at
        dialect: Any = postgresql if self._database.dialect == "postgresql" else sqlite
        first = dialect.insert(login_tries).values(key_hash=key_hash, full_at=now_ms + refill_ms)
        # Full again at `full_at`: a bucket that is empty is full in `tries` refills.
        begun = func.greatest if self._database.dialect == "postgresql" else func.max
        taken = first.on_conflict_do_update(
            index_elements=[login_tries.c.key_hash],
            set_={"full_at": begun(full_at, now_ms) + refill_ms},
            where=full_at + refill_ms <= now_ms + tries * refill_ms,
        )
        with self._database.write() as cx:
            cx.execute(delete(login_tries).where(full_at <= now_ms))
            return cx.execute(taken.returning(login_tries.c.key_hash)).first() is not None


def use_step(cx: Connection, login: str, step: int) -> bool:
    """RFC 6238 5.2: a code is accepted once. False when this step or a later one was used."""
    newer = (accounts.c.login == login) & (accounts.c.totp_last_step < step)
    return cx.execute(update(accounts).where(newer).values(totp_last_step=step)).rowcount == 1


def use_recovery(cx: Connection, login: str, code_hash: str) -> bool:
    """Delete the code. False when there was none: it was used, or is another's."""
    return cx.execute(delete(recovery_codes).where(*_code(login, code_hash))).rowcount == 1


def set_recovery(cx: Connection, login: str, code_hashes: tuple[str, ...], now: int) -> None:
    """These codes and no older ones."""
    cx.execute(delete(recovery_codes).where(recovery_codes.c.login == login))
    if code_hashes:
        rows = [{"code_hash": one, "login": login, "made_at": now} for one in code_hashes]
        cx.execute(insert(recovery_codes), rows)


def _code(login: str, code_hash: str) -> tuple[Any, ...]:
    return recovery_codes.c.login == login, recovery_codes.c.code_hash == code_hash
