"""The central login: tickets validated, logins, revocation, and open connections.

Tickets are validated over HTTP by one server process on one core, beside a bare Starlette
application under the same server. Each validation is durable: the ticket used up, and its record,
in one commit that callers share. The floor is such a commit by one thread that shares it with none.
"""

import argparse
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import insert, text
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from acl_engine.bootstrap import Engine, Keys
from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.provider import Switchboard
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import load as load_settings
from acl_engine.domain.cas import RegisteredService, TicketKind
from acl_engine.identity.cas_tickets import hash_ticket, ticket
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.sessions import hash_token
from acl_engine.identity.totp import code_at
from acl_engine.policy.pack import load_pack
from acl_engine.replay.asking import Watch
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.transport import Site
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import cas_tickets
from acl_engine.web.app import application
from bench._load import Load, load, served
from bench._table import Table, Target, progress

TITLE = "The central login: tickets, logins, connections"
APP = "https://app.example/"
PARCELS = 300
CALLERS = 32
CONNECTIONS = 10_000


@dataclass(frozen=True, slots=True)
class World:
    """A company on disk, one of its people logged in, and the clock that all live by."""

    url: str
    database: Database
    stage: Stage
    offset: int

    @property
    def flags(self) -> dict[str, object]:
        return {"database": self.url, "serve.clock_offset": self.offset}


@contextmanager
def world() -> Iterator[World]:
    company = small_world(project_root())
    truth = Truth(company, PARCELS)
    pack = load_pack(project_root() / "policies" / "courier" / "after")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        with create_or_upgrade(url) as database:
            build_world(database, company, PARCELS, synthetic_sealing(SEED))
            SqlServiceRegistry(database).add(RegisteredService("app", APP, "App"), "bench", 0)
            clock, keys = SteppedClock(NOW), Keys.synthetic(SEED)
            # As an operator's engine: replay's own would hash passwords at a token cost.
            engine = Engine.open(database=database, pack=pack, clock=clock, keys=keys)
            site = Site(engine, database, pack, clock, keys)
            stage = Stage(site, clock, truth, False, Watch(), Switchboard(clock))
            yield World(url, database, stage, int(NOW.timestamp()) - int(time.time()))


def plain() -> Starlette:
    """The ceiling: a handler that does nothing."""
    return Starlette(routes=[Route("/", lambda request: JSONResponse({"user": "courier-88"}))])


def plain_async() -> Starlette:
    async def answer(request: object) -> JSONResponse:
        return JSONResponse({"user": "courier-88"})

    return Starlette(routes=[Route("/", answer)])


def service(flags: dict[str, object]) -> object:
    return application(Service.open(load_settings(None, flags, {}).settings))


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: login.example\r\n\r\n".encode()


def tickets(made: World, token: str, count: int) -> list[bytes]:
    """Requests that each validate a ticket of their own; stocked in one commit, good for long."""
    made_now = [ticket(TicketKind.SERVICE) for _ in range(count)]
    now = made.stage.now
    rows = [
        {
            "ticket_hash": hash_ticket(one),
            "kind": TicketKind.SERVICE.value,
            "service": "app",
            "url": APP,
            "session": hash_token(token),
            "fresh": False,
            "proxies": "[]",
            "issued_at": now,
            "expires_at": now + 3600,
        }
        for one in made_now
    ]
    with made.database.write() as cx:
        cx.execute(insert(cas_tickets), rows)
    return [
        request("/cas/serviceValidate?" + urlencode({"service": APP, "ticket": one}))
        for one in made_now
    ]


def logged_in(made: World) -> str:
    truth = made.stage.truth
    code = code_at(truth.totp("courier-88"), made.stage.now)
    password = truth.password("courier-88", weak=False)
    device = made.stage._proof("pda-88")
    return made.stage.engine.login("courier-88", password, totp=code, device=device)


def commits(made: World, count: int) -> float:
    """Durable commits a second, one thread, nothing else done."""
    started = time.perf_counter()
    for at in range(count):
        with made.database.write() as cx:
            cx.execute(text("INSERT INTO cas_spent VALUES (:h, 0)"), {"h": f"bench-{at}"})
    return count / (time.perf_counter() - started)


def validations(made: World, token: str, count: int) -> Table:
    progress("validating tickets")
    many = count * 20
    with served(plain_async) as port:
        ceiling = load(port, [request("/")] * many, b"courier-88", CALLERS)
    with served(plain) as port:
        threaded = load(port, [request("/")] * many, b"courier-88", CALLERS)
    with served(service, made.flags) as port:
        health = load(port, [request("/healthz")] * many, b"alive", CALLERS)
        full = load(port, tickets(made, token, count), b"authenticationSuccess", CALLERS)
        half = load(
            port, tickets(made, token, count), b"authenticationSuccess", CALLERS, full.rate / 2
        )
    floor = commits(made, 300)
    rows = [
        _row("bare Starlette, async handler (the ceiling)", ceiling, ceiling.rate),
        _row("bare Starlette, handler in a thread", threaded, ceiling.rate),
        _row("/healthz through all layers", health, ceiling.rate),
        _row(f"/serviceValidate, {CALLERS} callers", full, ceiling.rate),
        _row("/serviceValidate, half that rate", half, ceiling.rate),
        ["a durable commit, one thread (the floor)", f"{floor:,.0f}", *[""] * 4],
    ]
    runs = (("at full rate", full), ("at half", half))
    missing = [f"{name} {one.of(count)}" for name, one in runs if one.good != count]
    return Table(
        ["what", "a second", "of the ceiling", "CPU each", "p50", "p99"],
        rows,
        f"{count:,} tickets a run, SQLite on disk, one core for the server",
        [
            Target("every ticket is good, once", "; ".join(missing) or "all", not missing),
            Target(
                "validations at no less than 60 % of the floor",
                f"{full.rate / floor:.0%}",
                full.rate >= 0.6 * floor,
            ),
        ],
    )


def _row(name: str, one: Load, ceiling: float) -> list[str]:
    share = f"{one.rate / ceiling:.0%}"
    times = [f"{seconds * 1e3:.1f} ms" for seconds in (one.p50, one.p99)]
    return [name, f"{one.rate:,.0f}", share, f"{one.cpu * 1e3:.2f} ms", *times]


def logins(made: World, count: int) -> Table:
    """A whole login and its hash alone, in turn, so that both meet the same machine."""
    progress("logging in")
    password, passwords = (
        made.stage.truth.password("courier-89", weak=False),
        Passwords.production(),
    )
    stored = passwords.hash(password)
    _login(made, password)  # the world's cheap hash is made anew with production's parameters
    alone = whole = 0.0
    for _ in range(count):
        started = time.perf_counter()
        passwords.verify(stored, password)
        alone += time.perf_counter() - started
        whole += _login(made, password)
    share = alone / whole
    return Table(
        ["what", "a second"],
        [
            ["Argon2id alone (production's: 64 MiB, 3 passes, 4 lanes)", f"{count / alone:.1f}"],
            ["a whole login, its stored hash of the same", f"{count / whole:.1f}"],
        ],
        "One login at a time: the hash is what it costs",
        [Target("at least 70 % of the hash alone", f"{share:.0%}", share >= 0.7)],
    )


def _login(made: World, password: str) -> float:
    """Seconds that one login takes, in the next step of the authenticator."""
    made.stage.clock.advance(30)
    code = code_at(made.stage.truth.totp("courier-89"), made.stage.now)
    device = made.stage._proof("pda-89")
    started = time.perf_counter()
    made.stage.engine.login("courier-89", password, totp=code, device=device)
    return time.perf_counter() - started


def revocation(made: World, token: str) -> Table:
    progress("revoking")
    with served(service, made.flags) as port:
        before = load(port, tickets(made, token, 20), b"authenticationSuccess", 1)
        left = tickets(made, token, 20)
        with Administration.open(made.url, made.stage.site.pack) as desk:
            desk.suspend("courier-88", "acct-admin-01")
        after = load(port, left, b"authenticationSuccess", 1)
    met = before.good == 20 and after.good == 0
    return Table(
        ["tickets of one session, offered to another process", "good"],
        [["before the account is suspended", f"{before.good}"], ["after", f"{after.good}"]],
        "Revocation counts at the next decision",
        [Target("no ticket is good after the suspension", f"{after.good}", met)],
    )


def connections(made: World, count: int) -> Table:
    """`acl serve` as it is, with its default limits, and strangers who hold on to connections."""
    progress(f"opening {count:,} connections")
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "XDG_STATE_HOME": folder, "ACL_LIMITS_HEADER_SECONDS": "120"}
        command = [sys.executable, "-m", "acl_engine", "serve", "--port", "0"]
        process = subprocess.Popen(
            [*command, "--database", made.url], env=environ, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            port = int(line.rpartition(":")[2])
            trust = Path(folder) / "acl-engine" / "development.pem"
            context = ssl.create_default_context(cafile=str(trust))
            empty, first = _memory(process.pid), _latency(port, context)
            held: list[ssl.SSLSocket] = []
            for _ in range(count):
                held.append(_open(port, context))
            full, second = _memory(process.pid), _latency(port, context)
            for one in held[-500:]:
                _slowly(one)
            slow, third = _memory(process.pid), _latency(port, context)
            for one in held:
                one.close()
        finally:
            process.terminate()
            process.communicate()
    rows = [
        ["none", f"{empty:.0f} MB", f"{first * 1e3:.0f} ms"],
        [f"{count:,} opened, idle", f"{full:.0f} MB", f"{second * 1e3:.0f} ms"],
        ["and 500 of them with a body that never ends", f"{slow:.0f} MB", f"{third * 1e3:.0f} ms"],
    ]
    grown = max(full, slow) - empty
    return Table(
        ["connections held by strangers", "memory", "a new caller's /readyz over TLS, median"],
        rows,
        "Open connections, default limits (2,000 are kept; the one idle longest makes room)",
        [
            Target("memory grows by 512 MB at most", f"{grown:.0f} MB", grown <= 512),
            Target("others are served within a second", f"{max(second, third):.2f} s",
                   max(second, third) < 1),
        ],
    )  # fmt: skip


def _open(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain_socket = socket.create_connection(("127.0.0.1", port), timeout=30)
    return context.wrap_socket(plain_socket, server_hostname="localhost")


def _slowly(one: ssl.SSLSocket) -> None:
    try:
        one.sendall(
            b"POST /cas/login HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nusername="
        )
    except OSError:
        return  # it was closed to make room


def _latency(port: int, context: ssl.SSLContext) -> float:
    times = []
    for _ in range(11):
        started = time.perf_counter()
        with _open(port, context) as one:
            one.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert b" 200 " in one.recv(100)
        times.append(time.perf_counter() - started)
    return sorted(times)[5]


def _memory(pid: int) -> float:
    """Resident megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(arguments: list[str]) -> Iterator[Table]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=1500)
    parser.add_argument("--logins", type=int, default=18)  # 20 in all would meet the throttle
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    options = parser.parse_args(arguments)
    with world() as made:
        token = logged_in(made)
        yield validations(made, token, options.tickets)
        yield logins(made, options.logins)
        yield revocation(made, token)
        yield connections(made, options.connections)
