"""Bounds on what one request may bring, checked before any handler runs.

    (1) line        the query's length, and how many parameters stand in it
    (2) length      a body that says it is too long is refused unread
    (3) body        it is read whole, within its time and its bytes
    (4) room        so many requests at work at once; the next one is told to come back

INVARIANTS
- A handler gets a whole body or is not called: a slow sender holds a buffer, never a thread.
- What counts as at work is what has arrived: slow senders take no place from the others.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acl_engine.bootstrap.settings import Limits
from acl_engine.domain.text import Text
from acl_engine.web.heads import headers_of
from acl_engine.web.problems import UNAVAILABLE, Refused, respond

TOO_LARGE = Text(
    "web.too-large",
    "请求正文超过 {most} 字节",
    "the body is larger than {most} bytes",
    "缩小后重试",
    "send less",
)
TOO_SLOW = Text(
    "web.too-slow",
    "请求正文未在 {seconds} 秒内收完",
    "the body did not arrive within {seconds} s",
    "检查网络后重试",
    "check the network and try again",
)
TOO_MANY = Text(
    "web.too-many-parameters",
    "参数多于 {most} 个",
    "more than {most} parameters",
    "减少参数",
    "send fewer",
)
# A query longer than this is no honest one: URLs of services are at most 2,048 characters.
MOST_QUERY = 12_288


class BodyLimits:
    """The middleware. `bodies`: the most bytes below a path, where it is not the settings' own."""

    def __init__(self, app: ASGIApp, limits: Limits, bodies: Mapping[str, int]) -> None:
        self._app = app
        self._limits = limits
        self._bodies = sorted(bodies.items(), key=lambda one: -len(one[0]))
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check_line(scope)
            body = await self._read(scope, receive)
            if self._at_work >= self._limits.requests:
                raise Refused(503, UNAVAILABLE.of(), Retry_After="1")
        except Refused as refused:
            await respond(Request(scope), refused)(scope, receive, send)
            return
        if body is None:
            return  # the caller went away
        self._at_work += 1
        try:
            await self._app(scope, _replay(body, receive), send)
        finally:
            self._at_work -= 1

    def _check_line(self, scope: Scope) -> None:
        query: bytes = scope["query_string"]
        if not query:
            return
        most = self._limits.parameters
        if query.count(b"&") + query.count(b";") >= most:
            raise Refused(400, TOO_MANY.of(most=most), Connection="close")
        if len(query) > MOST_QUERY:
            raise Refused(414, TOO_LARGE.of(most=MOST_QUERY), Connection="close")

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        headers, most = headers_of(scope), self._most(scope["path"])
        told = headers.get(b"content-length", b"0")
        # Of a bytes object `isdigit` means ASCII digits.
        if not told.isdigit() or len(told) > 12 or int(told) > most:
            raise Refused(413, TOO_LARGE.of(most=most), Connection="close")
        if told == b"0" and b"transfer-encoding" not in headers:
            return b""
        reading = _whole(receive, most)
        try:
            waiting = reading.send(None)
        except StopIteration as arrived:  # as most have: then there is no time to watch over
            found: bytes | None = arrived.value
            return found
        seconds = self._limits.body_seconds
        try:
            async with asyncio.timeout(seconds):
                return await _gone_on_with(reading, waiting)
        except TimeoutError:
            raise Refused(408, TOO_SLOW.of(seconds=seconds), Connection="close") from None

    def _most(self, path: str) -> int:
        for prefix, most in self._bodies:
            if path == prefix or path.startswith(f"{prefix}/"):
                return most
        return self._limits.body_bytes


async def _whole(receive: Receive, most: int) -> bytes | None:
    """The body, or None when the caller hung up. Raises Refused beyond `most` bytes."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        length += len(part)
        if length > most:
            raise Refused(413, TOO_LARGE.of(most=most), Connection="close")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


@types.coroutine
def _gone_on_with(
    begun: Coroutine[Any, Any, bytes | None], waiting: Any
) -> Generator[Any, Any, bytes | None]:
    """The rest of a coroutine that has been started by hand and waits for `waiting`."""
    try:
        yield waiting
    except BaseException as thrown:
        begun.throw(thrown)
        raise
    return (yield from begun.__await__())


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then waits for the caller to go away."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
