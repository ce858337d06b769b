"""The outermost layer: request ids, security headers, one log line a request, nothing unhandled.

INVARIANTS
- Every answer carries the request's id and the security headers; a handler may only add to them.
- A caller's own id is given back only by a handler that has looked at it; ours stands in the log.
- The log line holds the route, never the path's values or the query: tickets and keys stand there.
"""

import logging
import time
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acl_engine.domain.request_id import new_request_id
from acl_engine.web.heads import headers_of
from acl_engine.web.log_lines import shortest_way
from acl_engine.web.problems import respond

log = logging.getLogger("acl.web")

# Nothing from elsewhere, nothing framed, no script. A page that needs more says so itself.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Content-Security-Policy", POLICY),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
_NAMES = frozenset(name for name, _ in _RAW)
_ID = b"x-request-id"


class Seen(NamedTuple):
    """One request, answered, as metrics and traces may know it: the route, never its values.

    `ended` is in epoch nanoseconds; `parent` is the caller's `traceparent`, unread.
    """

    number: str
    method: str
    route: str
    status: int
    seconds: float
    ended: int
    parent: str


Observer = Callable[[Seen], None]


class Outermost:
    """The ASGI application around all others. `observers` are told of each request."""

    def __init__(self, app: ASGIApp, observers: Sequence[Observer] = ()) -> None:
        self._app = app
        self._observers = observers
        self._say = shortest_way(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = scope["acl.request"] = new_request_id()
        started = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(message, number)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            if status == 0:
                await respond(Request(scope), error)(scope, receive, sending)
        finally:
            self._tell(scope, number, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, number: str, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        took = f"{seconds * 1000:.1f}"
        self._say(f"request={number} method={method} route={route} status={status} ms={took}")
        if self._observers:
            parent = headers_of(scope).get(b"traceparent", b"")
            seen = Seen(
                number, method, route, status, seconds, time.time_ns(), parent.decode("latin-1")
            )
            for observer in self._observers:
                observer(seen)


def _harden(message: MutableMapping[str, Any], number: str) -> None:
    """Add what the handler has not said itself. ASGI's header names are lower-case bytes."""
    headers = message["headers"] = list(message.get("headers", ()))
    said = {name for name, _ in headers}
    headers += _RAW if _NAMES.isdisjoint(said) else [one for one in _RAW if one[0] not in said]
    if _ID not in said:
        headers.append((_ID, number.encode()))


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method.isalpha() and len(method) < 12 else "?"


def _route(scope: Scope) -> str:
    """The route's pattern: what was asked for, without what was asked about."""
    path = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{path}" if path else "-"
