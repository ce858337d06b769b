"""Budgets under many callers: a look set aside and charged, on both databases.

Run: python -m bench budgets [--seconds 3]

The courier policy's own limits, raised so that none is met; each look is at one new person. The
couriers are of four branches: those of one share its counter. What is set aside and charged shares
the commits of the look's two records, and these are shared by callers. Beside them, pairs of
commits by one thread, one small row each.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import insert

from acl_engine.audit import record
from acl_engine.bootstrap.clocks import SystemClock
from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.budgets import Seen
from acl_engine.domain.pack import Pack
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.policy.pack import load_pack
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.budgets import BudgetStore
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import challenges
from bench._postgres import own_server
from bench._table import Table, progress
from bench.audit import look

TITLE = "Budgets under many callers"
CALLERS = (1, 8, 64)
UNITS = 4
REQUEST = Request("r", Action.READ, "waybill", "-", (), (), None, None, (), 1, None)
# What a stop shows: area and unit in clear, the name masked.
WEIGHTS = {"address": 100, "name": 10}
COLUMNS = ("database", "callers", "looks/s", "p50", "p99", "CPU a look", "durable pairs/s")
# No limit is met within a bench.
ROOMY = 10**7


def courier(number: int) -> Principal:
    unit = f"unit-{number % UNITS}"
    return Principal(f"c-{number}", f"p-{number}", "courier", unit, "s", f"pda-{number}", "app")


def roomy(pack: Pack) -> Pack:
    """The pack with limits that nobody meets."""
    limits = tuple(
        replace(one, limit=ROOMY, warn=None, step_up=None) for one in pack.settings.budgets
    )
    return replace(pack, settings=replace(pack.settings, budgets=limits))


def store_of(database: Database) -> BudgetStore:
    """The policy's limits, raised."""
    pack = roomy(load_pack(project_root() / "policies" / "courier" / "after"))
    return BudgetStore(database, pack.settings.budgets, SystemClock(), groups=pack.groups)


def floor(url: str, seconds: float) -> float:
    """Pairs of durable commits a second, one small row each."""
    with Database.open(url) as database:
        made, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            row = {"nonce": f"bench-{made}", "device": "d", "expires_at": 0}
            with database.write() as cx:
                cx.execute(insert(challenges).values(row))
            made += 1
        return made / 2 / (time.perf_counter() - start)


def looks(url: str, callers: int, seconds: float) -> tuple[list[float], float, float]:
    """The seconds of every look, in order; how long the run took; its processor time."""
    with Database.open(url) as database:
        store = store_of(database)
        log = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        times: list[list[float]] = [[] for _ in range(callers)]
        end = time.perf_counter() + seconds

        def call(number: int) -> None:
            who = courier(number)
            while (now := time.perf_counter()) < end:
                whom = f"{number}-{len(times[number])}-{callers}"
                aside = store.reserve(who, REQUEST, 1, WEIGHTS)
                log.append(look(number), aside)
                seen = [Seen(data, whom, n) for data, n in WEIGHTS.items()]
                log.append(look(number), store.settle(aside.result(), 1, seen))
                times[number].append(time.perf_counter() - now)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
        start, busy = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent, busy = time.perf_counter() - start, time.process_time() - busy
    return sorted(one for mine in times for one in mine), spent, busy


def measure(name: str, url: str, seconds: float) -> Iterator[list[str]]:
    create_or_upgrade(url).close()
    best = floor(url, seconds)
    for callers in CALLERS:
        progress(f"{name}, {callers} callers")
        times, spent, busy = looks(url, callers, seconds)
        count = len(times)
        yield [
            name,
            str(callers),
            f"{count / spent:,.0f}",
            f"{times[count // 2] * 1000:.1f} ms",
            f"{times[int(count * 0.99)] * 1000:.1f} ms",
            f"{busy / count * 1e6:,.0f} us",
            f"{best:,.0f}",
        ]


def main(arguments: list[str]) -> Iterator[Table]:
    """Both databases, with 1, 8 and 64 callers in threads of one process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="of each run (default: 3)")
    seconds = parser.parse_args(arguments).seconds
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure("SQLite", f"sqlite:///{folder}/b.db", seconds))
        server = own_server(f"{folder}/pg")
        try:
            rows += measure("PostgreSQL", server.get_uri(), seconds)
        finally:
            server.cleanup()
    yield Table(COLUMNS, rows)
