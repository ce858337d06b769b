"""The login page in a real browser: keyboard alone, 320 pixels, zh and en, without script."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acl_engine.domain.cas import RegisteredService
from tests.chromium import chromium, complaints, too_wide
from tests.integration.serving.people import WORLD_TIME, Person
from tests.serving import Served, service_desk, serving

WORDS = {"zh-CN": ("统一登录", "登录"), "en": ("Central login", "Log in")}
NAMES = {
    "zh-CN": {"username": "账号", "password": "密码", "code": "动态口令", "answer": "设备应答"},
    "en": {
        "username": "Account",
        "password": "Password",
        "code": "One-time code",
        "answer": "Answer of the device",
    },
}


@pytest.fixture(scope="module")
def login(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("login-page")
    shutil.copy(world_file, folder / "world.db")
    url = f"sqlite:///{folder / 'world.db'}"
    with serving(folder, "--database", url, **WORLD_TIME) as served:
        # The service's own start page stands for an application: another origin, same certificate.
        there = f"https://127.0.0.1:{served.port}/readyz"
        with service_desk(url) as desk:
            desk.add(RegisteredService("app", there, "旧查询系统"), "acct-admin-01")
        yield served


def service(login: Served) -> str:
    return f"https://127.0.0.1:{login.port}/readyz"


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_log_in_by_keyboard_without_script(login: Served, lang: str, tmp_path: Path) -> None:
    """Every field is reached with Tab, in the order in which it is read; Enter sends."""
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    person = Person("courier-88" if lang == "en" else "courier-89", earliest=0)
    with chromium(tmp_path / "p", width=320, lang=lang, script=False) as browser:
        browser.get(f"{login.url}/cas/login?service={service(login)}")
        assert browser.title == WORDS[lang][0]
        assert browser.find_element("tag name", "html").get_attribute("lang") == lang
        typed = person.typed(browser.find_element("name", "lt").get_attribute("value"))
        assert browser.switch_to.active_element.get_attribute("name") == "username"
        for name in ("username", "password", "code", "answer"):
            held = browser.switch_to.active_element
            assert held.get_attribute("name") == name
            held.send_keys(typed[name])
            held.send_keys(Keys.TAB)
        browser.save_screenshot(str(tmp_path / "filled.png"))
        browser.find_element("name", "answer").send_keys(Keys.ENTER)
        there = f"{service(login)}?ticket=ST-"
        WebDriverWait(browser, 20).until(lambda one: one.current_url.startswith(there))
        browser.get(f"{login.url}/cas/login")
        assert person.login in browser.page_source
        browser.get(f"{login.url}/cas/logout")
        assert _of_pages(complaints(browser)) == []


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_what_a_screen_reader_says_and_how_it_fits(
    login: Served, lang: str, tmp_path: Path
) -> None:
    with chromium(tmp_path / "p", width=320, lang=lang) as browser:
        browser.get(f"{login.url}/cas/login?service={service(login)}")
        _readable(browser, lang)
        browser.find_element("tag name", "summary").click()
        assert too_wide(browser) == []
        _shoot(browser, tmp_path, f"login-{lang}")
        browser.find_element("id", "username").send_keys("courier-88")
        browser.find_element("id", "password").send_keys("wrong")
        browser.find_element("id", "password").submit()
        browser.implicitly_wait(20)
        assert browser.find_element("css selector", "[role=alert]").text
        browser.implicitly_wait(0)
        name = browser.find_element("id", "username")
        assert name.get_attribute("aria-describedby") == "problem"
        assert name.get_attribute("value") == "courier-88"
        assert browser.find_element("id", "password").get_attribute("value") == ""
        assert too_wide(browser) == []
        _shoot(browser, tmp_path, f"refused-{lang}")
        other = browser.find_element("css selector", ".other a")
        other.click()
        assert browser.title == WORDS["en" if lang == "zh-CN" else "zh-CN"][0]
        assert "app" not in browser.title
        assert browser.find_element("name", "service").get_attribute("value") == service(login)
        # 403 is what the refused login answered: the browser notes it, and nothing else.
        assert [one for one in _of_pages(complaints(browser)) if "403" not in one] == []
        _cannot_be_framed(browser, login, tmp_path)


def _of_pages(complaints: list[str]) -> list[str]:
    """Without the icon that a browser looks for beside JSON."""
    return [one for one in complaints if "favicon.ico" not in one]


def _cannot_be_framed(browser: Any, login: Served, folder: Path) -> None:
    page = folder / "frame.html"
    page.write_text(f'<iframe src="{login.url}/cas/login" id="f"></iframe>')
    browser.get(page.as_uri())
    browser.switch_to.frame("f")
    assert browser.find_elements("name", "password") == []


def _readable(browser: Any, lang: str) -> None:
    assert browser.find_element("tag name", "h1").text == WORDS[lang][0]
    for field, spoken in NAMES[lang].items():
        assert browser.find_element("name", field).accessible_name == spoken
    button = browser.find_element("css selector", "button")
    assert button.accessible_name == WORDS[lang][1]
    assert button.size["height"] >= 44  # a finger's width
    assert len(browser.find_elements("tag name", "main")) == 1


def _shoot(browser: Any, folder: Path, name: str) -> None:
    browser.save_screenshot(str(folder / f"{name}.png"))
