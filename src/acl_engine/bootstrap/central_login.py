"""The central login as people meet it: forms, signing in, tickets for applications, leaving.

INVARIANTS
- A login goes through `Engine.login`: password, code, device, throttle, lock, one refusal for all.
- A form counts once, for the browser that it was given to, and its number is what a device signs.
- A ticket is on record before it leaves; who has no live session gets none.
- Only registered applications are named, served, and sent back to.
- An application narrows nothing for a scanner without a key: such a session enters none.
"""

import base64
import binascii
from dataclasses import dataclass, field

from acl_engine.bootstrap.cas_record import Recorder
from acl_engine.bootstrap.engine import Engine
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.cas import (
    NewTicket,
    RegisteredService,
    ServiceRegistry,
    TicketKind,
    TicketStore,
)
from acl_engine.domain.errors import FormRefused, ServiceRefused, SessionDead
from acl_engine.domain.pack_settings import CentralSettings
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Text
from acl_engine.enforcement.narrowed import CONTROL as CONFINED
from acl_engine.identity.cas_rules import REGISTERED
from acl_engine.identity.cas_tickets import Forms, hash_ticket, ticket
from acl_engine.identity.service_url import readable, service_of, with_parameter
from acl_engine.identity.sessions import StoredSessions, hash_token

OWN_FORMS = "own-forms"

UNKNOWN_SERVICE = Text(
    "cas.unknown-service",
    "该应用未在统一登录中登记，不能由此进入",
    "this application is not registered with the central login",
    "核对网址；如确属公司应用，请联系管理员登记",
    "check the address; if it is the company's, ask the administrator to register it",
)
OLD_SCANNER = Text(
    "cas.old-scanner",
    "无密钥巴枪不能由此进入应用",
    "a scanner without a key enters no application from here",
    "请用绑定的设备登录",
    "log in on a bound device",
)
STALE_FORM = Text(
    "cas.stale-form",
    "登录页已过期或已提交过，请重新填写",
    "this login page is too old or was sent before: fill it in again",
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a login form brought. `browser` is the cookie that the form was made for, `presented`
    the session's token that the browser has, `answer` the device's: `device.signature`."""

    username: str
    password: str = field(repr=False)
    code: str = field(repr=False, default="")
    answer: str = field(repr=False, default="")
    form: str = field(repr=False, default="")
    browser: str = field(repr=False, default="")
    presented: str | None = field(repr=False, default=None)
    warn: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket for an application, and the address to take it to."""

    service: RegisteredService
    url: str
    ticket: str = field(repr=False)

    @property
    def location(self) -> str:
        return with_parameter(self.url, "ticket", self.ticket)


@dataclass(frozen=True, slots=True)
class CentralLogin:
    """One service's central login. Thread-safe."""

    engine: Engine
    sessions: StoredSessions
    registry: ServiceRegistry
    tickets: TicketStore
    forms: Forms
    recorder: Recorder
    settings: CentralSettings
    clock: Clock

    # --- who is there, and for what ----------------------------------------------------------

    def who(self, token: str | None) -> Principal | None:
        """The live person behind a cookie, or None."""
        if not token:
            return None
        try:
            return self.sessions.resolve(token)
        except SessionDead:
            return None

    def service(self, url: str, who: Principal | None = None) -> RegisteredService:
        """The registered application of a URL. Raises ServiceRefused; that is on record."""
        found = service_of(url, self.registry.services())
        if found is None and not self.settings.registered_only:
            found = RegisteredService("unregistered", url, url)
        if found is None:
            self.recorder.denied("cas.service", who, "", UNKNOWN_SERVICE.code, REGISTERED)
            raise ServiceRefused(UNKNOWN_SERVICE.of())
        return found

    def form(self, browser: str) -> str:
        """The number of a new login form for the browser that holds this cookie."""
        return self.forms.make(browser, self._now())

    def use_form(self, form: str, browser: str) -> None:
        """Use a form up. Raises FormRefused; that is on record."""
        if not self.settings.own_forms:
            return
        now = self._now()
        expires_at = self.forms.expiry(form, browser, now)
        if expires_at is None or not self.tickets.spend(hash_ticket(form), now, expires_at):
            self.recorder.denied("cas.form", None, "", STALE_FORM.code, OWN_FORMS)
            raise FormRefused(STALE_FORM.of())

    def answered(self, form: str, answer: str) -> DeviceProof | None:
        """A device's answer to a form that was just used up: its number is ours to give as a nonce.
        None: it is no answer; whether it is a good one, whoever asked for it checks."""
        device, _, signed = answer.strip().rpartition(".")
        if not device or len(device) > _MOST_DEVICE:
            return None
        try:
            signature = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        except (binascii.Error, ValueError):
            return None
        self.engine.adopt_challenge(form, device)
        return DeviceProof(device, form, signature)

    # --- in, through, and out ----------------------------------------------------------------

    def sign_in(self, typed: SignIn) -> str:
        """A new session's token. Raises FormRefused or AccessDenied."""
        self.use_form(typed.form, typed.browser)
        before = self.who(typed.presented)
        token = self.engine.login(
            typed.username,
            typed.password,
            totp=typed.code or None,
            device=self.answered(typed.form, typed.answer),
            replaces=before.session if before else None,
            token=None if self.settings.new_session else typed.presented,
        )
        self._take_over(before, token)
        if typed.warn:
            self.tickets.set_warn(hash_token(token), self._now())
        return token

    def step_up(self, token: str, typed: SignIn) -> None:
        """A second factor anew, in the session of `token`. Raises FormRefused or AccessDenied."""
        self.use_form(typed.form, typed.browser)
        self.engine.prove(token, typed.code, device=self.answered(typed.form, typed.answer))

    def enter(self, who: Principal, url: str, *, fresh: bool) -> Entry:
        """A ticket for an application. `fresh`: this person showed credentials for it just now.

        Raises ServiceRefused: not registered, or on a scanner without a key.
        """
        service = self.service(url, who)
        if self.engine.confined(who):
            self.recorder.denied("cas.ticket", who, service.name, OLD_SCANNER.code, CONFINED)
            raise ServiceRefused(OLD_SCANNER.of())
        made, now = ticket(TicketKind.SERVICE), self._now()
        new = NewTicket(
            ticket_hash=hash_ticket(made),
            kind=TicketKind.SERVICE,
            service=service.name,
            url=url,
            session=who.session,
            fresh=fresh,
            proxies=(),
            now=now,
            expires_at=now + self.settings.ticket_seconds,
        )
        self.recorder.allowed("cas.ticket", who, service.name, ticket=new.ticket_hash)
        self.tickets.issue(new)
        return Entry(service, url, made)

    def wants_warning(self, who: Principal) -> bool:
        return self.tickets.warns(who.session)

    def leave(self, token: str | None) -> int:
        """End the session and all that hangs on it; how many applications are to be told."""
        who = self.who(token)
        if who is None or token is None:
            return 0
        self.recorder.allowed("logout", who, "")
        self.engine.logout(token)
        return self.tickets.part(who.session, self._now())

    def _take_over(self, before: Principal | None, token: str) -> None:
        """The same person's visits go on under the new session; another person's end."""
        if before is None:
            return
        after = self.sessions.resolve(token)
        if before.account == after.account:
            self.tickets.move(before.session, after.session)
        else:
            self.recorder.allowed("logout", before, "")
            self.tickets.part(before.session, self._now())

    def _now(self) -> int:
        return int(self.clock.now().timestamp())


_MOST_DEVICE = 64


def plain_url(url: str) -> bool:
    """Whether it is a URL of an application at all, registered or not."""
    return readable(url) is not None
