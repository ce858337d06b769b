"""HTTPS from here outwards: proxy callbacks, farewells, the telephone provider. Implements
`cas.Outbound`.

INVARIANTS
- Certificates and names are verified; plain http goes to this machine itself alone.
- No redirect is followed: an application that answers 302 has answered.
- One call takes `seconds` at most, however slowly the other side drips; of a body no more is read
  than was asked for.
- No proxy of the environment, no cookie, no credentials.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text
from acl_engine.identity.service_url import loopback

BAD_AUTHORITIES = Text(
    "outbound.bad-authorities",
    "根证书文件 `{file}` 不可用",
    "the file of trusted authorities `{file}` cannot be used",
    "给出 PEM 格式的根证书",
    "give root certificates in PEM",
)
# Calls at once: a slow application must not hold all threads of the service.
_AT_ONCE = 8


class HttpsOutbound:
    """`authorities`: a PEM file of roots to trust instead of the system's; None: the system's."""

    def __init__(self, authorities: str | None, seconds: float) -> None:
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        try:
            self._context = ssl.create_default_context(cafile=authorities)
        except (OSError, ssl.SSLError):
            file = Path(authorities or "").name
            raise ConfigError(BAD_AUTHORITIES.of(file=file)) from None
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def get(self, url: str) -> int:
        return self._call("GET", url, None, {}, 0)[0]

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._call("POST", url, urlencode(fields).encode(), form, 0)[0]

    def exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        """POST a body; the status and the answer, or 0 and nothing: no answer, one longer than
        `most` bytes, or one that took too long."""
        return self._call("POST", url, body, headers, most)

    def _call(
        self, method: str, url: str, body: bytes | None, more: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        parts = urlsplit(url)
        headers = {"User-Agent": "acl-engine", "Connection": "close", "Accept": "*/*", **more}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not self._room.acquire(timeout=self._seconds):
            return 0, b""
        try:
            connection = self._connection(parts.scheme, parts.hostname or "", parts.port)
            status, answer = self._answer(connection, method, target, body, headers, most)
            return (0, b"") if len(answer) > most else (status, answer)
        except (OSError, http.client.HTTPException, ValueError):
            return 0, b""
        finally:
            self._room.release()

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self._seconds, context=self._context
            )
        if scheme == "http" and loopback(host):
            return http.client.HTTPConnection(host, port, timeout=self._seconds)
        raise ValueError("neither https nor this machine")

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        most: int,
    ) -> tuple[int, bytes]:
        deadline = threading.Timer(self._seconds, _cut, [connection])
        deadline.daemon = True
        deadline.start()
        try:
            connection.request(method, target, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read(most + 1) if most else b""
        finally:
            deadline.cancel()
            connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    """Time is up: wake whoever reads. The thread that called closes the connection."""
    held = connection.sock
    if held is not None:
        try:
            held.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself
