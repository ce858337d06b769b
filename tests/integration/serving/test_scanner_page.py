"""The scanner page in a real browser: keyboard alone, 320 pixels, zh and en, without script."""

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acl_engine.domain.cas import RegisteredService
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from tests.chromium import chromium, complaints, too_wide
from tests.integration.serving.people import WORLD_TIME, Person
from tests.line_world import PARCELS, ROOT
from tests.serving import Served, service_desk, serving

PHONE = re.compile(r"(?<![0-9a-fA-F])1[0-9]{10}(?![0-9a-fA-F])")
WORDS = {
    "zh-CN": ("派件清单", "下几站", "一键拨号", "运单号", "申请临时权限"),
    "en": ("Load list", "Next stops", "Call", "Waybill number", "Ask for a right"),
}


@dataclass(frozen=True)
class Place:
    """A world with the page registered, and the port that its public address names."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    def open(self, later: int = 0) -> AbstractContextManager[Served]:
        """The service, its clock so many seconds after the world's."""
        clock = int(WORLD_TIME["ACL_SERVE_CLOCK_OFFSET"]) + later
        more = {"ACL_SERVE_PUBLIC_URL": self.address, "ACL_SERVE_CLOCK_OFFSET": str(clock)}
        url = f"sqlite:///{self.folder / 'world.db'}"
        return serving(self.folder, "--database", url, port=self.port, **more)


@pytest.fixture
def place(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("scanner-page")
    shutil.copy(world_file, folder / "world.db")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = Place(folder, taken.getsockname()[1])
    with service_desk(f"sqlite:///{folder / 'world.db'}") as desk:
        desk.add(RegisteredService("scanner", f"{made.address}/scanner/", "巴枪"), "acct-admin-01")
    return made


@pytest.fixture
def page(place: Place) -> Iterator[Served]:
    """The service at a port that its public address names, with the page registered."""
    with place.open() as served:
        yield served


class Hand:
    """Somebody at the page, with a keyboard: they Tab to what they want, and press Enter."""

    def __init__(self, browser: Any, folder: Path, lang: str) -> None:
        self.browser, self._folder, self._lang = browser, folder, lang

    def log_in(self, address: str, person: Person) -> None:
        self.browser.get(address)
        typed = person.typed(self.browser.find_element("name", "lt").get_attribute("value"))
        for name, value in typed.items():
            self.browser.find_element("name", name).send_keys(value)
        self._enter(self.browser.find_element("name", "answer"))

    def press(self, name: str, kind: str = "") -> None:
        """The first control of that name, and of that kind, reached with Tab."""
        from selenium.webdriver.common.keys import Keys

        self.browser.find_element("tag name", "h1").click()  # where nothing is pressed by it
        for _ in range(80):
            held = self.browser.switch_to.active_element
            kinds = (kind,) if kind else ("a", "button", "summary")
            said = held.accessible_name or held.text
            if held.tag_name in kinds and said.startswith(name):
                self._enter(held)
                return
            held.send_keys(Keys.TAB)
        raise AssertionError(f"not reached with Tab: {name}")

    def type(self, text: str) -> None:
        """Into the field that has the focus, as a scanner's trigger does: the code, then Enter."""
        from selenium.webdriver.common.keys import Keys

        held = self.browser.switch_to.active_element
        assert held.get_attribute("name") == "key"
        before = self.browser.find_element("tag name", "html").id
        held.send_keys(text + Keys.ENTER)
        self._left(before)

    def fits(self, name: str) -> None:
        """One heading, nothing beyond the screen's edge, no number, the language said."""
        assert len(self.browser.find_elements("tag name", "h1")) == 1
        assert self.browser.find_element("tag name", "html").get_attribute("lang") == self._lang
        assert too_wide(self.browser) == []
        assert not PHONE.search(self.browser.page_source)
        self.browser.save_screenshot(str(self._folder / f"{name}-{self._lang}.png"))

    def _enter(self, held: Any) -> None:
        from selenium.webdriver.common.keys import Keys

        stays = held.tag_name == "summary"
        before = self.browser.find_element("tag name", "html").id
        held.send_keys(Keys.ENTER)
        if not stays:
            self._left(before)

    def _left(self, before: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, 30).until(
            lambda one: one.find_element("tag name", "html").id != before
        )


def on_paper(browser: Any) -> None:
    """Printed, every view keeps its screen code: visible, and on the sheet that its fields are."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    kept = browser.execute_script(
        "return [...document.querySelectorAll('.cards > li')].map(card => {"
        "  const code = card.querySelector('.mark code');"
        "  return code.getClientRects().length > 0 && card.querySelector('dl').offsetHeight > 0"
        "    && getComputedStyle(card).breakInside === 'avoid'; })"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert kept
    assert all(kept)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_couriers_morning_by_keyboard(page: Served, lang: str, tmp_path: Path) -> None:
    """Log in, read the list, call the next stop, scan a parcel, ask for a right, log out."""
    load, stops, call, number, ask = WORDS[lang]
    key = Truth(small_world(ROOT), PARCELS).by_name["done-today"].waybill_no
    person = Person("courier-88", earliest=0)
    with chromium(tmp_path / "p", width=320, lang=lang, script=False) as browser:
        hand = Hand(browser, tmp_path, lang)
        hand.log_in(f"https://localhost:{page.port}/scanner/", person)
        assert browser.title == load
        hand.fits("load")
        assert browser.find_element("tag name", "h2").text == stops
        cards = browser.find_elements("css selector", ".cards > li")
        assert cards
        assert all(one.find_elements("css selector", ".mark code") for one in cards)
        on_paper(browser)
        assert browser.find_element("css selector", ".cards button").size["height"] >= 44
        assert browser.find_element("css selector", "nav [aria-current=page]").text
        hand.press(call)
        assert browser.find_element("css selector", "[role=status]").text
        hand.fits("called")
        browser.get(f"https://localhost:{page.port}/scanner/scan")
        field = browser.find_element("id", "key")
        assert field.accessible_name == number
        hand.fits("scan")
        hand.type(key)
        hand.fits("parcel")
        hand.press(ask)
        hand.fits("asking")
        assert browser.find_element("id", "purpose").accessible_name
        hand.press("申请" if lang == "zh-CN" else "Ask", "button")
        hand.fits("asked")
        browser.get(f"https://localhost:{page.port}/scanner/cases")
        hand.fits("cases")
        browser.get(f"https://localhost:{page.port}/cas/logout")
        browser.get(f"https://localhost:{page.port}/scanner/")
        assert browser.find_elements("name", "password")
        # What was refused is noted by the browser, and nothing else.
        assert [one for one in complaints(browser) if "403" not in one] == []


def test_one_asks_another_approves_it_is_shown_and_runs_out(place: Place, tmp_path: Path) -> None:
    """Two people at two scanners, keyboard alone: a delivered parcel's room for ten minutes."""
    key = Truth(small_world(ROOT), PARCELS).by_name["done-today"].waybill_no
    start, room = f"{place.address}/scanner/", "building and room"
    asker, approver = Person("courier-88", earliest=0), Person("sup-0413", earliest=0)
    with (
        place.open(),
        chromium(tmp_path / "a", width=320, lang="en", script=False) as one,
        chromium(tmp_path / "b", width=320, lang="en", script=False) as other,
    ):
        courier, manager = Hand(one, tmp_path, "en"), Hand(other, tmp_path, "en")
        courier.log_in(start, asker)
        one.get(f"{start}scan")
        courier.type(key)
        assert room not in one.page_source
        courier.press("Ask for a right")
        courier.press("Ask", "button")
        assert "the request was sent" in one.find_element("css selector", "[role=status]").text
        manager.log_in(start, approver)
        other.get(f"{start}cases")
        manager.fits("waiting")
        manager.press("Approve", "button")
        assert "granted" in other.find_element("css selector", "[role=status]").text
        manager.fits("approved")
        one.get(f"{start}cases")
        courier.fits("granted")
        courier.press("Look", "button")
        assert room in one.page_source
        assert one.find_elements("css selector", ".events time"), "the trace reads as events"
        courier.fits("shown")
    asker.later = 11 * 60
    with (
        place.open(later=asker.later),
        chromium(tmp_path / "c", width=320, lang="en", script=False) as again,
    ):
        courier = Hand(again, tmp_path, "en")
        courier.log_in(start, asker)
        again.get(f"{start}cases")
        assert not [b for b in again.find_elements("tag name", "button") if b.text == "Look"]
        again.get(f"{start}scan")
        courier.type(key)
        assert room not in again.page_source
        courier.fits("over")
