"""The central login as applications meet it: tickets validated, proxied, attributes released.

INVARIANTS
- A ticket is used up first and judged then; what is answered is on record before.
- The person's standing is read at every validation: a leaver's ticket is dead.
- A callback goes to an address that the application registered, and to no other.
- An application learns the login and what it is due, nothing else.
"""

from dataclasses import dataclass

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
from acl_engine.domain.pack import CentralSettings
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
        now, hashed = self.now(), hash_ticket(text)
        once = self.settings.single_use
        offered = self.tickets.offer(hashed, text, once=once, now=now)
        if refusal := judge(offered, asked, self.settings, now):
            raise self._refused(offered, refusal, hashed)
        assert offered is not None
        service = self._service(offered, hashed)
        who = self._standing(offered, hashed)
        iou = self._grant(offered, service, who, callback, now) if callback else None
        released = self._attributes(service, who, now) if asked.attributes else ()
        self.recorder.allowed(
            "cas.validate", who, service.name, ticket=hashed, fields=tuple(n for n, _ in released)
        )
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

    def _service(self, offered: Offered, hashed: str) -> RegisteredService:
        found = self.registry.service(offered.service)
        if found is not None and belongs(offered.url, found.url):
            if found.fresh and not offered.fresh and offered.kind is TicketKind.SERVICE:
                refusal = Refusal(Failure.INVALID_TICKET, cas_rules.NOT_FRESH)
                raise self._refused(offered, refusal, hashed)
            return found
        if not self.settings.registered_only:
            return RegisteredService(offered.service, offered.url, offered.service)
        refusal = Refusal(Failure.INVALID_SERVICE, NO_LONGER, cas_rules.REGISTERED)
        raise self._refused(offered, refusal, hashed)

    def _standing(self, offered: Offered, hashed: str) -> Principal:
        try:
            return self.sessions.standing(offered.session, live=self.settings.live_session)
        except SessionDead as dead:
            controls = (cas_rules.LIVE, *dead.refusal.controls)
            self.recorder.denied(
                "cas.validate", None, offered.service, dead.refusal.code, *controls, ticket=hashed
            )
            text = cas_rules.SESSION_OVER
            raise TicketRefused(Failure.INVALID_TICKET, text.of()) from None

    def _grant(
        self,
        offered: Offered,
        service: RegisteredService,
        who: Principal,
        callback: str,
        now: int,
    ) -> str:
        """A PGT brought to the application's callback; its IOU for the answer."""
        if self.settings.listed_callbacks:
            self._check_callback(offered, service, callback)
        made, iou = grant_ticket(), grant_iou()
        hashed = hash_ticket(made)
        self.recorder.allowed("cas.grant", who, service.name, ticket=hashed)
        target = with_parameter(with_parameter(callback, "pgtId", made), "pgtIou", iou)
        if self.outbound.get(target) != 200:
            refusal = Refusal(Failure.INVALID_PROXY_CALLBACK, NO_CALLBACK)
            raise self._refused(offered, refusal, offered.ticket_hash)
        chain = (callback, *offered.proxies)
        self.tickets.keep_grant(
            Grant(hashed, service.name, offered.session, callback, chain, now + _GRANT_SECONDS)
        )
        return iou

    def _check_callback(self, offered: Offered, service: RegisteredService, callback: str) -> None:
        hashed = offered.ticket_hash
        if service.callback is None or len(offered.proxies) >= _MOST_PROXIES:
            refusal = Refusal(Failure.UNAUTHORIZED_SERVICE_PROXY, NO_PROXYING, cas_rules.CALLBACKS)
            raise self._refused(offered, refusal, hashed)
        if not belongs(callback, service.callback):
            refusal = Refusal(Failure.INVALID_PROXY_CALLBACK, BAD_CALLBACK, cas_rules.CALLBACKS)
            raise self._refused(offered, refusal, hashed)

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

    def _refused(self, offered: Offered | None, refusal: Refusal, hashed: str) -> TicketRefused:
        service = offered.service if offered else ""
        text, control = refusal.text, refusal.control
        self.recorder.denied("cas.validate", None, service, text.code, control, ticket=hashed)
        return TicketRefused(refusal.failure, text.of())

    def _no_proxy(
        self, who: Principal | None, failure: Failure, text: Text, control: str
    ) -> TicketRefused:
        self.recorder.denied("cas.proxy", who, "", text.code, control)
        return TicketRefused(failure, text.of())

    def now(self) -> int:
        """The time of this service, epoch seconds UTC."""
        return int(self.clock.now().timestamp())


# A grant ends with its session; this bounds what is kept of one whose session is forgotten.
_GRANT_SECONDS = 24 * 3600
