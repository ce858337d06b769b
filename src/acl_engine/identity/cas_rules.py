"""Whether an offered ticket is good: one pure function, one reason and one control each.

    (1) known      there is such a ticket
    (2) once       it was not offered before
    (3) in time    it has not run out
    (4) kind       a proxy ticket only where proxies are asked for
    (5) service    offered by the application that it was made for
    (6) renew      made from credentials, where the application asks for that

Whatever is said, the ticket is used up with the record of it (specification 3.1.1).
"""

from dataclasses import dataclass

from acl_engine.domain.cas import USED, Failure, Offered, TicketKind
from acl_engine.domain.pack_settings import CentralSettings
from acl_engine.domain.text import Text

SINGLE_USE = "single-use-tickets"
SHORT = "short-tickets"
BOUND = "tickets-bound-to-service"
LIVE = "live-session"
CALLBACKS = "listed-callbacks"
REGISTERED = "registered-services"

NOT_KNOWN = Text("cas.not-known", "票据不被认识", "the ticket is not recognised")
EXPIRED = Text("cas.expired", "票据已过期", "the ticket has expired")
PROXY_TICKET = Text(
    "cas.proxy-ticket",
    "这是代理票据，请用 proxyValidate",
    "this is a proxy ticket: proxyValidate takes it",
)
OTHER_SERVICE = Text(
    "cas.other-service", "票据属于另一个应用", "the ticket was made for another service"
)
NOT_FRESH = Text(
    "cas.not-fresh",
    "票据并非由本次出示凭据得来",
    "the ticket does not come from the presentation of credentials",
)
SESSION_OVER = Text("cas.session-over", "登录会话已结束", "the login session is over")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a ticket is not good: the protocol's code, the text, the control that said no."""

    failure: Failure
    text: Text
    control: str = ""


TWICE = Refusal(Failure.INVALID_TICKET, USED, SINGLE_USE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an application says when it offers a ticket. `renew`: only a fresh one will do.
    `proxies`, `attributes`: what the address that it asks at takes and gives."""

    service: str
    renew: bool = False
    proxies: bool = False
    attributes: bool = False


def judge(
    ticket: Offered | None, asked: Asked, settings: CentralSettings, now: int
) -> Refusal | None:
    """Why the ticket is not good, or None."""
    if ticket is None:
        return Refusal(Failure.INVALID_TICKET, NOT_KNOWN)
    if ticket.used and settings.single_use:
        return TWICE
    if now >= ticket.expires_at:
        return Refusal(Failure.INVALID_TICKET, EXPIRED, SHORT)
    if ticket.kind is TicketKind.PROXY and not asked.proxies:
        return Refusal(Failure.INVALID_TICKET_SPEC, PROXY_TICKET)
    if ticket.url != asked.service and settings.bound_to_service:
        return Refusal(Failure.INVALID_SERVICE, OTHER_SERVICE, BOUND)
    if asked.renew and not ticket.fresh:
        return Refusal(Failure.INVALID_TICKET, NOT_FRESH)
    return None
