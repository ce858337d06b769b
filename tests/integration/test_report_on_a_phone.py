"""The replay's page in a real browser: a phone's width, a desk's width, and paper."""

import re
from importlib import resources
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from acl_engine.replay.play import Order, play
from acl_engine.replay.report.page import page
from tests.chromium import chromium

ROOT = Path(__file__).parents[2]
# The one with most people, the one with most that is known, and an honest day.
IDS = ("courier.password-spraying", "courier.wiped-trace", "courier.day-courier")
# In CSS pixels; what a person reads at arm's length.
LEAST_TYPE = 13


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "replay.html"
    file.write_text(page(play(Order(ROOT, ids=IDS, ablate=False)), "zh"), "utf-8")
    return file


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_never_scrolls_sideways(report: Path, tmp_path: Path, width: int) -> None:
    """Wide tables and pictures scroll in boxes of their own; type stays readable; on paper too."""
    with chromium(tmp_path, width=width, lang="zh-CN") as browser:
        browser.get(report.as_uri())
        for lang in ("zh", "en"):
            browser.execute_script(f"document.getElementById('show-{lang}').checked = true")
            seen = browser.execute_script(
                "const root = document.documentElement;"
                "const outside = [...document.querySelectorAll('body *')].filter(e =>"
                "  !e.closest('.wide') && e.getBoundingClientRect().right > root.clientWidth + 1);"
                "const type = [...document.querySelectorAll('span, td, li, p, small, b')]"
                "  .filter(e => e.getClientRects().length && e.textContent.trim())"
                "  .map(e => parseFloat(getComputedStyle(e).fontSize));"
                "return [root.scrollWidth - root.clientWidth, outside.map(e => e.className),"
                "  Math.min(...type)]"
            )
            assert seen[:2] == [0, []], lang
            assert seen[2] >= LEAST_TYPE, lang
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        cut = browser.execute_script(
            "return [...document.querySelectorAll('.wide')]"
            ".filter(e => getComputedStyle(e).overflowX !== 'visible').length"
        )
        assert cut == 0, "paper does not scroll"


def test_one_language_is_shown_and_the_keyboard_changes_it(report: Path, tmp_path: Path) -> None:
    shown = (
        "return [...new Set([...document.querySelectorAll('main span[lang]')]"
        ".filter(e => e.getClientRects().length).map(e => e.lang))]"
    )
    with chromium(tmp_path, width=1280, lang="zh-CN") as browser:
        browser.get(report.as_uri())
        assert browser.execute_script(shown) == ["zh"]
        browser.find_element("id", "show-zh").send_keys(Keys.ARROW_RIGHT)
        assert browser.execute_script(shown) == ["en"]


def test_no_rule_of_the_printed_page_looks_downwards() -> None:
    """`:has()` on the page's root is asked anew for each sheet: 230 of them took eight minutes."""
    css = resources.files("acl_engine.replay.report").joinpath("page.css").read_text("utf-8")
    everywhere = re.sub(r"^@media screen .*?^}|/\*.*?\*/", "", css, flags=re.DOTALL | re.MULTILINE)
    assert "@media print" in everywhere
    assert ":has(" not in everywhere


def test_paper_puts_the_two_companies_side_by_side(report: Path, tmp_path: Path) -> None:
    """A sheet counts as narrow as a phone to a rule that does not say that it is about screens."""
    with chromium(tmp_path, width=800, lang="zh-CN") as browser:
        browser.get(report.as_uri())
        columns = "return getComputedStyle(document.querySelector('.two')).gridTemplateColumns"
        assert len(browser.execute_script(columns).split()) == 1
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert len(browser.execute_script(columns).split()) == 2
