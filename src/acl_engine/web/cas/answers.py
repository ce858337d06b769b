"""The protocol's answers to applications, in XML (Appendix A) and JSON.

INVARIANTS
- XML is built as a tree, never as text: nothing that a caller sent becomes markup.
- What XML 1.0 cannot hold becomes U+FFFD.
- An attribute has one type in JSON: a list where it may have several values.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from lxml import etree
from starlette.responses import Response

from acl_engine.domain.cas import Failure, Visit
from acl_engine.domain.text import Message
from acl_engine.web.cas.pages import FRESH

NAMESPACE = "http://www.yale.edu/tp/cas"
_CAS = f"{{{NAMESPACE}}}"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# These may have several values.
SEVERAL = frozenset({"role", "unitPath", "area"})

Form = Literal["XML", "JSON"]
Kind = Literal["authenticationFailure", "proxyFailure"]


def success(visit: Visit, form: Form, *, attributes: bool) -> Response:
    """`attributes`: the answer of the /p3/ addresses."""
    if form == "JSON":
        return _json("authenticationSuccess", _visit_json(visit, attributes))
    return _xml("authenticationSuccess", lambda one: _visit_xml(one, visit, attributes))


def proxied(ticket: str, form: Form) -> Response:
    if form == "JSON":
        return _json("proxySuccess", {"proxyTicket": ticket})
    return _xml("proxySuccess", lambda one: _child(one, "proxyTicket", ticket))


def failure(kind: Kind, code: Failure, message: Message, form: Form, status: int = 200) -> Response:
    said = message.render("en")
    if form == "JSON":
        return _json(kind, {"code": code.value, "description": said}, status)

    def fill(one: Any) -> None:
        one.set("code", code.value)
        one.text = xml_text(said)

    return _xml(kind, fill, status)


def xml_text(text: str) -> str:
    """The text with what XML 1.0 cannot hold replaced."""
    return _NOT_XML.sub("\ufffd", text)


def instant(at: int) -> str:
    """Epoch seconds as xs:dateTime."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def facts(visit: Visit) -> list[tuple[str, str]]:
    """The three that Appendix A asks for, in its order. There is no remember-me here."""
    return [
        ("authenticationDate", instant(visit.since)),
        ("longTermAuthenticationRequestTokenUsed", "false"),
        ("isFromNewLogin", "true" if visit.fresh else "false"),
    ]


def _visit_xml(one: Any, visit: Visit, attributes: bool) -> None:
    _child(one, "user", visit.account)
    if attributes:
        held = etree.SubElement(one, f"{_CAS}attributes")
        for name, value in facts(visit):
            _child(held, name, value)
        for name, values in visit.attributes:
            for value in values:
                _child(held, name, value)
    if visit.iou is not None:
        _child(one, "proxyGrantingTicket", visit.iou)
    if visit.proxies:
        chain = etree.SubElement(one, f"{_CAS}proxies")
        for proxy in visit.proxies:
            _child(chain, "proxy", proxy)


def _visit_json(visit: Visit, attributes: bool) -> dict[str, object]:
    found: dict[str, object] = {"user": visit.account}
    if visit.iou is not None:
        found["proxyGrantingTicket"] = visit.iou
    if visit.proxies:
        found["proxies"] = list(visit.proxies)
    if attributes:
        held: dict[str, object] = {
            "authenticationDate": instant(visit.since),
            "longTermAuthenticationRequestTokenUsed": False,
            "isFromNewLogin": visit.fresh,
        }
        for name, values in visit.attributes:
            held[name] = list(values) if name in SEVERAL else values[0]
        found["attributes"] = held
    return found


def _xml(name: str, fill: Callable[[Any], object], status: int = 200) -> Response:
    root = etree.Element(f"{_CAS}serviceResponse", nsmap={"cas": NAMESPACE})
    fill(etree.SubElement(root, f"{_CAS}{name}"))
    body = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(body, status, dict(FRESH), media_type="application/xml")


def _json(name: str, what: dict[str, object], status: int = 200) -> Response:
    body = json.dumps({"serviceResponse": {name: what}}, ensure_ascii=False)
    return Response(body, status, dict(FRESH), media_type="application/json")


def _child(above: Any, name: str, text: str) -> None:
    etree.SubElement(above, f"{_CAS}{name}").text = xml_text(text)
