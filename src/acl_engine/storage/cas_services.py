"""The registered applications: the adapter behind `domain.cas.ServiceRegistry`."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.cas import RegisteredService
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import cas_services

TAKEN = Text(
    "cas.service-taken",
    "名称 `{name}` 或其地址已登记",
    "the name `{name}` or its URL is registered already",
    "`acl service list` 查看；先移除旧的",
    "see `acl service list`; remove the old one first",
)
UNKNOWN = Text(
    "cas.service-unknown",
    "没有登记名为 `{name}` 的应用",
    "no application `{name}` is registered",
    "`acl service list` 查看",
    "see `acl service list`",
)
_ALL = Prepared(select(cas_services).order_by(cas_services.c.name))
_ONE = Prepared(select(cas_services).where(cas_services.c.name == bindparam("named")))


class SqlServiceRegistry:
    """Implements `domain.cas.ServiceRegistry` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def services(self) -> tuple[RegisteredService, ...]:
        """All of them, by name."""
        with self._database.read() as cx:
            rows = _ALL.all(cx, {})
        return tuple(map(_to_service, rows))

    def service(self, name: str) -> RegisteredService | None:
        """The one of this name."""
        with self._database.read() as cx:
            row = _ONE.first(cx, {"named": name})
        return None if row is None else _to_service(row)

    def add(self, service: RegisteredService, by: str, now: int) -> None:
        row = {
            "name": service.name,
            "url": service.url,
            "title": service.title,
            "attributes": json.dumps(service.attributes),
            "callback": service.callback,
            "proxied_by": json.dumps(service.proxied_by),
            "logout_url": service.logout_url,
            "fresh": service.fresh,
            "added_by": by,
            "added_at": now,
        }
        with self._database.write() as cx:
            try:
                cx.execute(insert(cas_services).values(row))
            except IntegrityError:
                raise InputError(TAKEN.of(name=service.name)) from None

    def remove(self, name: str) -> None:
        with self._database.write() as cx:
            gone = cx.execute(delete(cas_services).where(cas_services.c.name == name))
            if gone.rowcount != 1:
                raise InputError(UNKNOWN.of(name=name))


def _to_service(row: Mapping[str, Any]) -> RegisteredService:
    return RegisteredService(
        name=row["name"],
        url=row["url"],
        title=row["title"],
        attributes=tuple(json.loads(row["attributes"])),
        callback=row["callback"],
        proxied_by=tuple(json.loads(row["proxied_by"])),
        logout_url=row["logout_url"],
        fresh=row["fresh"],
    )
