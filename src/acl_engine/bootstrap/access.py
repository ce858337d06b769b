"""The lookup API's callers: applications by ticket or by credential, and who may ask the log.

INVARIANTS
- A service's credential decides nothing by itself and shows no data: a live person is always named.
- A ticket is good once, for this API; what it is exchanged for dies with its person's session.
- Whoever asks the log about people has one of the roles that the pack names, and is on record.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.evaluations import Evaluations
from acl_engine.bootstrap.inquiry import Inquiry
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import AccessDenied, SessionDead
from acl_engine.domain.principal import Principal
from acl_engine.identity.cas_rules import Asked
from acl_engine.identity.service_tokens import ServiceTokens
from acl_engine.identity.standing import Rules
from acl_engine.identity.visits import PREFIX, SECONDS, Visiting, Visits

# Where the API lives as a service of the central login: its tickets are made for this address.
HOME = "/v1/"
# The scanner page's name in a visit and in the log: it is an application like any other.
SCANNER = "scanner"
Purpose = Literal["evaluation", "metrics"]
# Stands in the log as the reason why a question to it was refused, and as the control.
NOT_AN_ASKER, ASKERS = "audit.not-an-asker", "audit-askers"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a ticket was exchanged for. `seconds`: the longest that the token is good."""

    token: str
    account: str
    seconds: int


class Access:
    """One for a running service. Thread-safe."""

    def __init__(self, service: Service) -> None:
        desk = Desk.over(
            service.database, service.keys, service.clock, rules := Rules.of(service.pack)
        )
        self._service = service
        self._visits = Visits(service.keys.visits)
        self._tokens = ServiceTokens(desk.tokens, desk.account, rules, service.clock)
        self._desk = Accountability(service.database, service.keys, clock=service.clock)
        self._askers = frozenset(service.pack.settings.audit.askers)
        unchanged, permits = service.database.unchanged, service.engine.permits
        self.evaluations = Evaluations(unchanged, service.clock, self.evaluated, permits)

    def enter(self, ticket: str) -> Visit:
        """A ticket for this API, made for an application or brought by one that proxies, becomes
        a token. Raises TicketRefused."""
        home = self._service.address + HOME
        visit = self._service.central.validation.validate(ticket, Asked(home, proxies=True))
        who = self._service.engine.sessions.standing(visit.session)
        name = self._application(visit.proxies)
        self._service.central.login.recorder.allowed("api.enter", who, name)
        token = self._visits.make(Visiting(visit.session, name), self._now())
        return Visit(token, visit.account, SECONDS)

    def come(self, ticket: str, url: str) -> str:
        """A ticket that the scanner page had made for `url` becomes its visit's token. Raises
        TicketRefused; SessionDead when its person has left since."""
        visit = self._service.central.validation.validate(ticket, Asked(url))
        who = self._service.engine.sessions.standing(visit.session)
        self._service.central.login.recorder.allowed("api.enter", who, SCANNER)
        return self._visits.make(Visiting(visit.session, SCANNER), self._now())

    def visitor(self, token: str) -> tuple[Principal, str]:
        """Who the scanner page works for, and the token to go on with. It is good while the
        person's session is, which is read here. Raises SessionDead."""
        visiting = self._visits.read(token, self._now())
        known = visiting is not None and visiting.application == SCANNER
        session = visiting.session if visiting and known else ""
        who = self._service.engine.sessions.standing(session, touch=False)
        return who, self._visits.make(Visiting(session, SCANNER), self._now())

    def credential(self, token: str, purpose: Purpose) -> None:
        """Raises SessionDead unless it is a service's, live, and for this purpose."""
        self._tokens.resolve(token, purpose)

    def evaluated(self, token: str, account: str) -> Principal | None:
        """The live person of an account, for an application that asks about them; None: they are
        not logged in, or not whom the application works for. Raises SessionDead when it is
        itself nobody."""
        if token.startswith(PREFIX):
            who = self._visitor(token)
            return who if who.account == account else None
        self.credential(token, "evaluation")
        with suppress(SessionDead):
            return self._service.engine.sessions.of_login(account)
        return None

    def inquiry(self, token: str) -> Inquiry:
        """The log, asked in the name of the person behind a session. Raises AccessDenied."""
        recorder = self._service.central.login.recorder
        try:
            who = self._service.engine.sessions.resolve(token)
        except SessionDead as dead:
            refusal = dead.refusal
            code, controls = refusal.code, refusal.controls
            raise AccessDenied(recorder.denied("audit.ask", None, "", code, *controls)) from None
        if who.role not in self._askers or self._service.engine.confined(who):
            raise AccessDenied(recorder.denied("audit.ask", who, "", NOT_AN_ASKER, ASKERS))
        return Inquiry(self._desk, who.account)

    def _visitor(self, token: str) -> Principal:
        visiting = self._visits.read(token, self._now())
        sessions = self._service.engine.sessions
        return sessions.standing(visiting.session if visiting else "", touch=False)

    def _application(self, proxies: tuple[str, ...]) -> str:
        """The name of the application that brought the ticket; `direct`: its person's browser."""
        services = self._service.central.login.registry.services()
        callbacks = {one.callback: one.name for one in services if one.callback}
        return callbacks.get(proxies[0], "proxy") if proxies else "direct"

    def _now(self) -> int:
        return int(self._service.clock.now().timestamp())
