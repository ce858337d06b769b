"""Registering applications with the central login: each act is on record before it is done.

INVARIANTS
- A URL is registered only when it is plainly one: https, or this machine itself.
- An application is due no attribute, no proxying and no proxies unless they are named.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from acl_engine.audit import record
from acl_engine.bootstrap.clocks import millis_of
from acl_engine.bootstrap.world_clock import desk_clock
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.cas import ATTRIBUTES, RegisteredService
from acl_engine.domain.errors import AclError, InputError
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.identity.service_url import belongs, readable
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.database import Database

BAD_NAME = Text(
    "service.bad-name",
    "应用名称 `{name}` 不可用",
    "the name `{name}` cannot be used",
    "用小写字母、数字和连字符，40 个以内",
    "use lower-case letters, figures and hyphens, 40 at most",
)
BAD_URL = Text(
    "service.bad-url",
    "地址 `{url}` 不能登记",
    "the URL `{url}` cannot be registered",
    "应为 https://主机/路径，不带用户、查询和片段；http 仅限本机",
    "it is https://host/path without user, query or fragment; http only for this machine",
)
NO_ATTRIBUTE = Text(
    "service.unknown-attribute",
    "没有属性 `{name}`",
    "there is no attribute `{name}`",
    "可用：{known}",
    "known: {known}",
)
NO_SERVICE = Text(
    "service.unknown-proxy",
    "没有登记应用 `{name}`",
    "no application `{name}` is registered",
    "先登记它",
    "register it first",
)
ELSEWHERE = Text(
    "service.logout-elsewhere",
    "注销地址 `{url}` 不在该应用之下",
    "the logout URL `{url}` is not below the application's own",
    "注销通知只发给应用自己",
    "an application is told of logouts at its own address",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TITLE_CHARS = 100


class ServiceDesk:
    """The acts of `acl service` over one database. Close it when done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = SqlServiceRegistry(database)
        self._clock = desk_clock(database)
        self._audit = AuditStore(database, record.encode, record.leaf_hash, record.decode)

    @classmethod
    def open(cls, url: str) -> "ServiceDesk":
        """Raises StoreError or ConfigError."""
        return cls(Database.open(url))

    def __enter__(self) -> "ServiceDesk":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def services(self) -> tuple[RegisteredService, ...]:
        return self._registry.services()

    def add(self, service: RegisteredService, by: str) -> None:
        """Register. Raises InputError."""
        self._check(service)
        now = millis_of(self._clock) // 1000
        self._do("service.add", service.name, by, lambda: self._registry.add(service, by, now))

    def remove(self, name: str, by: str) -> None:
        """From now on no ticket is made for it, and none that was made is good."""
        self._do("service.remove", name, by, lambda: self._registry.remove(name))

    def _check(self, service: RegisteredService) -> None:
        if not _NAME.fullmatch(service.name) or not 1 <= len(service.title) <= _TITLE_CHARS:
            raise InputError(BAD_NAME.of(name=service.name))
        for url in filter(None, (service.url, service.callback, service.logout_url)):
            parts = readable(url)
            if parts is None or parts.query:
                raise InputError(BAD_URL.of(url=url))
        if service.callback and not service.callback.startswith("https://"):
            raise InputError(BAD_URL.of(url=service.callback))
        if service.logout_url and not belongs(service.logout_url, service.url):
            raise InputError(ELSEWHERE.of(url=service.logout_url))
        for name in service.attributes:
            if name not in ATTRIBUTES:
                raise InputError(NO_ATTRIBUTE.of(name=name, known=", ".join(ATTRIBUTES)))
        known = {one.name for one in self.services()}
        for name in service.proxied_by:
            if name not in known:
                raise InputError(NO_SERVICE.of(name=name))

    def _do(self, action: str, name: str, by: str, act: Callable[[], None]) -> None:
        entry = AuditEntry(
            kind="event",
            request=new_request_id(),
            at=millis_of(self._clock),
            action=action,
            resource="service",
            account=by,
            effect="allow",
            line="login",
            purpose=name,
            count=1,
        )
        self._audit.append(entry)
        try:
            act()
        except AclError as error:
            self._audit.append(replace(entry, effect="error", reason=error.message.code))
            raise
