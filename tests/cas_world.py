"""A central login over a few accounts, and browsers that use it as people do."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from lxml import etree
from sqlalchemy import insert, update

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.central import Central
from acl_engine.bootstrap.settings import ServerSettings
from acl_engine.domain.cas import RegisteredService
from acl_engine.identity.devices import message
from acl_engine.identity.standing import NOTHING_ASKED
from acl_engine.identity.totp import code_at
from acl_engine.policy.pack import load_pack
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.database import Database
from acl_engine.storage.tables import world_mark
from acl_engine.web.app import Area, compose
from acl_engine.web.cas import area
from tests.asgi import Answer, call
from tests.identity_world import KEYS, NOW, PASSWORD, SEED, fill

ROOT = Path(__file__).parents[1]
APP = "https://app.example/query"
OTHER = "https://other.example/"
BACK = "https://back.example/api"
CALLBACK = "https://app.example/query/pgt"
NAMESPACE = {"cas": "http://www.yale.edu/tp/cas"}
DEVICES = {"courier-1": "pda-1", "courier-2": "pda-2"}
SERVICES = (
    RegisteredService("app", APP, "旧查询系统", ("name", "role"), callback=CALLBACK),
    RegisteredService("other", OTHER, "Other"),
    RegisteredService("back", BACK, "Back", ("unit",), proxied_by=("app",)),
    RegisteredService("vault", "https://vault.example/", "Vault", fresh=True),
)


@dataclass
class Applications:
    """The applications' side of the network. `answers`: URL prefix -> status."""

    answers: dict[str, int] = field(default_factory=dict)
    called: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def get(self, url: str) -> int:
        self.called.append(("GET", url, {}))
        return self._status(url)

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        self.called.append(("POST", url, dict(fields)))
        return self._status(url)

    def granted(self) -> tuple[str, str]:
        """The PGT and IOU that the last callback brought."""
        query = parse_qs(urlsplit(self.called[-1][1]).query)
        return query["pgtId"][0], query["pgtIou"][0]

    def farewells(self) -> list[str]:
        """The tickets that logout messages named."""
        return [
            etree.fromstring(fields["logoutRequest"]).findtext("{*}SessionIndex") or ""
            for method, _, fields in self.called
            if method == "POST"
        ]

    def _status(self, url: str) -> int:
        return next((s for prefix, s in self.answers.items() if url.startswith(prefix)), 200)


class Portal:
    """One central login over one database."""

    def __init__(self, database: Database, **central: Any) -> None:
        self.database = database
        self.at = datetime.fromtimestamp(NOW, UTC)
        self.outside = Applications()
        pack = load_pack(ROOT / "policies" / "courier" / "after")
        weaker = replace(pack.settings.central, **central)
        settings = replace(pack.settings, central=weaker, accounts=NOTHING_ASKED.settings)
        self.pack = replace(pack, settings=settings, undertaking=None)
        keys = replace(Keys.synthetic("cas"), totp=b"k" * 32)
        self.engine = Engine.open(
            database=database, pack=self.pack, clock=self, keys=keys, replay=Weakened()
        )
        self.central = Central.over(
            database=database,
            pack=self.pack,
            clock=self,
            keys=keys,
            engine=self.engine,
            outbound=self.outside,
        )
        routes = area.routes(self.central, "https://login.example")
        settings = SimpleNamespace(settings=ServerSettings())
        self.app = compose([Area("cas", routes, "/cas")], settings)  # type: ignore[arg-type]

    def now(self) -> datetime:
        return self.at

    def later(self, **delta: int) -> None:
        self.at += timedelta(**delta)

    def code(self) -> str:
        """The code of a moment that was not used yet."""
        self.later(seconds=30)
        return code_at(SEED, int(self.at.timestamp()))

    def change(self, table: Any, key: Any, **values: object) -> None:
        with self.database.write() as cx:
            cx.execute(update(table).where(key).values(**values))

    def ask(self, path: str, **query: str) -> Answer:
        """An application's request."""
        return call(self.app, f"/cas{path}", query=urlencode(query))

    def validate(
        self, ticket: str, service: str = APP, path: str = "/p3/serviceValidate", **more: str
    ) -> "Verdict":
        return Verdict(self.ask(path, ticket=ticket, service=service, **more))


class Verdict:
    """An application's reading of an XML answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.root = etree.fromstring(answer.body)

    def find(self, path: str) -> str | None:
        found = self.root.find(path, NAMESPACE)
        return None if found is None else found.text

    @property
    def user(self) -> str | None:
        return self.find("cas:authenticationSuccess/cas:user")

    @property
    def code(self) -> str | None:
        found = self.root.find("*[@code]", NAMESPACE)
        return None if found is None else found.get("code")

    def values(self, name: str) -> list[str]:
        return [one.text or "" for one in self.root.iterfind(f".//cas:{name}", NAMESPACE)]


class Page(HTMLParser):
    """The parts of a page that a browser acts on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action = ""
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            self.action = held.get("action", "")
        if tag == "input" and held.get("type") != "checkbox" and "name" in held:
            self.fields[held["name"]] = held.get("value", "")
        if tag == "a":
            self.links.append(held.get("href", ""))


class Browser:
    """One browser: its cookies, and the page that it shows."""

    def __init__(self, portal: Portal, *, device: str | None = None, lang: str = "en") -> None:
        self.portal = portal
        self.device = device
        self.lang = lang
        self.cookies: dict[str, str] = {}
        self.answer: Answer | None = None

    def go(
        self,
        path: str,
        *,
        form: dict[str, str] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        **query: str,
    ) -> Answer:
        held = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = [("cookie", held), ("accept", "text/html"), ("accept-language", self.lang), *headers]
        answer = call(
            self.portal.app,
            path,
            method="POST" if form is not None else "GET",
            query=urlencode(query),
            headers=[one for one in sent if one[1]],
            form=form,
        )
        for cookie in answer.all("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        self.answer = answer
        return answer

    @property
    def page(self) -> Page:
        assert self.answer is not None
        return Page(self.answer.text)

    def open(self, service: str | None = APP, **query: str) -> Answer:
        if service is not None:
            query["service"] = service
        return self.go("/cas/login", **query)

    def fill(self, login: str = "courier-1", password: str = PASSWORD, **more: str) -> Answer:
        """Fill in the form on the page as its person would, and send it."""
        fields = self.page.fields
        typed = {"username": login, "password": password, "code": self.portal.code()}
        device = self.device or DEVICES.get(login)
        if device:
            typed["answer"] = answer_of(device, fields["lt"])
        return self.go(self.page.action, form={**fields, **typed, **more})

    def log_in(self, service: str | None = APP, login: str = "courier-1", **more: str) -> str:
        """Through the login page; the ticket, or '' without a service."""
        self.open(service)
        self.fill(login, **more)
        return self.ticket if service else ""

    @property
    def location(self) -> str:
        assert self.answer is not None
        return self.answer.header("location") or ""

    @property
    def ticket(self) -> str:
        """The ticket in the address that the browser is sent to."""
        assert self.answer is not None
        assert self.answer.status == 303, (self.answer.status, self.answer.text)
        return parse_qs(urlsplit(self.location).query)["ticket"][0]

    @property
    def session(self) -> str:
        return self.cookies.get("TGC-acl", "")


def answer_of(device: str, challenge: str) -> str:
    """What a device answers to a login form."""
    signature = KEYS[device].sign(message(device, challenge))
    return f"{device}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def portal(database: Database, **central: Any) -> Portal:
    """The accounts of `identity_world`, four applications, and a central login over them."""
    fill(database)
    with database.write() as cx:
        mark = {"kind": "synthetic", "pack": "courier", "seed": "cas", "built_at": NOW}
        cx.execute(insert(world_mark).values(id=1, finished=True, **mark))
    registry = SqlServiceRegistry(database)
    for service in SERVICES:
        registry.add(service, "admin-1", NOW)
    return Portal(database, **central)
