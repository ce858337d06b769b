"""The web application behind the `http` steps of a replay, over the engine of one run.

Real: the application, its layers, the central login, its state, the logout messages, the lookup
API. Simulated, because it is outside of them: the applications and the machines that are called.

    /_app/HOST/enter?ticket=   an application validates a ticket and opens a session of its own
    /_app/HOST/inside?session= whether that session still opens the application
    /_app/HOST/down, /up       the application stops and starts answering logout messages
    /_app/HOST/credential      the credential for evaluations in an application's own settings
    /_outside/HOST             what reached a machine that is no application

A device's answer to a login form is written `device:ID`: the device signs, as it would.

INVARIANT: every run has applications of its own, over its own copy of the world.
"""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.central import Central
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import Serve, ServerSettings
from acl_engine.cli.device_answer import answer
from acl_engine.domain.cas import RegisteredService
from acl_engine.identity.service_tokens import new_token
from acl_engine.identity.standing import Rules
from acl_engine.policy import strict_yaml
from acl_engine.replay.transport import Asked, Replied, Site
from acl_engine.replay.world.company import device_key
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.database import world_seed
from acl_engine.web.api import area as api
from acl_engine.web.app import Area, compose
from acl_engine.web.cas import area as cas

ADDRESS = "https://login.example"
_APP, _OUTSIDE = "/_app/", "/_outside/"


class _Service(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    url: str
    title: str
    attributes: tuple[str, ...] = ()
    callback: str | None = None
    proxied_by: tuple[str, ...] = ()


class _Services(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    services: tuple[_Service, ...]


def read_services(file: Path) -> tuple[RegisteredService, ...]:
    """The applications of a seed."""
    read = strict_yaml.read(file, _Services)
    return tuple(
        RegisteredService(
            one.name,
            one.url,
            one.title,
            one.attributes,
            one.callback,
            one.proxied_by,
        )
        for one in read.services
    )


class Applications:
    """The simulated network: applications with sessions of their own, and other machines.

    Implements `domain.cas.Outbound`.
    """

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._sessions: dict[str, tuple[str, str]] = {}  # session -> host, ticket
        self._down: set[str] = set()
        self._reached: dict[str, list[str]] = {}

    def get(self, url: str) -> int:
        self._reached.setdefault(urlsplit(url).hostname or "", []).append(url)
        return 200

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        host = urlsplit(url).hostname or ""
        if host in self._down or host not in self._names:
            return 0
        index = etree.fromstring(fields["logoutRequest"]).findtext("{*}SessionIndex")
        ended = [name for name, held in self._sessions.items() if held == (host, index)]
        for name in ended:
            del self._sessions[name]
        return 200

    def reached(self, host: str) -> list[str]:
        return self._reached.get(host, [])

    def switch(self, host: str, *, down: bool) -> None:
        (self._down.add if down else self._down.discard)(host)

    def open(self, host: str, ticket: str) -> str:
        name = f"APP-{secrets.token_hex(12)}"
        self._sessions[name] = host, ticket
        return name

    def holds(self, host: str, session: str) -> bool:
        return session in self._sessions and self._sessions[session][0] == host


class ReplaySite:
    """Implements `replay.transport.Transport`."""

    def __init__(self, site: Site) -> None:
        registry = SqlServiceRegistry(site.database)
        services = read_services(project_root() / "seeds" / "courier" / "services.yaml")
        for service in services:
            registry.add(service, "acct-admin-01", int(site.clock.now().timestamp()))
        hosts = {urlsplit(one.url).hostname or "" for one in services}
        self._outside = Applications(hosts - {urlsplit(ADDRESS).hostname or ""})
        self._seed = world_seed(site.database)
        self._central = Central.over(
            database=site.database,
            pack=site.pack,
            clock=site.clock,
            keys=site.keys,
            engine=site.engine,
            outbound=self._outside,
        )
        self._service = Service(
            settings=ServerSettings(serve=Serve(public_url=ADDRESS)),
            database=site.database,
            pack=site.pack,
            clock=site.clock,
            keys=site.keys,
            engine=site.engine,
            central=self._central,
            synthetic=True,
        )
        areas = [
            Area("central login", cas.routes(self._central, ADDRESS), cas.PREFIX),
            Area("lookup", api.routes(self._service, Access(self._service))),
        ]
        self._app = compose(areas, self._service)

    def send(self, request: Asked) -> Replied:
        # The teller's thread of a service does this every two seconds.
        self._central.farewells.tell_due()
        if request.target.startswith(_APP):
            return self._application(request.target.removeprefix(_APP))
        if request.target.startswith(_OUTSIDE):
            found = self._outside.reached(request.target.removeprefix(_OUTSIDE))
            return _text(200 if found else 404, "\n".join(found))
        reply = self._call(self._signed(request))
        self._central.farewells.tell_due()
        return reply

    def close(self) -> None:
        return None

    def _application(self, target: str) -> Replied:
        path, _, query = target.partition("?")
        host, _, act = path.partition("/")
        given = {name: values[0] for name, values in parse_qs(query).items()}
        if act in ("down", "up"):
            self._outside.switch(host, down=act == "down")
            return _text(200, act)
        if act == "inside":
            ok = self._outside.holds(host, given.get("session", ""))
            return _text(200 if ok else 403, "inside" if ok else "log in first")
        if act == "credential":
            return _text(200, f"credential={self._credential()}")
        ticket = given.get("ticket", "")
        asked = urlencode({"service": f"https://{host}/", "ticket": ticket})
        seen = self._call(Asked("GET", f"/cas/p3/serviceValidate?{asked}"))
        if b"authenticationSuccess" not in seen.body:
            return _text(403, "the ticket is not good")
        return _text(200, f"app-session={self._outside.open(host, ticket)}")

    def _credential(self) -> str:
        """What an administrator once gave the service that plans routes."""
        site = self._service
        desk = Desk.over(site.database, site.keys, site.clock, Rules.of(site.pack))
        account = desk.account("svc-route")
        if account is None:
            return ""
        token, kept = new_token(account, "evaluation", 1, "acct-admin-01", desk.now())
        desk.tokens.add(kept)
        return token

    def _signed(self, request: Asked) -> Asked:
        """A form in which a device was named: the device answers its challenge."""
        if request.method != "POST" or b"answer=device:" not in request.body:
            return request
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        device = form["answer"].removeprefix("device:")
        key = Ed25519PrivateKey.from_private_bytes(device_key(self._seed, device))
        form["answer"] = answer(key, device, form.get("lt", ""))
        return Asked(request.method, request.target, request.headers, urlencode(form).encode())

    def _call(self, request: Asked) -> Replied:
        return asyncio.run(_ask(self._app, request))


async def _ask(app: Any, request: Asked) -> Replied:
    path, _, query = request.target.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    headers.append((b"accept", b"text/html"))
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("login.example", 443),
        "state": {},
    }
    sent: list[dict[str, Any]] = []
    body = [request.body]

    async def receive() -> dict[str, Any]:
        if body:
            return {"type": "http.request", "body": body.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(one for one in sent if one["type"] == "http.response.start")
    found = tuple((n.decode().lower(), v.decode("latin-1")) for n, v in start["headers"])
    whole = b"".join(one.get("body", b"") for one in sent[1:])
    return Replied(start["status"], found, whole)


def _text(status: int, text: str) -> Replied:
    return Replied(status, (("content-type", "text/plain"),), text.encode())
