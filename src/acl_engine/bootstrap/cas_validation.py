"""The central login as applications meet it: tickets validated, proxied, attributes released.

INVARIANTS
- A ticket is used up, whatever is said of it, in the commit of the record that says it, and the
  answer leaves after that. Where we fail ourselves, nothing is answered and nothing used up.
- Where a callback is made for it, that record is the grant's, and written before: no ticket makes
  two callbacks.
- The person's standing is read at every validation: a leaver's ticket is dead.
- A callback goes to an address that the application registered, and to no other.
- An application learns the login and what it is due, nothing else.
"""

from dataclasses import dataclass, replace
from typing import Any

from acl_engine.bootstrap.cas_record import Recorder
from acl_engine.domain.cas import (
    ATTRIBUTES,
    Described,
    Failure,
    Grant,
    NewTicket,
    Offered,
    Outbound,
    RegisteredService,
    ServiceRegistry,
    TicketKind,
    TicketStore,
    Visit,
)
from acl_engine.domain.errors import SessionDead, TicketRefused
from acl_engine.domain.pack_settings import CentralSettings
from acl_engine.domain.parts import Part
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Text
from acl_engine.identity import cas_rules
from acl_engine.identity.cas_rules import Asked, Refusal, judge
from acl_engine.identity.cas_tickets import grant_iou, grant_ticket, hash_ticket, ticket
from acl_engine.identity.service_url import belongs, service_of, with_parameter
from acl_engine.identity.sessions import StoredSessions

NO_LONGER = Text("cas.no-longer", "该应用已不再登记", "the service is not registered, or no longer")
NO_PROXYING = Text(
    "cas.no-proxying", "该应用不得代理登录", "the service is not authorised to proxy"
)
BAD_CALLBACK = Text(
    "cas.bad-callback",
    "代理回调地址不是登记的地址",
    "the proxy callback is not the registered address",
)
NO_CALLBACK = Text(
    "cas.no-callback",
    "代理回调没有得到可信的 200 答复",
    "the proxy callback gave no trustworthy 200",
)
NO_GRANT = Text("cas.no-grant", "PGT 不被认识或已结束", "the proxy-granting ticket is not live")
NOT_FOR_PROXY = Text(
    "cas.not-for-proxy",
    "目标应用未登记，或不接受该应用的代理",
    "the target is not registered, or does not take proxies from this service",
)
# A chain of proxies longer than this is a mistake or an attack.
_MOST_PROXIES = 5


@dataclass(frozen=True, slots=True)
class _Offer:
    """What was offered, and the ticket that it is, if any. `use`: what uses it up, where that is
    still to be done."""

    hashed: str
    found: Offered | None
    use: Part[Any, bool] | None

    @property
    def ticket(self) -> Offered:
        """The ticket; there is one once it was judged."""
        assert self.found is not None
        return self.found


@dataclass(frozen=True, slots=True)
class Validation:
    """Validates tickets of one service's central login. Thread-safe."""

    sessions: StoredSessions
    registry: ServiceRegistry
    tickets: TicketStore
    outbound: Outbound
    recorder: Recorder
    settings: CentralSettings
    clock: Clock
    role_links: tuple[tuple[str, str], ...]

    def validate(self, text: str, asked: Asked, callback: str | None = None) -> Visit:
        """What a good ticket says. Raises TicketRefused with the protocol's code."""
        now = self.now()
        offer = self._offer(text, now)
        if refusal := judge(offer.found, asked, self.settings, now):
            raise self._refused(offer, refusal)
        service = self._service(offer)
        who = self._standing(offer)
        iou = None
        if callback:
            iou = self._grant(offer, service, who, callback, now)
            offer = _spent(offer)
        released = self._attributes(service, who, now) if asked.attributes else ()
        fields = tuple(name for name, _ in released)
        self._write_down("cas.validate", offer, who, service, offer.hashed, fields)
        offered = offer.ticket
        return Visit(
            who.account,
            offered.fresh,
            offered.since,
            released,
            offered.proxies,
            iou,
            offered.session,
        )

    def proxy(self, granted: str, target: str) -> str:
        """A proxy ticket for a target application. Raises TicketRefused."""
        now, hashed = self.now(), hash_ticket(granted)
        grant = self.tickets.grant(hashed)
        if grant is None or now >= grant.expires_at:
            raise self._no_proxy(None, Failure.INVALID_TICKET, NO_GRANT, cas_rules.LIVE)
        try:
            who = self.sessions.standing(grant.session, live=self.settings.live_session)
        except SessionDead:
            raise self._no_proxy(None, Failure.INVALID_TICKET, NO_GRANT, cas_rules.LIVE) from None
        service = service_of(target, self.registry.services())
        if service is None or grant.service not in service.proxied_by:
            raise self._no_proxy(
                who, Failure.UNAUTHORIZED_SERVICE, NOT_FOR_PROXY, cas_rules.REGISTERED
            )
        made = ticket(TicketKind.PROXY)
        new = NewTicket(
            ticket_hash=hash_ticket(made),
            kind=TicketKind.PROXY,
            service=service.name,
            url=target,
            session=grant.session,
            fresh=False,
            proxies=grant.proxies,
            now=now,
            expires_at=now + self.settings.ticket_seconds,
        )
        self.recorder.allowed("cas.proxy", who, service.name, ticket=new.ticket_hash)
        self.tickets.issue(new)
        return made

    # --- the steps of a validation -------------------------------------------------------------

    def _offer(self, text: str, now: int) -> _Offer:
        hashed, once = hash_ticket(text), self.settings.single_use
        found = self.tickets.offered(hashed)
        if found is None or now >= found.expires_at or (once and found.used):
            return _Offer(hashed, found, None)  # there is nothing left to use up
        return _Offer(hashed, found, self.tickets.use(hashed, text, once=once, now=now))

    def _write_down(
        self,
        action: str,
        offer: _Offer,
        who: Principal,
        service: RegisteredService,
        about: str,
        fields: tuple[str, ...] = (),
    ) -> None:
        """What is allowed, with the ticket used up. `about`: the hash that the record names."""
        try:
            self.recorder.allowed(
                action, who, service.name, ticket=about, fields=fields, part=offer.use
            )
        except TicketRefused:  # somebody else was faster
            raise self._refused(_spent(offer), cas_rules.TWICE) from None

    def _service(self, offer: _Offer) -> RegisteredService:
        offered = offer.ticket
        found = self.registry.service(offered.service)
        if found is not None and belongs(offered.url, found.url):
            if found.fresh and not offered.fresh and offered.kind is TicketKind.SERVICE:
                raise self._refused(offer, Refusal(Failure.INVALID_TICKET, cas_rules.NOT_FRESH))
            return found
        if not self.settings.registered_only:
            return RegisteredService(offered.service, offered.url, offered.service)
        raise self._refused(
            offer, Refusal(Failure.INVALID_SERVICE, NO_LONGER, cas_rules.REGISTERED)
        )

    def _standing(self, offer: _Offer) -> Principal:
        try:
            return self.sessions.standing(offer.ticket.session, live=self.settings.live_session)
        except SessionDead as dead:
            controls = (cas_rules.LIVE, *dead.refusal.controls)
            refusal = Refusal(Failure.INVALID_TICKET, cas_rules.SESSION_OVER)
            raise self._refused(offer, refusal, dead.refusal.code, *controls) from None

    def _grant(
        self, offer: _Offer, service: RegisteredService, who: Principal, callback: str, now: int
    ) -> str:
        """A PGT brought to the application's callback; its IOU for the answer."""
        if self.settings.listed_callbacks:
            self._check_callback(offer, service, callback)
        made, iou, offered = grant_ticket(), grant_iou(), offer.ticket
        hashed = hash_ticket(made)
        self._write_down("cas.grant", offer, who, service, hashed)
        target = with_parameter(with_parameter(callback, "pgtId", made), "pgtIou", iou)
        if self.outbound.get(target) != 200:
            refusal = Refusal(Failure.INVALID_PROXY_CALLBACK, NO_CALLBACK)
            raise self._refused(_spent(offer), refusal)
        chain = (callback, *offered.proxies)
        self.tickets.keep_grant(
            Grant(hashed, service.name, offered.session, callback, chain, now + _GRANT_SECONDS)
        )
        return iou

    def _check_callback(self, offer: _Offer, service: RegisteredService, callback: str) -> None:
        if service.callback is None or len(offer.ticket.proxies) >= _MOST_PROXIES:
            refusal = Refusal(Failure.UNAUTHORIZED_SERVICE_PROXY, NO_PROXYING, cas_rules.CALLBACKS)
            raise self._refused(offer, refusal)
        if not belongs(callback, service.callback):
            refusal = Refusal(Failure.INVALID_PROXY_CALLBACK, BAD_CALLBACK, cas_rules.CALLBACKS)
            raise self._refused(offer, refusal)

    def _attributes(
        self, service: RegisteredService, who: Principal, now: int
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        due = service.attributes if self.settings.listed_attributes else tuple(ATTRIBUTES)
        if not due:
            return ()
        known = self.tickets.describe(who.account, now)
        values = self._values(who, known)
        return tuple((name, values[name]) for name in ATTRIBUTES if name in due and values[name])

    def _values(self, who: Principal, known: Described | None) -> dict[str, tuple[str, ...]]:
        groups = tuple(sorted(group for role, group in self.role_links if role == who.role))
        values: dict[str, tuple[str | None, ...]] = {
            "name": (known.name if known else None,),
            "person": (who.person,),
            "role": (who.role, *groups),
            "unit": (who.unit,),
            "unitName": (known.unit_name if known else None,),
            "unitPath": known.unit_path if known else (),
            "superior": (known.superior if known else None,),
            "area": known.areas if known else (),
            "deviceClass": (who.device_class,),
        }
        return {name: tuple(one for one in found if one) for name, found in values.items()}

    # --- refusals ------------------------------------------------------------------------------

    def _refused(
        self, offer: _Offer, refusal: Refusal, reason: str = "", *controls: str
    ) -> TicketRefused:
        """Write a refusal down, with the ticket used up. `reason` and `controls`: for the record,
        in place of the refusal's own."""
        service = offer.found.service if offer.found else ""
        try:
            self.recorder.denied(
                "cas.validate", None, service, reason or refusal.text.code,
                *(controls or (refusal.control,)), ticket=offer.hashed, part=offer.use,
            )  # fmt: skip
        except TicketRefused:  # somebody else was faster
            return self._refused(_spent(offer), cas_rules.TWICE)
        return TicketRefused(refusal.failure, refusal.text.of())

    def _no_proxy(
        self, who: Principal | None, failure: Failure, text: Text, control: str
    ) -> TicketRefused:
        self.recorder.denied("cas.proxy", who, "", text.code, control)
        return TicketRefused(failure, text.of())

    def now(self) -> int:
        """The time of this service, epoch seconds UTC."""
        return int(self.clock.now().timestamp())


def _spent(offer: _Offer) -> _Offer:
    """The same, with nothing left to use up."""
    return replace(offer, use=None)


# A grant ends with its session; this bounds what is kept of one whose session is forgotten.
_GRANT_SECONDS = 24 * 3600
