"""A browser on the wire: cookies, redirects and forms over TLS, no script."""

import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urljoin

from tests.cas_world import Page


@dataclass(frozen=True)
class Shown:
    """What the browser ended up with, after redirects."""

    url: str
    status: int
    headers: dict[str, str]
    text: str

    @property
    def page(self) -> Page:
        return Page(self.text)


class WireBrowser:
    def __init__(self, authority: Path) -> None:
        context = ssl.create_default_context(cafile=str(authority))
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.jar),
        )
        self.shown: Shown | None = None

    def go(self, url: str, form: dict[str, str] | None = None) -> Shown:
        data = None if form is None else urlencode(form).encode()
        request = urllib.request.Request(url, data, {"Accept": "text/html"})
        try:
            with self._opener.open(request, timeout=20) as answer:
                return self._show(answer)
        except urllib.error.HTTPError as error:
            with error:
                return self._show(error)

    def send(self, **typed: str) -> Shown:
        """Fill in the form on the page and send it."""
        assert self.shown is not None
        page = self.shown.page
        return self.go(urljoin(self.shown.url, page.action), {**page.fields, **typed})

    def _show(self, answer: urllib.error.HTTPError) -> Shown:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        self.shown = Shown(answer.url, answer.status, headers, answer.read().decode())
        return self.shown
