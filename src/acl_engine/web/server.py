"""Serving: one process over one listening socket, or several that share it.

INVARIANTS
- A stop lets requests in flight end, for `serve.drain_seconds` at most; what was confirmed stays.
- Workers share the socket, the settings and the database, and nothing else. One that dies is
  replaced; one that cannot start stops them all.
"""

import asyncio
import logging
import resource
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from acl_engine.bootstrap.farewells import Farewells
from acl_engine.bootstrap.lookout import Lookout
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import Limits, Serve, ServerSettings, contradiction
from acl_engine.bootstrap.telephony import Rounds
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text
from acl_engine.web import tls
from acl_engine.web.accepting import Acceptor
from acl_engine.web.app import Life, application
from acl_engine.web.connections import bounded
from acl_engine.web.tracing import tracing

log = logging.getLogger("acl.web")

NO_PORT = Text(
    "serve.no-port",
    "无法在 {host}:{port} 监听：{why}",
    "cannot listen on {host}:{port}: {why}",
    "换一个端口，或停掉占用它的程序",
    "take another port, or stop what holds it",
)
_BACKLOG = 2048
# Files that a process has open besides its connections: the database, logs, libraries.
_OTHER_FILES = 256


def listen(serve: Serve) -> socket.socket:
    """A listening socket. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in serve.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((serve.host, serve.port))
        sock.listen(_BACKLOG)
    except OSError as failure:
        sock.close()
        why = failure.strerror or "?"
        raise ConfigError(NO_PORT.of(host=serve.host, port=serve.port, why=why)) from None
    sock.set_inheritable(True)
    return sock


def room_for(limits: Limits) -> None:
    """Let the process open as many files as it may have connections. Raises ConfigError."""
    wanted = limits.connections + _handshakes(limits) + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise contradiction(f"limits.connections: the system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(service: Service, sock: socket.socket, files: tuple[Path, Path]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reads the certificate anew."""
    service = service.at_port(sock.getsockname()[1])
    context, life = tls.context(*files), Life()
    with tracing(service.settings.telemetry.endpoint) as observers:
        config = _config(application(service, life, observers), service.settings, context)
        server = _Server(config, life)
        signal.signal(signal.SIGHUP, partial(_renew, context, files))
        runner = asyncio.Runner(loop_factory=_loop_factory(_handshakes(service.settings.limits)))
        beside: dict[str, Farewells | Rounds | Lookout] = {
            "farewells": service.central.farewells,
            "dial": Rounds(service.engine),
            "lookout": service.lookout,
        }
        with ExitStack() as working:
            for name, work in beside.items():
                working.enter_context(_beside(work, name))
            working.enter_context(runner)
            runner.run(server.serve(sockets=[sock]))
    log.info("stopped")


@contextmanager
def _beside(work: Farewells | Rounds | Lookout, name: str) -> Iterator[None]:
    """Work of a thread of its own, as long as requests are answered."""
    worker = threading.Thread(target=work.run, name=name, daemon=True)
    worker.start()
    try:
        yield
    finally:
        work.stop()
        worker.join(timeout=10)


def _config(app: ASGIApp, settings: ServerSettings, context: ssl.SSLContext) -> uvicorn.Config:
    limits = settings.limits
    config = uvicorn.Config(
        app,
        http=bounded(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=settings.serve.drain_seconds,
        backlog=_BACKLOG,
    )
    config.load()
    config.ssl = context
    return config


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, life: Life) -> None:
        super().__init__(config)
        self._life = life

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain; a second Ctrl+C stops at once. The signal is answered, not raised again."""
        self._life.draining = True
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _renew(context: ssl.SSLContext, files: tuple[Path, Path], *_: object) -> None:
    try:
        tls.load(context, *files)
        log.info("certificate read anew")
    except ConfigError as error:  # the old one goes on
        log.error("certificate not renewed: %s", error.message.code)


def _handshakes(limits: Limits) -> int:
    """How many connections may be on the way to TLS at once."""
    return limits.connections // 2


def _loop_factory(handshakes: int) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where there is one, with bounds on TLS handshakes."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return type("Loop", (_Bounded, asyncio.SelectorEventLoop), {"handshakes": handshakes})
    return type("Loop", (_Bounded, uvloop.Loop), {"handshakes": handshakes})


class _Bounded:
    """Accepts by `Acceptor`; everything else is the event loop's own."""

    handshakes: int

    async def create_server(
        self,
        make: Callable[[], Any],
        *,
        sock: socket.socket,
        ssl: ssl.SSLContext,
        backlog: int,  # `listen` has set it
    ) -> Acceptor:
        return Acceptor(sock, make, ssl, self.handshakes)
