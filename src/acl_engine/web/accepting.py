"""Accepting connections, with a bound on those whose TLS handshake is not over.

The event loop's own server accepts whoever comes and holds each for as long as a handshake may
take: some thousand plain connections that say nothing take every file that the process may open,
and nobody else is let in.

INVARIANTS
- At the limit, the handshake that was begun first makes room: holding many keeps nobody out.
- Without a file to spare nothing is accepted for a moment, and what is open is served.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable

# A handshake is a few round trips; an unfinished one holds a file and a buffer.
_HANDSHAKE_SECONDS = 10.0
# So many are accepted in one go, then those that are there have their turn.
_AT_ONCE = 64
_PAUSE_SECONDS = 0.1
_SAY_SECONDS = 60.0
# The network of one that was about to come in; accept(2) reports it, and asks to go on.
_OF_THE_PEER = {
    errno.ENETDOWN,
    errno.EPROTO,
    errno.ENOPROTOOPT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EOPNOTSUPP,
    errno.ENETUNREACH,
}
log = logging.getLogger("acl.web")


class Acceptor:
    """What `loop.create_server` gives, over one listening socket: it accepts until it is closed."""

    def __init__(
        self,
        sock: socket.socket,
        make: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        most: int,
    ) -> None:
        """`make`: the protocol of one that has TLS. At most `most` are on the way to it."""
        self._loop = asyncio.get_running_loop()
        self._socket, self._make, self._context, self._most = sock, make, context, most
        self._arriving: OrderedDict[asyncio.Task[None], None] = OrderedDict()
        self._pause: asyncio.TimerHandle | None = None
        self._said = -_SAY_SECONDS
        sock.setblocking(False)
        self._resume()

    def close(self) -> None:
        """Accept nobody any more, and leave those who are not in outside."""
        self._loop.remove_reader(self._socket.fileno())
        if self._pause is not None:
            self._pause.cancel()
        for task in self._arriving:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._arriving, return_exceptions=True)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as failure:
                if failure.errno in _OF_THE_PEER:
                    continue
                self._rest(failure)  # no file, no memory
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._secure(connection))
            self._arriving[task] = None
            task.add_done_callback(self._arrived)
            if len(self._arriving) > self._most:
                oldest, _ = self._arriving.popitem(last=False)
                self._loop.call_soon(oldest.cancel)  # after it has taken its connection

    def _rest(self, failure: OSError) -> None:
        if (now := self._loop.time()) - self._said >= _SAY_SECONDS:
            self._said = now
            log.error("no connection can be accepted: %s", failure.strerror)
        self._loop.remove_reader(self._socket.fileno())
        self._pause = self._loop.call_later(_PAUSE_SECONDS, self._resume)

    async def _secure(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._make,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            )
        except (OSError, ssl.SSLError):  # who speaks no TLS, hangs up or is slow
            connection.close()

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._arriving.pop(task, None)
