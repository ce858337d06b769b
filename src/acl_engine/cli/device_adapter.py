"""acl device adapter: a branch's process between its old scanners and the service."""

import logging
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.outbound import HttpsOutbound
from acl_engine.bootstrap.remote_service import RemoteService
from acl_engine.bootstrap.scanner_lines import MOST_BYTES, ScannerLines
from acl_engine.cli.device_answer import device_key
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Lang, Text
from acl_engine.identity.old_scanners import end_of_day

OVER = Text(
    "adapter.over",
    "无密钥巴枪已到停用日期（{day}）",
    "scanners without a key are over (last day {day})",
    "更换为可持有密钥的巴枪",
    "replace them by scanners that hold a key",
)
BAD_SCANNERS = Text(
    "adapter.bad-scanners",
    "`--scanner` 有误：{why}",
    "`--scanner` is wrong: {why}",
    "标准输入给一个 ID；`--listen` 给若干 ID@地址，各不相同",
    "one ID for the standard input; ID@ADDRESS, each once, for `--listen`",
)
NOT_LISTENING = Text(
    "adapter.not-listening",
    "无法在 {place} 监听：{why}",
    "cannot listen at {place}: {why}",
    "换一个地址或端口",
    "take another address or port",
)
LISTENING = Text(
    "adapter.listening", "正在监听 {place}，直到 {day}", "listening at {place}, until {day}"
)
# A scanner that says nothing for so long has been put down: its person's session ends.
_IDLE_SECONDS = 900
_SERVICE_SECONDS = 20.0
# How often the process looks whether the last day is over.
_LOOK_SECONDS = 1.0

Lines = Callable[[str, Callable[[str], None]], ScannerLines]


@click.command("adapter")
@click.option(
    "--service",
    "address",
    required=True,
    metavar="URL",
    envvar="ACL_SERVICE",
    help="https://HOST:PORT of `acl serve` (also ACL_SERVICE).",
)
@click.option("--ca", "authorities", metavar="PEM", help="Roots to trust.  [default: the system's]")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path),
    help="The adapter's private key: 32 bytes that never leave it.",
)
@click.option(
    "--scanner",
    "scanners",
    multiple=True,
    required=True,
    metavar="ID[@ADDRESS]",
    help="A scanner of this branch, as enrolled; with --listen at which address. May be repeated.",
)
@click.option(
    "--until",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day, as the policy's login.legacy_until says; the process ends with it.",
)
@click.option("--listen", metavar="HOST:PORT", help="Take scanners over TCP, not standard input.")
@click.pass_obj
def command(
    lang: Lang,
    address: str,
    authorities: str | None,
    key_file: Path,
    scanners: tuple[str, ...],
    until: datetime,
    listen: str | None,
) -> None:
    """Stand between the old scanners of a branch and the service.

    A scanner says one line, fields apart by a tab: IN login password code; LOOK number; OUT number
    unit; GOT number; BYE. It is told WIPE, SHOW, then OK, NO request, BAD, OFF or END. Number and
    route are all that is ever shown. The person's own login opens the session; the adapter, which
    is enrolled and leased like any device, signs for the scanner, and holds neither a database nor
    any right of its own.

    \b
    acl device adapter --service https://acl.example:8443 --key gate-1.key --until 2026-06-30 \\
        --listen 192.0.2.1:4001 --scanner gun-7@192.0.2.7 --scanner gun-8@192.0.2.8
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    day, ends = until.date().isoformat(), end_of_day(until.date())
    if time.time() >= ends:
        raise ConfigError(OVER.of(day=day))
    places = _places(scanners, listen is not None)
    lines = _lines(address, authorities, device_key(key_file), ends)
    if listen is None:
        _from_stdin(lines, next(iter(places.values())))
    else:
        with _listening(listen, lines, places) as server:
            shown = "{}:{}".format(*server.server_address[:2])
            click.echo(LISTENING.of(place=shown, day=day).render(lang), err=True)
            _serve_until(server, ends)
    if time.time() >= ends:
        click.echo(OVER.of(day=day).render(lang), err=True)


def _lines(address: str, authorities: str | None, key: Ed25519PrivateKey, ends: int) -> Lines:
    service = RemoteService(address.rstrip("/"), HttpsOutbound(authorities, _SERVICE_SECONDS))
    return lambda scanner, say: ScannerLines(service, key, scanner, say, ends)


def _places(scanners: tuple[str, ...], listening: bool) -> Mapping[str, str]:
    """Address -> scanner; '' is the standard input."""
    places: dict[str, str] = {}
    for one in scanners:
        name, _, place = one.partition("@")
        if not name or bool(place) != listening:
            raise ConfigError(BAD_SCANNERS.of(why=one))
        if place in places or name in places.values():
            raise ConfigError(BAD_SCANNERS.of(why=one))
        places[place] = name
    return places


def _from_stdin(lines: Lines, scanner: str) -> None:
    def say(line: str) -> None:
        click.echo(line)

    _converse(sys.stdin.buffer.readline, lines(scanner, say))


def _converse(read: Callable[[int], bytes], talk: ScannerLines) -> None:
    """Line by line, until the scanner hangs up, says nothing for long, or it is over. What goes on
    for longer than a line may is answered as no line, and hung up on."""
    try:
        while raw := read(MOST_BYTES + 1):
            if not talk.take(raw) or len(raw) > MOST_BYTES:
                return
    finally:
        talk.close()


class _Server(socketserver.ThreadingTCPServer):
    """One thread a scanner. A scanner that comes again takes the place of its older line."""

    # Closing it waits for every scanner's session to end.
    allow_reuse_address, daemon_threads = True, False

    def __init__(self, place: tuple[str, int], lines: Lines, places: Mapping[str, str]) -> None:
        self.lines, self.places = lines, places
        self.live: dict[str, socket.socket] = {}
        self.lock = threading.Lock()
        super().__init__(place, _Handler)

    def verify_request(self, request: object, client_address: tuple[str, int]) -> bool:
        """Only from where a scanner stands."""
        if client_address[0] in self.places:
            return True
        logging.getLogger("acl.adapter").warning("a connection from elsewhere was refused")
        return False


class _Handler(socketserver.StreamRequestHandler):
    timeout = _IDLE_SECONDS
    server: _Server

    def handle(self) -> None:
        scanner = self.server.places[self.client_address[0]]
        with self.server.lock:
            older, self.server.live[scanner] = self.server.live.get(scanner), self.connection
        if older is not None:
            _hang_up(older)
        try:
            _converse(self.rfile.readline, self.server.lines(scanner, self._say))
        except OSError:
            return  # it hung up or said nothing for long: its session has ended
        finally:
            with self.server.lock:
                if self.server.live.get(scanner) is self.connection:
                    del self.server.live[scanner]

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\n".encode())


@contextmanager
def _listening(place: str, lines: Lines, places: Mapping[str, str]) -> Iterator[_Server]:
    host, _, port = place.rpartition(":")
    try:
        server = _Server((host, int(port)), lines, places)
    except (OSError, ValueError, OverflowError) as failure:
        why = failure.strerror if isinstance(failure, OSError) else "HOST:PORT"
        raise ConfigError(NOT_LISTENING.of(place=place, why=why or "?")) from None
    with server:
        yield server


def _serve_until(server: _Server, ends: int) -> None:
    """Until the last day is over, or Ctrl-C or SIGTERM; every line is hung up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        while time.time() < ends:
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        server.shutdown()
        with server.lock:
            held = list(server.live.values())
        for one in held:
            _hang_up(one)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was gone already
