"""The enrolment page in a real browser: keyboard alone, 320 pixels, zh and en, without script.

The authenticator is a stand-in that reads the QR off the screen's markup as a camera would.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.cli import cli
from acl_engine.cli.device_answer import answer
from acl_engine.identity.recovery import CODES
from acl_engine.identity.totp import code_at, enrolment_uri
from acl_engine.replay.theatre import SEED
from acl_engine.replay.world.company import device_key, strong_password
from acl_engine.web.qr import Qr
from tests.chromium import chromium, complaints, too_wide
from tests.integration.serving.people import OFFSET, WORLD_TIME
from tests.serving import Served, serving
from tests.wire import WireBrowser

ADMIN = "acct-admin-01"
TITLES = {
    "zh-CN": ("登记验证器", "扫描二维码", "已登记"),
    "en": ("Set up your authenticator", "Scan the QR code", "It is set up"),
}
PEOPLE = {"zh-CN": ("courier-88", "pda-88"), "en": ("courier-89", "pda-89")}


@pytest.fixture(scope="module")
def place(
    world_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, str]]:
    folder = tmp_path_factory.mktemp("enrolment-page")
    shutil.copy(world_file, folder / "world.db")
    url = f"sqlite:///{folder / 'world.db'}"
    with serving(folder, "--database", url, **WORLD_TIME) as served:
        yield served, url


def administrate(url: str, *words: str) -> str:
    done = CliRunner().invoke(
        cli, ["account", *words, "--by", ADMIN, "--database", url], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output.splitlines()[0]


def device_says(device: str, challenge: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(device_key(SEED, device))
    return answer(key, device, challenge)


def code_of(key: str) -> str:
    return code_at(key.replace(" ", ""), int(time.time()) + OFFSET)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_from_a_reset_to_the_first_login(
    place: tuple[Served, str], lang: str, tmp_path: Path
) -> None:
    """Every field is reached with Tab; no script, nothing to scroll sideways, no complaint."""
    served, url = place
    login, device = PEOPLE[lang]
    administrate(url, "reset", login)
    code = administrate(url, "start-enrolment", login)
    with chromium(tmp_path / "p", width=320, lang=lang, script=False) as browser:
        browser.get(f"{served.url}/enrol")
        _page(browser, lang, 0, tmp_path)
        challenge = browser.find_element("name", "lt").get_attribute("value")
        typed = {"enrolment": code, "password": "", "answer": device_says(device, challenge)}
        _type(browser, typed)
        _page(browser, lang, 1, tmp_path)
        key = browser.find_element("id", "key").text
        _same_key(browser, login, key)
        new = "seven calm otters dive"
        _type(browser, {"username": "", "password": new, "again": "another", "code": code_of(key)})
        assert browser.find_element("css selector", "[role=alert]").text
        assert browser.find_element("id", "key").text == key
        _type(browser, {"username": "", "password": new, "again": new, "code": code_of(key)})
        _page(browser, lang, 2, tmp_path)
        assert len(browser.find_elements("css selector", ".codes li")) == CODES
        # 422 is what the slip answered: the browser notes it, and nothing else.
        assert [one for one in complaints(browser) if "422" not in one] == []
        browser.back()
        assert key not in browser.page_source
    wire = WireBrowser(served.certificate)
    shown = wire.go(f"{served.url}/cas/login")
    later = code_at(key.replace(" ", ""), int(time.time()) + OFFSET + 30)
    proof = device_says(device, shown.page.fields["lt"])
    assert login in wire.send(username=login, password=new, code=later, answer=proof).text
    assert _first_again(served, code, device).status == 403


def test_every_refusal_reads_the_same(place: tuple[Served, str]) -> None:
    """Unknown, malformed, used, wrong password, no device: the request's id alone differs."""
    served, url = place
    code = administrate(url, "start-enrolment", "keeper-07")
    older, code = code, administrate(url, "start-enrolment", "keeper-07")
    right = strong_password(SEED, "keeper-07")
    said = set()
    for typed, password, device in (
        (older, right, "pc-31"),
        ("made up", right, "pc-31"),
        (code, "wrong", "pc-31"),
        (code, right, ""),
        (code, right, "pc-12"),
    ):
        shown = _first_again(served, typed, device, password)
        fields = shown.page.fields
        words = shown.text.replace(fields["lt"], "").replace(shown.headers["x-request-id"], "")
        said.add((shown.status, _without_ids(words)))
    assert len(said) == 1, said
    assert _first_again(served, code, "pc-31", right).status == 200


def test_another_site_s_form_and_a_form_sent_twice(place: tuple[Served, str]) -> None:
    served, _ = place
    wire = WireBrowser(served.certificate)
    fields = wire.go(f"{served.url}/enrol").page.fields
    typed = {**fields, "enrolment": "x"}
    assert wire.go(f"{served.url}/enrol", typed).status == 403
    again = wire.go(f"{served.url}/enrol", typed)
    assert (again.status, "too old" in again.text) == (200, True)


def _first_again(served: Served, code: str, device: str, password: str = "") -> Any:
    wire = WireBrowser(served.certificate)
    shown = wire.go(f"{served.url}/enrol")
    proof = device_says(device, shown.page.fields["lt"]) if device else ""
    return wire.send(enrolment=code, password=password, answer=proof)


def _without_ids(text: str) -> str:
    head, _, tail = text.partition("(request ")
    return head + tail.partition(")")[2]


def _type(browser: Any, typed: dict[str, str]) -> None:
    """Fill in a form by Tab alone, in the order in which it is read, and send it with Enter."""
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    browser.find_element("css selector", "form input:not([type=hidden])").click()
    first = browser.find_element("tag name", "html")
    for name, value in typed.items():
        held = browser.switch_to.active_element
        assert held.get_attribute("name") == name
        held.send_keys(value, Keys.TAB if name != list(typed)[-1] else Keys.ENTER)
    WebDriverWait(browser, 20).until(lambda one: one.find_element("tag name", "html") != first)


def _page(browser: Any, lang: str, which: int, folder: Path) -> None:
    assert browser.title == TITLES[lang][which]
    assert browser.find_element("tag name", "html").get_attribute("lang") == lang
    assert too_wide(browser) == []
    for field in browser.find_elements("css selector", "input:not([type=hidden])"):
        assert field.accessible_name
    browser.save_screenshot(str(folder / f"enrol-{which}-{lang}.png"))


def _same_key(browser: Any, login: str, key: str) -> None:
    """What the camera reads is the key that is shown to be typed, for this account."""
    seed = key.replace(" ", "")
    uri = enrolment_uri(login, seed)
    assert parse_qs(urlsplit(uri).query)["secret"] == [seed]
    path = browser.find_element("css selector", "svg.qr path").get_attribute("d")
    assert path == Qr.of(uri).path
