"""The scanner's pages as they leave: language, form number and the way back in one place."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from acl_engine.domain.errors import AclError
from acl_engine.domain.pack import Pack
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Message
from acl_engine.domain.trace_events import TRACE, Event, events
from acl_engine.domain.view import View
from acl_engine.web import cookies
from acl_engine.web.language import language
from acl_engine.web.pages import page
from acl_engine.web.scanner.menu import Menu, menu_of
from acl_engine.web.scanner.words import worded

PREFIX = "/scanner"
CASE = "approval"


@dataclass(frozen=True, slots=True)
class At:
    """One request at the page: who stands there, and the token that speaks for them."""

    request: Request
    who: Principal
    token: str
    form: str
    menu: Menu


@dataclass(frozen=True, slots=True)
class Card:
    """One record on the screen. `fields`: (zh, en, value), a trace as its events, a case's code in
    words; `may`: what is offered beside it."""

    key: str
    mark: str
    fields: tuple[tuple[str, str, str | Message | tuple[Event, ...]], ...]
    may: frozenset[str] = frozenset()
    purpose: str = ""


def card(pack: Pack, view: View, may: Iterable[str] = (), purpose: str = "") -> Card:
    """A view with the names of its fields, in the catalogue's order, and the screen code."""
    known = pack.resources[view.resource].fields

    def shown(name: str, text: str) -> str | Message | tuple[Event, ...]:
        if view.resource == CASE:
            return worded(pack, name, text)
        return events(text) if name == TRACE else text

    fields = tuple(
        (known[name].zh, known[name].en, shown(name, text))
        for name in known
        if (text := view.fields.get(name)) is not None
    )
    return Card(view.handle, view.watermark, fields, frozenset(may), purpose)


def show(at: At, template: str, *, status: int = 200, **values: object) -> Response:
    """A page for who stands there."""
    lang = language(at.request)
    body = page(
        template, lang, who=at.who, form=at.form, menu=at.menu, other=_other(at.request), **values
    )
    response = Response(body, status, media_type="text/html")
    cookies.set_visit(response, at.token)
    if at.request.query_params.get("lang") in ("zh", "en"):
        cookies.set_language(response, lang)
    return response


def refused(at: At, error: AclError, status: int, **values: object) -> Response:
    """What could not be done, in the engine's own words."""
    return show(at, "scanner_said.html.j2", status=status, message=error.message, **values)


def standing(request: Request, pack: Pack, who: Principal, token: str, form: str) -> At:
    return At(request, who, token, form, menu_of(pack, who.role))


def _other(request: Request) -> str:
    """The same page in the other language; of a form's answer, the first page."""
    get = request.method == "GET"
    kept = {"stage": request.query_params["stage"]} if "stage" in request.query_params else {}
    lang = "en" if language(request) == "zh" else "zh"
    path = request.url.path if get else f"{PREFIX}/"
    return f"{path}?{urlencode({**(kept if get else {}), 'lang': lang})}"
