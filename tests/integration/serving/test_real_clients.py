"""Real clients, unmodified, over TLS: they log in, get UTF-8 and several values, and lose their
session on logout."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acl_engine.bootstrap.administration import Administration
from acl_engine.domain.cas import RegisteredService
from acl_engine.policy.pack import load_pack
from tests.certificates import Certificates, make_certificates
from tests.integration.serving.people import WORLD_TIME, Person
from tests.serving import Served, environment, service_desk, serving
from tests.wire import WireBrowser

cas = pytest.importorskip("cas", reason="python-cas is not installed")
requests = pytest.importorskip("requests", reason="requests is not installed")

AFTER = Path(__file__).parents[3] / "policies" / "courier" / "after"
ASSETS = Path(__file__).parents[2] / "assets" / "cas"
ATTRIBUTES = ("name", "role", "unitName", "unitPath")
# One process of the test run has the central login, Apache and Django; not each of them.


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@dataclass(frozen=True)
class Town:
    """The central login and the certificates that everybody trusts."""

    served: Served
    url: str
    database: str
    certificates: Certificates
    people: dict[str, Person]

    def browser(self) -> WireBrowser:
        return WireBrowser(self.certificates.authority)

    def register(self, name: str, port: int, **more: Any) -> str:
        url = f"https://localhost:{port}/"
        with service_desk(self.database) as desk:
            if name not in {one.name for one in desk.services()}:
                desk.add(RegisteredService(name, url, name, ATTRIBUTES, **more), "acct-admin-01")
        return url


@pytest.fixture(scope="module")
def town(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    made = make_certificates(folder)
    shutil.copy(world_file, folder / "world.db")
    url = f"sqlite:///{folder / 'world.db'}"
    given = ("--cert", str(made.certificate), "--key", str(made.key))
    authority = {"ACL_CAS_AUTHORITIES": str(made.authority)}
    with serving(folder, "--database", url, *given, **WORLD_TIME, **authority) as served:
        trusted = Served(served.process, served.port, made.authority, served.log)
        people = {name: Person(name) for name in ("courier-88", "courier-89", "keeper-07")}
        yield Town(trusted, f"{trusted.url}/cas/", url, made, people)


def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    """A farewell is told by a thread of the server: within moments, not at once."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


# --- python-cas -------------------------------------------------------------------------------


@dataclass
class LibraryApp:
    """An application on python-cas, as its README does it: a session per ticket."""

    url: str
    cas_url: str
    authority: Path
    version: object = 3
    sessions: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def client(self) -> Any:
        session = requests.Session()
        session.verify, session.trust_env = str(self.authority), False
        return cas.CASClient(
            version=self.version, service_url=self.url, server_url=self.cas_url,
            verify_ssl_certificate=str(self.authority), session=session,
        )  # fmt: skip

    def enter(self, ticket: str) -> bool:
        user, attributes, _ = self.client().verify_ticket(ticket)
        if user:
            self.sessions[ticket] = user, attributes or {}
        return bool(user)

    def told(self, logout_request: str) -> None:
        for index in cas.CASClientV3.get_saml_slos(logout_request):
            self.sessions.pop(index.text, None)


@pytest.fixture
def library_app(town: Town) -> Iterator[LibraryApp]:
    port = free_port()
    with service_desk(town.database) as desk:
        if "library" in {one.name for one in desk.services()}:
            desk.remove("library", "acct-admin-01")
    url = town.register("library", port)
    app = LibraryApp(url, town.url, town.certificates.authority)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ticket = parse_qs(urlsplit(self.path).query).get("ticket", [""])[0]
            self.send_response(200 if ticket and app.enter(ticket) else 403)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            app.told(parse_qs(body)["logoutRequest"][0])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(town.certificates.certificate, town.certificates.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app
    server.shutdown()
    server.server_close()


def test_python_cas_logs_in_with_attributes_and_loses_its_session_on_logout(
    town: Town, library_app: LibraryApp
) -> None:
    browser = town.browser()
    browser.go(library_app.client().get_login_url())
    assert town.people["courier-88"].log_in(browser).status == 200
    ((ticket, (user, attributes)),) = library_app.sessions.items()
    assert ticket.startswith("ST-")
    assert user == "courier-88"
    assert attributes["role"] == ["courier", "staff"]
    assert attributes["unitName"] == "宝安西乡营业点"
    assert attributes["unitPath"] == ["hq", "gd", "hub-sz", "ba-xixiang"]
    assert any("\u4e00" <= char <= "\u9fff" for char in attributes["name"])
    library_app.version = "CAS_2_SAML_1_0"
    browser.go(library_app.client().get_login_url())
    saml = [held for one, held in library_app.sessions.items() if one != ticket]
    assert saml[0][0] == "courier-88"
    assert saml[0][1]["role"] == ["courier", "staff"]
    assert saml[0][1]["unitName"] == "宝安西乡营业点"
    for version in (1, 2):
        library_app.version = version
        assert browser.go(library_app.client().get_login_url()).status == 200
    assert len(library_app.sessions) == 4
    gone = browser.go(library_app.client().get_logout_url())
    assert "logged out" in gone.text
    assert eventually(lambda: not library_app.sessions), library_app.sessions


def test_python_cas_loses_a_leavers_session_without_any_logout(
    town: Town, library_app: LibraryApp
) -> None:
    browser = town.browser()
    browser.go(library_app.client().get_login_url())
    assert town.people["courier-89"].log_in(browser).status == 200
    assert len(library_app.sessions) == 1
    with Administration.open(town.database, load_pack(AFTER)) as desk:
        desk.suspend("courier-89", "acct-admin-01")
    assert eventually(lambda: not library_app.sessions)
    assert "password" in browser.go(library_app.client().get_login_url()).page.fields


# --- django-cas-ng ----------------------------------------------------------------------------


@pytest.fixture
def django_site(town: Town, tmp_path: Path) -> Iterator[str]:
    if find_spec("django_cas_ng") is None:
        pytest.skip("django-cas-ng is not installed")
    port = free_port()
    url = town.register("django", port, callback=f"https://localhost:{port}/callback")
    held = town.certificates
    arguments = [str(port), str(held.certificate), str(held.key), town.url]
    environ = environment(tmp_path, REQUESTS_CA_BUNDLE=str(held.authority))
    process = subprocess.Popen(
        [sys.executable, str(ASSETS / "django_site.py"), *arguments, str(tmp_path / "site.db")],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


def test_django_cas_ng(town: Town, django_site: str) -> None:
    browser = town.browser()
    assert json.loads(browser.go(django_site).text)["user"] is None
    browser.go(f"{django_site}login")
    shown = town.people["keeper-07"].log_in(browser)
    found = json.loads(shown.text)
    assert found["user"] == "keeper-07"
    assert found["attributes"]["role"] == ["warehouse_keeper", "staff"]
    assert found["attributes"]["unitName"] == "宝安西乡营业点"
    browser.go(f"{town.url}logout")

    def gone() -> bool:
        return json.loads(browser.go(django_site).text)["user"] is None

    assert eventually(gone)


# --- Apache's mod_auth_cas -----------------------------------------------------------------------

MODULES = Path("/usr/lib/apache2/modules")
XML = "CASVersion 2\nCASValidateURL {cas}p3/serviceValidate"
SAML = "CASValidateSAML On\nCASAttributePrefix CAS-\nCASValidateURL {cas}samlValidate"


@pytest.fixture(params=[XML, SAML], ids=["xml", "saml"])
def apache(request: pytest.FixtureRequest, town: Town) -> Iterator[tuple[str, str]]:
    if not shutil.which("apache2") or not (MODULES / "mod_auth_cas.so").exists():
        pytest.skip("Apache with mod_auth_cas is not installed: make system-deps")
    port, held = free_port(), town.certificates
    with tempfile.TemporaryDirectory(prefix="acl-apache-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("htdocs", "cookies"):
            (folder / part).mkdir()
        (folder / "cookies").chmod(0o777)
        (folder / "htdocs" / "index.html").write_text("inside")
        for file in (held.certificate, held.authority):
            shutil.copy(file, folder / file.name)
        values = {
            "FOLDER": folder, "PORT": port, "MODULES": MODULES, "CERTIFICATE": held.certificate,
            "KEY": held.key, "AUTHORITY": folder / held.authority.name, "CAS": town.url,
            "VALIDATION": request.param.format(cas=town.url),
        }  # fmt: skip
        text = (ASSETS / "apache.conf").read_text()
        for word, value in values.items():
            text = text.replace("${" + word + "}", str(value))
        (folder / "apache.conf").write_text(text)
        with service_desk(town.database) as desk:
            if "apache" in {one.name for one in desk.services()}:
                desk.remove("apache", "acct-admin-01")
        url = town.register("apache", port)
        process = subprocess.Popen(
            ["apache2", "-DFOREGROUND", "-f", str(folder / "apache.conf")],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            answers = eventually(lambda: _listens(port))
            assert answers, (folder / "error.log").read_text()[-2000:]
            yield url, request.node.callspec.id
        finally:
            process.terminate()
            process.wait(timeout=20)
            assert process.stderr is not None
            process.stderr.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_mod_auth_cas(town: Town, apache: tuple[str, str]) -> None:
    url, how = apache
    browser = town.browser()
    browser.go(url)
    shown = town.people["courier-88"].log_in(browser)
    assert shown.text == "inside"
    assert shown.headers["x-user"] == "courier-88"
    if how == "saml":
        assert "courier" in shown.headers["cas-role"]
        name = shown.headers["cas-unitname"].encode("latin-1").decode()
        assert name == "宝安西乡营业点"
    browser.go(f"{town.url}logout")

    def gone() -> bool:
        return browser.go(url).text != "inside"

    assert eventually(gone)
