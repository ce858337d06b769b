"""Calling an ASGI application without a socket: one request, one whole answer."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    form: dict[str, str] | None = None,
    parts: Iterable[bytes] | None = None,
    hang: bool = False,
) -> Answer:
    """One request. `parts` sends the body in pieces; `hang` never sends the end of it."""
    more = list(headers)
    if form is not None:
        body = urlencode(form).encode()
        more.append(("content-type", "application/x-www-form-urlencoded"))
    pieces = list(parts) if parts is not None else [body]
    if not any(name == "content-length" for name, _ in more) and parts is None and body:
        more.append(("content-length", str(len(body))))
    if parts is not None:
        more.append(("transfer-encoding", "chunked"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in more],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
        "state": {},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if pieces:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces) or hang}
        if hang:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start = next(one for one in sent if one["type"] == "http.response.start")
    whole = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    found = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], found, whole)
