"""The distribution's Chromium, driven; skipped with the reason where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def chromium(folder: Path, *, width: int, lang: str, script: bool = True) -> Iterator[Any]:
    """A headless browser `width` CSS pixels wide. `script` False: JavaScript is off."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("Chromium and its driver are not installed: make system-deps")
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--ignore-certificate-errors", f"--window-size={width},900", "--no-first-run",
        f"--user-data-dir={folder}", "--disable-background-networking", f"--accept-lang={lang}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    preferences: dict[str, object] = {"intl.accept_languages": lang}
    if not script:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", preferences)
    service = selenium.ChromeService(executable_path=driver)
    browser = selenium.Chrome(options=options, service=service)
    try:
        # Headless windows have a least width: the viewport itself is set.
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.set_page_load_timeout(30)
        yield browser
    finally:
        browser.quit()


def complaints(browser: Any) -> list[str]:
    """What the browser's console holds of errors."""
    return [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]


def too_wide(browser: Any) -> list[str]:
    """Elements that reach beyond the viewport: people would have to scroll sideways."""
    found: list[str] = browser.execute_script(
        "const w = document.documentElement.clientWidth;"
        "return [...document.querySelectorAll('body *')]"
        ".filter(e => e.getBoundingClientRect().right > w + 0.5)"
        ".map(e => e.tagName + '#' + e.id + '.' + e.className)"
    )
    return found
