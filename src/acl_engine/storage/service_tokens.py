"""Bearer tokens of service accounts: the adapter behind `domain.service_tokens`."""

from dataclasses import asdict

from sqlalchemy import bindparam, insert, select, update

from acl_engine.domain.service_tokens import ServiceToken
from acl_engine.storage.database import Database
from acl_engine.storage.tables import service_tokens

_t = service_tokens.c
_BY_HASH = select(service_tokens).where(_t.token_hash == bindparam("token"))


class SqlServiceTokens:
    """Implements `domain.service_tokens.ServiceTokenStore` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: ServiceToken) -> None:
        with self._database.write() as cx:
            cx.execute(insert(service_tokens).values(asdict(token)))

    def token(self, token_hash: str) -> ServiceToken | None:
        key = ("service-token", token_hash)
        return self._database.unchanged.recall(key, lambda: self._token(token_hash))

    def of_login(self, login: str) -> tuple[ServiceToken, ...]:
        mine = select(service_tokens).where(_t.login == login, _t.revoked_at.is_(None))
        with self._database.read() as cx:
            rows = cx.execute(mine.order_by(_t.created_at.desc())).mappings().all()
        return tuple(ServiceToken(**row) for row in rows)

    def revoke(self, login: str, now: int) -> int:
        mine = (_t.login == login) & _t.revoked_at.is_(None)
        with self._database.write() as cx:
            return cx.execute(update(service_tokens).where(mine).values(revoked_at=now)).rowcount

    def _token(self, token_hash: str) -> ServiceToken | None:
        with self._database.read() as cx:
            row = cx.execute(_BY_HASH, {"token": token_hash}).mappings().first()
        return None if row is None else ServiceToken(**row)
