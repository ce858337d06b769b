"""Registering applications with the central login: each act is on record before it is done.

INVARIANTS
- Only an account administrator in force registers and removes, as they make and change accounts.
- A URL is registered only when it is plainly one: https, or this machine itself; one address
  belongs to one application, however it is written.
- An application is due no attribute, no proxying and no proxies unless they are named.
"""

import re
from collections.abc import Callable
from functools import partial

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.cas import ATTRIBUTES, RegisteredService
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.identity.service_url import belongs, readable
from acl_engine.storage.cas_services import TAKEN, SqlServiceRegistry
from acl_engine.storage.database import Database

BAD_NAME = Text(
    "service.bad-name",
    "应用名称 `{name}` 不可用",
    "the name `{name}` cannot be used",
    "用小写字母、数字和连字符，40 个以内",
    "use lower-case letters, figures and hyphens, 40 at most",
)
BAD_TITLE = Text(
    "service.bad-title",
    "名称（--title）为空、过长或含不可见字符",
    "the title is empty, too long or not printable",
    "写 1 到 {most} 个可见字符",
    "write 1 to {most} printable characters",
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


def registered(url: str) -> tuple[RegisteredService, ...]:
    """The applications of a database. Raises StoreError or ConfigError."""
    with Database.open(url) as database:
        return SqlServiceRegistry(database).services()


class ServiceDesk:
    """The acts of `acl service` over one database. Close it when done."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._registry = desk.services

    @classmethod
    def open(cls, url: str, pack: Pack) -> "ServiceDesk":
        """Open a database under a pack's rules. Raises StoreError or ConfigError."""
        return cls(Desk.open(url, pack))

    def __enter__(self) -> "ServiceDesk":
        return self

    def __exit__(self, *_: object) -> None:
        self._desk.close()

    def services(self) -> tuple[RegisteredService, ...]:
        return self._registry.services()

    def add(self, service: RegisteredService, by: str) -> None:
        """Register. Raises InputError."""
        self._permit("service.add", service.name, by)
        self._check(service)
        self._do("service.add", service.name, by, partial(self._registry.add, service, by))

    def remove(self, name: str, by: str) -> None:
        """From now on no ticket is made for it, and none that was made is good."""
        self._permit("service.remove", name, by)
        self._do("service.remove", name, by, lambda _: self._registry.remove(name))

    def _permit(self, action: str, name: str, by: str) -> None:
        """Raises ChangeRefused, on record."""
        self._desk.permit(Act(action, (name,), by), self._desk.rules.settings.administrators, None)

    def _check(self, service: RegisteredService) -> None:
        if not _NAME.fullmatch(service.name):
            raise InputError(BAD_NAME.of(name=service.name))
        if not _shows(service.title):
            raise InputError(BAD_TITLE.of(most=_TITLE_CHARS))
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
        known = {one.name: one.url for one in self.services()}
        if any(belongs(service.url, one) and belongs(one, service.url) for one in known.values()):
            raise InputError(TAKEN.of(name=service.name))
        for name in service.proxied_by:
            if name not in known:
                raise InputError(NO_SERVICE.of(name=name))

    def _do(self, action: str, name: str, by: str, change: Callable[[int], None]) -> None:
        """The record names the application: an auditor reads which one, and it is nobody's data."""
        entry = AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self._desk.now() * 1000,
            action=action,
            resource="service",
            account=by,
            effect="allow",
            line="login",
            purpose=name,
            count=1,
        )
        self._desk.carry_out(entry, change)


def _shows(title: str) -> bool:
    """Whether people see the title as it is: nothing steers a terminal or turns text round."""
    plain = title.replace("\u3000", " ")  # the space between Chinese characters
    return bool(plain.strip()) and plain.isprintable() and len(plain) <= _TITLE_CHARS
