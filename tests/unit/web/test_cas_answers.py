"""Answers of the protocol: XML to its schema, SAML to its shape, the same facts in JSON."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.asgi import Answer, call
from tests.cas_world import APP, BACK, CALLBACK, OTHER, Browser, Portal, portal

from acl_engine.domain.cas import Failure, Visit
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.web.cas import answers

SCHEMA = etree.XMLSchema(
    etree.parse(Path(__file__).parents[2] / "assets" / "cas" / "cas-response.xsd")
)
SAML = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "samlp": "urn:oasis:names:tc:SAML:1.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:1.0:assertion",
}
SAID = Text("test.any", "随便", "any")
ENVELOPE = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/>'
    "<SOAP-ENV:Body>{}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
REQUEST = (
    '<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1"'
    ' MinorVersion="1" RequestID="_r1" IssueInstant="2026-03-02T00:00:00Z">'
    "<samlp:AssertionArtifact>{}</samlp:AssertionArtifact></samlp:Request>"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Portal:
    path = tmp_path_factory.mktemp("answers") / "acl.db"
    path.write_bytes(sqlite_template.read_bytes())
    return portal(Database.open(f"sqlite:///{path}"))


def valid(body: bytes) -> bool:
    root = etree.fromstring(body)
    if not SCHEMA.validate(root):
        raise AssertionError(f"{SCHEMA.error_log}\n{body.decode()}")
    return True


def test_every_kind_of_answer_fits_the_schema(home: Portal) -> None:
    browser = Browser(home)
    ticket = browser.log_in()
    seen = home.validate(ticket, pgtUrl=CALLBACK)
    assert seen.user
    assert valid(seen.answer.body)
    pgt, _ = home.outside.granted()
    proxied = home.ask("/proxy", pgt=pgt, targetService=BACK)
    assert valid(proxied.body)
    pt = etree.fromstring(proxied.body).findtext(".//{*}proxyTicket") or ""
    seen = home.validate(pt, BACK, "/p3/proxyValidate")
    assert seen.values("proxy") == [CALLBACK]
    assert valid(seen.answer.body)
    browser.open()
    assert valid(home.validate(browser.ticket, path="/serviceValidate").answer.body)
    for path in ("/serviceValidate", "/proxyValidate", "/p3/serviceValidate", "/proxy"):
        assert valid(home.ask(path).body)
        assert valid(home.ask(path, ticket="x", service=APP, pgt="x", targetService=APP).body)


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_names = st.sampled_from(["name", "role", "area"])
_attributes = st.lists(
    st.tuples(_names, st.lists(_texts, min_size=1, max_size=3).map(tuple)),
    max_size=3,
    unique_by=lambda one: one[0],
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_texts, _attributes, st.lists(_texts, max_size=3), st.none() | _texts, st.booleans())
def test_whatever_a_visit_holds_the_xml_fits_and_says_it(
    account: str,
    attributes: list[tuple[str, tuple[str, ...]]],
    proxies: list[str],
    iou: str | None,
    fresh: bool,
) -> None:
    visit = Visit(account, fresh, 1_772_400_000, tuple(attributes), tuple(proxies), iou)
    for asked in (True, False):
        body = bytes(answers.success(visit, "XML", attributes=asked).body)
        assert valid(body)
    root = etree.fromstring(bytes(answers.success(visit, "XML", attributes=True).body))
    for name, values in attributes:
        found = [one.text or "" for one in root.iterfind(f".//{{*}}{name}")]
        plain = [answers.xml_text(v).replace("\r", "\n") for v in values]
        assert [one.replace("\r", "\n") for one in found] == plain


@pytest.mark.parametrize("code", list(Failure))
def test_failures_fit_the_schema(code: Failure) -> None:
    for kind in ("authenticationFailure", "proxyFailure"):
        answer = answers.failure(kind, code, SAID.of(), "XML")  # type: ignore[arg-type]
        assert valid(bytes(answer.body))


# --- SAML 1.1 ---------------------------------------------------------------------------------


def ask_saml(home: Portal, body: str | bytes, target: str | None = APP) -> Answer:
    raw = body if isinstance(body, bytes) else body.encode()
    query = f"TARGET={target}" if target else ""
    kind = [("content-type", "text/xml")]
    return call(home.app, "/cas/samlValidate", method="POST", query=query, headers=kind, body=raw)


def saml(ticket: str) -> str:
    return ENVELOPE.format(REQUEST.format(ticket))


def test_saml_validate(home: Portal) -> None:
    browser = Browser(home)
    browser.log_in(None)
    browser.open()
    root = etree.fromstring(ask_saml(home, saml(browser.ticket)).body)
    response = root.find("soap:Body/samlp:Response", SAML)
    assert response is not None
    assert (response.get("MajorVersion"), response.get("MinorVersion")) == ("1", "1")
    assert response.get("InResponseTo") == "_r1"
    assert response.get("Recipient") == APP
    code = response.find("samlp:Status/samlp:StatusCode", SAML)
    assert code is not None
    assert code.get("Value") == "samlp:Success"
    assertion = response.find("saml:Assertion", SAML)
    assert assertion is not None
    assert assertion.get("Issuer") == "https://login.example"
    assert assertion.findtext(".//saml:Audience", namespaces=SAML) == APP
    subjects = {one.text for one in assertion.iterfind(".//saml:NameIdentifier", SAML)}
    assert subjects == {"courier-1"}
    held = {
        one.get("AttributeName"): [value.text for value in one]
        for one in assertion.iterfind(".//saml:Attribute", SAML)
    }
    assert held["role"] == ["courier", "staff"]
    assert held["longTermAuthenticationRequestTokenUsed"] == ["false"]
    assert "unit" not in held


def test_saml_gives_an_application_what_it_is_due_and_no_more(home: Portal) -> None:
    browser = Browser(home)
    browser.log_in(None, "courier-2")
    browser.open(OTHER)
    body = ask_saml(home, saml(browser.ticket), OTHER).body
    assert b"courier-2" in body
    assert b'AttributeName="name"' not in body


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c SYSTEM "file:///etc/passwd">]>'
)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not xml",
        "<a/>",
        ENVELOPE.format(""),
        ENVELOPE.format(REQUEST.format("ST-1") * 2),
        ENVELOPE.format(REQUEST.format("<b/>")),
        BOMB + ENVELOPE.format(REQUEST.format("&b;")),
        BOMB + ENVELOPE.format(REQUEST.format("&c;")),
        ENVELOPE.format(REQUEST.format("ST-1")).replace("_r1", "r" * 300),
        ENVELOPE.format(REQUEST.format("ST-unknown")),
        b"\xff\xfe\x00<",
        "<a>" * 5000,
    ],
)
def test_what_is_no_saml_request_is_denied_in_saml(home: Portal, body: str | bytes) -> None:
    root = etree.fromstring(ask_saml(home, body).body)
    codes = [one.get("Value") for one in root.iterfind(".//samlp:StatusCode", SAML)]
    assert codes == ["samlp:Requester", "samlp:RequestDenied"]
    assert root.find(".//saml:Assertion", SAML) is None
    assert "root:" not in etree.tostring(root, encoding="unicode")


def test_saml_without_or_with_another_target_is_denied_and_burns_the_ticket(home: Portal) -> None:
    browser = Browser(home)
    browser.log_in(None)
    for target in (None, OTHER):
        browser.open()
        assert b"RequestDenied" in ask_saml(home, saml(browser.ticket), target).body
    assert b"RequestDenied" in ask_saml(home, saml(browser.ticket), APP).body
    assert call(home.app, "/cas/samlValidate").status == 405
