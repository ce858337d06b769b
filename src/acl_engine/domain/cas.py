"""Central login (CAS 3.0) as values: services, tickets, grants, farewells, and the store's port.

Words of the protocol: a service is an application that sends its people here to log in. A service
ticket (ST) or proxy ticket (PT) says once, to one service, who came. A proxy-granting ticket (PGT)
lets a service ask for proxy tickets. A farewell is the message of single logout.

INVARIANTS
- A ticket is known to its holder alone: the store sees its hash, until it was offered for
  validation and is worth nothing.
- Everything hangs on a session: when that is dead, so are its tickets and grants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from acl_engine.domain.parts import Part
from acl_engine.domain.text import Text

MOST_URL = 2048
USED = Text("cas.used", "票据已用过", "the ticket was used before")


class TicketKind(StrEnum):
    SERVICE = "ST"
    PROXY = "PT"


class Failure(StrEnum):
    """The protocol's error codes (specification 2.5.3 and 2.7.3)."""

    INVALID_REQUEST = "INVALID_REQUEST"
    INVALID_TICKET_SPEC = "INVALID_TICKET_SPEC"
    UNAUTHORIZED_SERVICE_PROXY = "UNAUTHORIZED_SERVICE_PROXY"
    UNAUTHORIZED_SERVICE = "UNAUTHORIZED_SERVICE"
    INVALID_PROXY_CALLBACK = "INVALID_PROXY_CALLBACK"
    INVALID_TICKET = "INVALID_TICKET"
    INVALID_SERVICE = "INVALID_SERVICE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


# What may be released about a person of the company, each to the services that it is due to.
ATTRIBUTES: Mapping[str, Text] = {
    name: Text(f"cas.attribute.{name}", zh, en)
    for name, zh, en in (
        ("name", "姓名", "the person's name"),
        ("person", "工号", "the person's id"),
        ("role", "角色及其所属的组（多值）", "the role and its groups (several values)"),
        ("unit", "所在单位", "the organisation unit"),
        ("unitName", "单位名称", "the unit's name"),
        ("unitPath", "上级单位直至总部（多值）", "the units above, up to headquarters (several)"),
        ("superior", "上级的工号", "the superior's id"),
        ("area", "当前排班区域（多值）", "the areas on the roster now (several values)"),
        ("deviceClass", "登录设备的类别", "the class of the device of this login"),
    )
}


@dataclass(frozen=True, slots=True)
class RegisteredService:
    """One application, as it was registered.

    `url`: scheme, host and port that must be met exactly, and the path at or below which the
    application lives. `attributes`: what it is due. `callback`: where it may have a PGT sent;
    None: it may not proxy. `proxied_by`: names of the services that may act towards this one for
    a person. `logout_url`: where its farewells go, if not to the address of the login. `fresh`:
    a live session is not enough, the person shows their credentials each time.
    """

    name: str
    url: str
    title: str
    attributes: tuple[str, ...] = ()
    callback: str | None = None
    proxied_by: tuple[str, ...] = ()
    logout_url: str | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to keep. `session` is the session's id; `fresh`: credentials were shown for it.
    `proxies`: callback URLs of the services it came through, the latest first."""

    ticket_hash: str
    kind: TicketKind
    service: str
    url: str
    session: str
    fresh: bool
    proxies: tuple[str, ...]
    now: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Offered:
    """A ticket that was offered for validation. `used`: it had been offered before; `since`: when
    its session's credentials were shown, epoch seconds, 0 when there is no such session."""

    ticket_hash: str
    kind: TicketKind
    service: str
    url: str
    session: str
    fresh: bool
    proxies: tuple[str, ...]
    issued_at: int
    expires_at: int
    used: bool
    since: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """A proxy-granting ticket, by its hash."""

    grant_hash: str
    service: str
    session: str
    callback: str
    proxies: tuple[str, ...]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Farewell:
    """One logout to tell one service. `index` is the ticket by which the service knows the
    person's visit; it opens nothing any more."""

    ticket_hash: str
    service: str
    url: str
    index: str
    tries: int


@dataclass(frozen=True, slots=True)
class Described:
    """What the directory says of a person now, for the attributes that a service is due."""

    name: str = field(repr=False)
    unit_name: str
    unit_path: tuple[str, ...]
    superior: str | None
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a service learns from a ticket that was good. `attributes` in order, several values
    each; `since`: when the person showed their credentials, epoch seconds UTC. `session`, the id
    that it hangs on, is for this engine's own API and told to no application."""

    account: str
    fresh: bool
    since: int
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    proxies: tuple[str, ...]
    iou: str | None = None
    session: str = field(repr=False, default="")


class Outbound(Protocol):
    """HTTPS to other machines: certificates verified, no redirect followed, bounded in time."""

    def get(self, url: str) -> int:
        """The status of a GET; 0 when there was no trustworthy answer."""
        ...

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        """The status of a form's POST; 0 when there was no trustworthy answer."""
        ...


class ServiceRegistry(Protocol):
    """The registered applications. StoreError on failure."""

    def services(self) -> tuple[RegisteredService, ...]: ...
    def service(self, name: str) -> RegisteredService | None: ...

    def add(self, service: RegisteredService, by: str, now: int) -> None:
        """Raises InputError when the name or the URL is taken."""
        ...

    def remove(self, name: str) -> None:
        """Raises InputError when there is none of that name."""
        ...


class TicketStore(Protocol):
    """State of the central login; every method is one transaction, right with several processes
    racing on it. Times are epoch seconds UTC."""

    def spend(self, form: str, now: int, expires_at: int) -> bool:
        """Use a login form's ticket up. False: it was used before."""
        ...

    def issue(self, new: NewTicket) -> None: ...

    def offered(self, ticket_hash: str) -> Offered | None:
        """The ticket as it is. Nothing is used up."""
        ...

    def use(self, ticket_hash: str, index: str, *, once: bool, now: int) -> Part[Any, bool]:
        """Use a ticket up, with the record of what came of it. Refused with TicketRefused: it was
        used before. `index`: the ticket itself, kept from now on for the farewell. `once` False is
        replay's: a used ticket counts as new."""
        ...

    def keep_grant(self, grant: Grant) -> None: ...

    def grant(self, grant_hash: str) -> Grant | None:
        """The grant, unless it has ended."""
        ...

    def move(self, old: str, new: str) -> None:
        """What hung on one session hangs on another: the same person showed credentials anew."""
        ...

    def set_warn(self, session: str, now: int) -> None:
        """This person wants to be asked before each application."""
        ...

    def warns(self, session: str) -> bool: ...

    def part(self, session: str, now: int) -> int:
        """End a session's grants, burn its tickets, make its farewells due; how many."""
        ...

    def part_dead(self, now: int) -> int:
        """Like `part`, for every session that ended without a logout: leavers, changes of an
        account, the absolute limit. How many farewells became due."""
        ...

    def claim(self, now: int, lease: int, limit: int) -> tuple[Farewell, ...]:
        """Farewells that are due, each to one caller: it is due again after `lease` seconds."""
        ...

    def settle(self, ticket_hash: str, now: int, *, retry_at: int | None) -> None:
        """A farewell was told, or given up; or is to be tried again at `retry_at`."""
        ...

    def forget(self, now: int) -> None:
        """Delete what is over: spent forms, tickets that ran out, farewells that were told."""
        ...

    def describe(self, account: str, now: int) -> Described | None: ...
