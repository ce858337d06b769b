"""Which registered application a URL belongs to: strict, by parts, never by prefix of text.

INVARIANTS
- https; plain http only to this machine itself, for development.
- No user, no backslash, no control character, no `.` or `..` segment however written, no `ticket`
  of its own: a URL that two programs could read in two ways belongs to nobody.
- Scheme, host and port are equal; the path is the registered one or below it, segment by segment,
  as servers read it: percent-encoding undone, path parameters (`;jsessionid=...`) left out.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from acl_engine.domain.cas import MOST_URL, RegisteredService

# RFC 3986 section 2: what may stand in a URL; everything else comes percent-encoded.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORTS = {"https": 443, "http": 80}


def readable(url: str) -> SplitResult | None:
    """The URL's parts, or None for one that is not plainly a URL of an application."""
    if not url or len(url) > MOST_URL or not _URL.fullmatch(url) or _PERCENT.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if host is None or parts.scheme not in _PORTS or "@" in parts.netloc or port == 0:
        return None
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host) or ".." in host:
        return None
    if parts.scheme == "http" and not loopback(host):
        return None
    if parts.fragment or "#" in url or not _plain_path(parts.path):
        return None
    if any(name == "ticket" for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return None
    return parts


def belongs(url: str, registered: str) -> bool:
    """Whether a URL is at or below a registered one."""
    asked, known = readable(url), readable(registered)
    if asked is None or known is None or _origin(asked) != _origin(known):
        return False
    path, home = (_as_served(one.path) for one in (asked, known))
    root = home.rstrip("/")
    return path in (root, home) or path.startswith(f"{root}/")


def service_of(url: str, services: Iterable[RegisteredService]) -> RegisteredService | None:
    """The registered service of a URL: of several, the one with the longest path."""
    fitting = [one for one in services if belongs(url, one.url)]
    return max(fitting, key=lambda one: len(_as_served(urlsplit(one.url).path)), default=None)


def origin(url: str) -> str:
    """scheme://host[:port], as a browser writes it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def with_parameter(url: str, name: str, value: str) -> str:
    """The URL with one more parameter; `value` holds nothing that needs encoding."""
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"


def loopback(host: str) -> bool:
    """Whether the name is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _plain_path(path: str) -> bool:
    """No empty middle segment, no dots, nothing that decodes into a separator or a control."""
    once = unquote(path, errors="replace")
    if any(ord(char) < 0x20 or char in "\\\x7f\ufffd" for char in once):
        return False
    if any(coded in path.lower() for coded in ("%2f", "%5c", "%25")):
        return False
    segments = _as_served(path).split("/")
    return not any(one in (".", "..") for one in segments) and "" not in segments[1:-1]


def _as_served(path: str) -> str:
    """The path that a server looks up: many decode it, and leave out what stands behind `;`."""
    return "/".join(one.partition(";")[0] for one in unquote(path, errors="replace").split("/"))
