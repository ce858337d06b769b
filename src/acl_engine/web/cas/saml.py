"""/samlValidate: a service ticket in a SAML 1.1 request, answered by a SAML 1.1 response.

Specification 4.2. The answer is not signed, as the protocol has it: the application has just
fetched it over TLS from a server that it trusts.

INVARIANTS
- The request is read by a parser that knows no DTD, no entity and no network.
- Attributes go to an https TARGET alone.
"""

import secrets
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from acl_engine.bootstrap.cas_validation import Validation
from acl_engine.domain.cas import Failure, Visit
from acl_engine.domain.errors import TicketRefused
from acl_engine.domain.text import Message, Text
from acl_engine.identity.cas_rules import Asked
from acl_engine.web.cas import answers
from acl_engine.web.cas.pages import FRESH
from acl_engine.web.cas.validate import note
from acl_engine.web.problems import FAILED

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
PROTOCOL = "urn:oasis:names:tc:SAML:1.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:1.0:assertion"
PASSWORD = "urn:oasis:names:tc:SAML:1.0:am:password"  # noqa: S105 - the name of a method
ARTIFACT = "urn:oasis:names:tc:SAML:1.0:cm:artifact"
ATTRIBUTES = "http://www.ja-sig.org/products/cas/"
# How long the assertion may be relied on: it is read at once.
_VALID_SECONDS = 30
_MOST_ID = 200

NOT_SAML = Text(
    "cas.not-saml",
    "正文不是 SAML 1.1 请求",
    "the body is not a SAML 1.1 request with one AssertionArtifact",
)
NO_TARGET = Text("cas.no-target", "缺少参数 TARGET", "the parameter TARGET is required")


def answer(
    validation: Validation, issuer: str, request: Request, target: str, body: bytes
) -> Response:
    """The response to one request. `issuer` names this server."""
    asked_id = ""
    try:
        asked_id, ticket = _read(body)
        if not target:
            raise TicketRefused(Failure.INVALID_REQUEST, NO_TARGET.of())
        visit = validation.validate(ticket, Asked(target, attributes=_trusted(target)))
        now = validation.now()
        return _envelope(_response(asked_id, target, now, _assertion(visit, issuer, target, now)))
    except TicketRefused as refused:
        return _denied(asked_id, target, validation.now(), refused.failure, refused.message)
    except Exception as error:  # noqa: BLE001 - the application reads SAML, whatever it is
        note(request, error)
        return _denied(asked_id, target, validation.now(), Failure.INTERNAL_ERROR, FAILED.of())


def _trusted(target: str) -> bool:
    """Specification 4.2.1: no attributes to a site without TLS."""
    return target.startswith("https://")


def _read(body: bytes) -> tuple[str, str]:
    """RequestID and ticket. Raises TicketRefused."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise _not_saml() from None
    if root.getroottree().docinfo.doctype or root.tag != f"{{{SOAP}}}Envelope":
        raise _not_saml()
    requests = root.findall(f"./{{{SOAP}}}Body/{{{PROTOCOL}}}Request")
    artifacts = [one for r in requests for one in r.findall(f"./{{{PROTOCOL}}}AssertionArtifact")]
    if len(requests) != 1 or len(artifacts) != 1 or len(artifacts[0]):
        raise _not_saml()
    # Required by the specification (4.2.3), left out by mod_auth_cas: nothing hangs on it here.
    asked_id = requests[0].get("RequestID", "")
    if len(asked_id) > _MOST_ID:
        raise _not_saml()
    return asked_id, (artifacts[0].text or "").strip()


def _not_saml() -> TicketRefused:
    return TicketRefused(Failure.INVALID_REQUEST, NOT_SAML.of())


def _response(asked_id: str, target: str, now: int, assertion: Any) -> Any:
    response = _bare_response(asked_id, target, now)
    status = etree.SubElement(response, f"{{{PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode").set("Value", "samlp:Success")
    response.append(assertion)
    return response


def _denied(asked_id: str, target: str, now: int, failure: Failure, message: Message) -> Response:
    response = _bare_response(asked_id, target, now)
    status = etree.SubElement(response, f"{{{PROTOCOL}}}Status")
    whose = "Responder" if failure is Failure.INTERNAL_ERROR else "RequestDenied"
    outer = etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode")
    if whose == "RequestDenied":
        outer.set("Value", "samlp:Requester")
        etree.SubElement(outer, f"{{{PROTOCOL}}}StatusCode").set("Value", "samlp:RequestDenied")
    else:
        outer.set("Value", "samlp:Responder")
    said = etree.SubElement(status, f"{{{PROTOCOL}}}StatusMessage")
    said.text = answers.xml_text(f"{failure.value}: {message.render('en')}")
    return _envelope(response)


def _bare_response(asked_id: str, target: str, now: int) -> Any:
    response = etree.Element(
        f"{{{PROTOCOL}}}Response", nsmap={"samlp": PROTOCOL, "saml": ASSERTION}
    )
    response.set("ResponseID", f"_{secrets.token_hex(16)}")
    if asked_id:
        response.set("InResponseTo", answers.xml_text(asked_id))
    response.set("MajorVersion", "1")
    response.set("MinorVersion", "1")
    response.set("IssueInstant", answers.instant(now))
    if target:
        response.set("Recipient", answers.xml_text(target))
    return response


def _assertion(visit: Visit, issuer: str, target: str, now: int) -> Any:
    one = etree.Element(f"{{{ASSERTION}}}Assertion", nsmap={"saml": ASSERTION})
    for name, value in (
        ("AssertionID", f"_{secrets.token_hex(16)}"),
        ("Issuer", issuer),
        ("IssueInstant", answers.instant(now)),
        ("MajorVersion", "1"),
        ("MinorVersion", "1"),
    ):
        one.set(name, value)
    conditions = _add(one, "Conditions")
    conditions.set("NotBefore", answers.instant(now))
    conditions.set("NotOnOrAfter", answers.instant(now + _VALID_SECONDS))
    _add(_add(conditions, "AudienceRestrictionCondition"), "Audience", target)
    said = _add(one, "AuthenticationStatement")
    said.set("AuthenticationInstant", answers.instant(visit.since))
    said.set("AuthenticationMethod", PASSWORD)
    _subject(said, visit)
    if _trusted(target):
        _attributes(one, visit)
    return one


def _attributes(one: Any, visit: Visit) -> None:
    statement = _add(one, "AttributeStatement")
    _subject(statement, visit)
    named = [(name, (value,)) for name, value in answers.facts(visit)]
    for name, values in (*named, *visit.attributes):
        attribute = _add(statement, "Attribute")
        attribute.set("AttributeName", name)
        attribute.set("AttributeNamespace", ATTRIBUTES)
        for value in values:
            _add(attribute, "AttributeValue", value)


def _subject(above: Any, visit: Visit) -> None:
    subject = _add(above, "Subject")
    _add(subject, "NameIdentifier", visit.account)
    _add(_add(subject, "SubjectConfirmation"), "ConfirmationMethod", ARTIFACT)


def _add(above: Any, name: str, text: str | None = None) -> Any:
    made = etree.SubElement(above, f"{{{ASSERTION}}}{name}")
    if text is not None:
        made.text = answers.xml_text(text)
    return made


def _envelope(response: Any) -> Response:
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"SOAP-ENV": SOAP})
    etree.SubElement(root, f"{{{SOAP}}}Header")
    etree.SubElement(root, f"{{{SOAP}}}Body").append(response)
    body = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(body, 200, dict(FRESH), media_type="text/xml")
