"""Open enrolments: the adapter behind `domain.enrolments.EnrolmentStore`."""

from sqlalchemy import Connection, delete, insert, or_, select

from acl_engine.domain.enrolments import Enrolment
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, enrolments


class SqlEnrolments:
    """Implements `domain.enrolments.EnrolmentStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, new: Enrolment, now: int) -> None:
        gone = or_(enrolments.c.login == new.login, enrolments.c.expires_at <= now)
        row = {"login": new.login, "token_hash": new.token_hash}
        with self._database.write() as cx:
            cx.execute(delete(enrolments).where(gone))
            cx.execute(insert(enrolments).values(**row, epoch=new.epoch, expires_at=new.expires_at))

    def find(self, token_hash: str, now: int) -> Enrolment | None:
        query = (
            select(enrolments)
            .join(accounts, accounts.c.login == enrolments.c.login)
            .where(
                enrolments.c.token_hash == token_hash,
                enrolments.c.expires_at > now,
                enrolments.c.epoch == accounts.c.epoch,
            )
        )
        with self._database.read() as cx:
            row = cx.execute(query).first()
        return None if row is None else Enrolment(**row._mapping)


def use_enrolment(cx: Connection, login: str, token_hash: str, now: int) -> bool:
    """Delete the enrolment. False when there was none: it was used, ran out, or is another's."""
    mine = enrolments.c.login == login, enrolments.c.token_hash == token_hash
    gone = cx.execute(delete(enrolments).where(*mine, enrolments.c.expires_at > now))
    return gone.rowcount == 1
