"""Bounds on connections, below HTTP: header bytes, time to send them, how many at once.

uvicorn waits for ever for the rest of a header and keeps as many connections as there are; this
protocol does not.

INVARIANTS
- A connection that has sent no whole request within its time is closed.
- At the limit, the connection that has been without a whole request for longest makes room for a
  new one: whoever holds connections open cannot keep the others out.
- Whoever was turned away and does not hang up is cut off: a file is held for a moment, not for as
  long as they like.
"""

from asyncio import TimerHandle, Transport
from collections import OrderedDict
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from acl_engine.bootstrap.settings import Limits

# TLS says good-bye both ways; one that is turned away has so long to say it, and so many may.
_FAREWELL_SECONDS = 1.0
_MOST_LEAVING = 64
_REASONS = {
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 within limits. Use `bounded`, which makes the class for some limits."""

    limits: ClassVar[Limits]
    waiting: ClassVar["OrderedDict[BoundedProtocol, None]"]
    leaving: ClassVar["OrderedDict[BoundedProtocol, TimerHandle]"]

    _deadline: TimerHandle | None = None
    _begun = False  # a request of which not all headers have come
    _reading_headers = True
    _header_bytes = 0
    _turned_away = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()
        self.waiting[self] = None
        if len(self.connections) - len(self.leaving) > self.limits.connections:
            oldest = next(iter(self.waiting))
            oldest.turn_away(503)
        if len(self.leaving) > _MOST_LEAVING:
            next(iter(self.leaving)).cut_off()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self.waiting.pop(self, None)
        if timer := self.leaving.pop(self, None):
            timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._turned_away:
            return
        if self._reading_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        # A header that never ends is held by the parser: count what went in.
        if self._reading_headers and self._header_bytes > self.limits.header_bytes:
            self.turn_away(431)
        # Most requests come whole: there is nothing to wait for then. Empty lines begin none, but
        # they end uvicorn's own wait for the next one.
        elif (self._begun or self._idle()) and self._deadline is None and not self._turned_away:
            self._set_deadline()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._line_bytes, self._begun = 0, True

    def on_url(self, url: bytes) -> None:
        self._line_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._line_bytes += len(name) + len(value) + 4
        if self._line_bytes <= self.limits.header_bytes:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._reading_headers, self._header_bytes, self._begun = False, 0, False
        self._cancel_deadline()
        if self._turned_away:  # what was sent behind the request that was refused
            return
        if self._line_bytes > self.limits.header_bytes:
            self.turn_away(431)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._turned_away:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading_headers = True
        if not self._turned_away:
            self.waiting.pop(self, None)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # One that closes, too: over TLS it waits for a good-bye that may never come.
        if self in self.connections and not self._turned_away:
            self.waiting[self] = None

    def turn_away(self, status: int) -> None:
        """One line of refusal, then the end of the connection."""
        self._turned_away = True
        self._cancel_deadline()
        self.waiting.pop(self, None)
        if self.transport.is_closing():  # answered, and waits for the other side's good-bye
            self.cut_off()
            return
        head = b"HTTP/1.1 %d %s\r\n" % (status, _REASONS[status])
        self.transport.write(head + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.leaving[self] = self.loop.call_later(_FAREWELL_SECONDS, self.cut_off)
        self.transport.close()

    def cut_off(self) -> None:
        """The end, whatever the other side has still to say."""
        if timer := self.leaving.pop(self, None):
            timer.cancel()
        self.transport.abort()

    def _idle(self) -> bool:
        """Whether nothing is at work, and nothing of a next request has come."""
        return self._reading_headers and (self.cycle is None or self.cycle.response_complete)

    def _set_deadline(self) -> None:
        seconds = self.limits.header_seconds
        self._deadline = self.loop.call_later(seconds, self.turn_away, 408)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol for one server: its limits, and the connections that wait."""
    own = {"limits": limits, "waiting": OrderedDict(), "leaving": OrderedDict()}
    return type("Bounded", (BoundedProtocol,), own)
