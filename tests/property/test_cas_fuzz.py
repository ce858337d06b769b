"""Whatever stands in a parameter of the central login: an answer of the protocol, never a 500, a
ticket or a redirect that nobody is due."""

import os
from pathlib import Path
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.asgi import Answer, call
from tests.cas_world import APP, BACK, OTHER, Browser, Portal, portal

from acl_engine.storage.database import Database

EXAMPLES = int(os.environ.get("CAS_FUZZ_EXAMPLES", "60"))
NAMES = [
    "service", "renew", "gateway", "method", "warn", "lt", "username", "password", "code",
    "answer", "rememberMe", "url", "ticket", "pgtUrl", "format", "pgt", "targetService", "TARGET",
    "lang", "Service", "TICKET", "",
]  # fmt: skip
NASTY = [
    "", "true", "false", APP, OTHER, BACK, f"{APP}?ticket=x", f"{APP}#x", "https://evil.example/",
    "javascript:alert(1)", "//evil.example", "https://app.example/query/../x", "ST-" + "a" * 29,
    "PT-" + "a" * 29, "PGT-" + "a" * 60, "LT-", "XML", "JSON", "POST", "HEADER", "\x00", "\r\nx: y",
    "<x>&amp;]]>", "' OR '1'='1", "%00", "%ff", "\ud83d\ude00".encode("utf-16", "surrogatepass")
    .decode("utf-16"), "\u202e", "a" * 5000, "../../etc/passwd", "{{7*7}}", "${x}", "zh", "en",
]  # fmt: skip
values = st.one_of(
    st.sampled_from(NASTY).map(lambda text: quote(text, safe="")),
    st.text(max_size=30).map(lambda text: quote(text, safe="", errors="replace")),
    st.binary(max_size=20).map(lambda raw: quote_from_bytes(raw, safe="")),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
queries = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=6).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
PATHS = [
    "/login", "/confirm", "/logout", "/validate", "/serviceValidate", "/proxyValidate",
    "/p3/serviceValidate", "/p3/proxyValidate", "/proxy", "/samlValidate",
]  # fmt: skip
HOSTS = {"app.example", "other.example", "back.example", "vault.example", ""}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Portal:
    path = tmp_path_factory.mktemp("fuzz") / "acl.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = portal(Database.open(f"sqlite:///{path}"))
    made.browser = Browser(made)  # type: ignore[attr-defined]
    made.browser.log_in(None)  # type: ignore[attr-defined]
    return made


def sound(answer: Answer) -> None:
    """An answer of ours: no failure of the server, headers in place, gone nowhere unregistered."""
    assert answer.status < 500, answer.text
    assert answer.header("x-request-id")
    assert answer.header("x-frame-options") == "DENY"
    kind = answer.header("content-type") or ""
    if "xml" in kind:
        root = etree.fromstring(answer.body)
        assert root.find(".//{*}authenticationSuccess") is None
        assert root.find(".//{*}proxySuccess") is None
        assert root.find(".//{*}Assertion") is None
    if kind.startswith("text/plain"):
        assert answer.text == "no\n\n"
    where = answer.header("location")
    if where is not None:
        assert urlsplit(where).hostname in HOSTS - {""} or where.startswith("/cas/")
    assert "<script" not in answer.text
    assert not any("\r" in value or "\n" in value for _, value in answer.headers)


@pytest.mark.parametrize("path", PATHS)
@settings(
    max_examples=EXAMPLES // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=queries, body=queries, post=st.booleans(), known=st.booleans())
def test_every_parameter(
    home: Portal, path: str, query: str, body: str, post: bool, known: bool
) -> None:
    cookies = home.browser.cookies if known else {}  # type: ignore[attr-defined]
    headers = [("cookie", "; ".join(f"{k}={v}" for k, v in cookies.items()))] if known else []
    if path == "/logout":
        headers = []  # the session is wanted further on
    if post:
        headers.append(("content-type", "application/x-www-form-urlencoded"))
    sent = body.encode() if post else b""
    method = "POST" if post else "GET"
    answer = call(home.app, f"/cas{path}", method=method, query=query, headers=headers, body=sent)
    sound(answer)


@settings(max_examples=EXAMPLES, deadline=None)
@given(cookie=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_every_cookie(home: Portal, cookie: str) -> None:
    for name in ("TGC-acl", "__Host-acl-form", "acl_lang"):
        sound(call(home.app, "/cas/login", headers=[("cookie", f"{name}={cookie}")]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    kind=st.sampled_from(["text/xml", "application/json", "multipart/form-data; boundary=x", ""]),
    body=st.binary(max_size=200),
)
def test_every_content_type(home: Portal, kind: str, body: bytes) -> None:
    headers = [("content-type", kind)] if kind else []
    for path in ("/login", "/serviceValidate", "/samlValidate", "/logout"):
        sound(call(home.app, f"/cas{path}", method="POST", headers=headers, body=body))
