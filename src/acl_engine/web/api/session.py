"""What an operation works with: the engine, the callers' desk, and the token that came along; and
how what it raises is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.central import Central
from acl_engine.bootstrap.engine import Engine
from acl_engine.domain.errors import InputError, SessionDead, TicketRefused
from acl_engine.domain.text import Text
from acl_engine.web.bearer import unknown
from acl_engine.web.problems import Refused

NO_TICKET = Text(
    "api.no-ticket",
    "票据无效，或不是为本接口签发",
    "the ticket is not good, or was not made for this interface",
    "重新登录取得新票据",
    "get a new one from the central login",
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Asking:
    engine: Engine
    central: Central
    access: Access
    token: str = field(repr=False)


def worked(work: Callable[[], _T]) -> _T:
    """What the work gives. What it raises becomes the API's own refusal, where it has one."""
    try:
        return work()
    except InputError as wrong:
        raise Refused(422, wrong.message) from None
    except SessionDead:
        raise unknown() from None
    except TicketRefused:
        raise Refused(403, NO_TICKET.of()) from None
