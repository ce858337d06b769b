"""Several processes on one PostgreSQL serve one login; one of them may be killed at any moment."""

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from acl_engine.audit import record
from acl_engine.domain.cas import RegisteredService
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database, create_or_upgrade
from tests.integration.serving.people import WORLD_TIME, Person
from tests.serving import Reply, Served, service_desk, serving

pytestmark = [pytest.mark.postgres]
ROOT = Path(__file__).parents[3]
APP = "https://app.example/"
# What a caller sees of a process that was killed: refused, reset, or cut off in an answer.
GONE = (OSError, http.client.HTTPException)


# The same for every test of this file: they are in one world, where a code works once.
ONE, OTHER = Person("courier-88"), Person("courier-89")


@dataclass
class Two:
    """Two services over one database, with one certificate."""

    first: Served
    second: Served
    url: str

    def log_in(self, person: Person) -> str:
        """On the first; the session's cookie."""
        page = self.first.ask("/cas/login")
        browser = (page.header("set-cookie") or "").partition(";")[0]
        lt = page.text.partition('name="lt" value="')[2].partition('"')[0]
        typed = {**person.typed(lt), "lt": lt}
        answer = self.first.ask("/cas/login", form=typed, headers={"Cookie": browser})
        assert answer.status == 303, answer.text
        return (answer.header("set-cookie") or "").partition(";")[0]


@pytest.fixture(scope="module")
def world_url(postgres_server: Any, postgres_admin: Any) -> Iterator[str]:
    """The small company on PostgreSQL."""
    postgres_admin.execute("CREATE DATABASE acl_served TEMPLATE acl_template STRATEGY file_copy")
    url = postgres_server.get_uri("acl_served")
    with create_or_upgrade(url) as database:
        build_world(database, small_world(ROOT), 300, synthetic_sealing(SEED))
    with service_desk(url) as desk:
        desk.add(RegisteredService("app", APP, "App", ("name",)), "acct-admin-01")
    yield url
    postgres_admin.execute("DROP DATABASE acl_served WITH (FORCE)")


@pytest.fixture
def two(world_url: str, tmp_path: Path) -> Iterator[Two]:
    with ExitStack() as stack:
        started = []
        for name in ("a", "b"):
            folder = tmp_path / name
            arguments = ("--database", world_url)
            started.append(stack.enter_context(serving(folder, *arguments, **WORLD_TIME)))
        yield Two(*started, world_url)


def ticket(served: Served, cookie: str) -> str:
    answer = served.ask(f"/cas/login?{urlencode({'service': APP})}", headers={"Cookie": cookie})
    assert answer.status == 303, answer.text
    return parse_qs(urlsplit(answer.header("location") or "").query)["ticket"][0]


def validate(served: Served, one: str) -> Reply:
    query = urlencode({"ticket": one, "service": APP, "format": "JSON"})
    return served.ask(f"/cas/p3/serviceValidate?{query}")


def good(reply: Reply) -> bool:
    return "authenticationSuccess" in json.loads(reply.body)["serviceResponse"]


def test_one_login_tickets_and_logout_over_two_processes(two: Two) -> None:
    cookie = two.log_in(ONE)
    for there, here in ((two.second, two.first), (two.first, two.second)):
        assert good(validate(here, ticket(there, cookie)))
    for _ in range(3):
        one = ticket(two.second, cookie)
        both = [two.first, two.second] * 4
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(lambda served, one=one: good(validate(served, one)), both))
        assert seen.count(True) == 1
    late = ticket(two.second, cookie)
    two.first.ask("/cas/logout", headers={"Cookie": cookie})
    assert not good(validate(two.second, late))
    again = two.second.ask(f"/cas/login?{urlencode({'service': APP})}", headers={"Cookie": cookie})
    assert again.status == 200  # the form


def test_kill_9_of_one_process_under_load(two: Two) -> None:
    """No ticket is good twice, no confirmed session is lost, nothing answered without a record."""
    cookie = two.log_in(OTHER)
    key = Truth(small_world(ROOT), 300).by_name["load-89"].waybill_no
    seen: Counter[str] = Counter()
    looked: list[str] = []
    guard, killed, stop = threading.Lock(), threading.Event(), threading.Event()

    def take(number: int) -> None:
        """One ticket after another from one process, each offered to both."""
        mine = two.first if number % 2 else two.second
        while not stop.is_set():
            try:
                one = ticket(mine, cookie)
            except GONE:
                if mine is two.second or not killed.is_set():
                    raise
                mine = two.second
                continue
            looks = look(mine, cookie, key)
            oks = [offer(served, one) for served in (two.first, two.second)]
            with guard:
                seen[one] = sum(oks)
                looked.extend(looks)

    def offer(served: Served, one: str) -> bool:
        try:
            return good(validate(served, one))
        except GONE:
            if served is two.second or not killed.is_set():
                raise
            return False

    with ThreadPoolExecutor(6) as pool:
        loads = [pool.submit(take, number) for number in range(6)]
        try:
            _until(lambda: len(seen) >= 20, loads)
            late = two.log_in(ONE)  # confirmed by the one that is killed now
            killed.set()
            os.kill(two.first.process.pid, signal.SIGKILL)
            before = len(seen)
            _until(lambda: len(seen) >= before + 20, loads)
        finally:
            stop.set()
        for load in loads:
            load.result()
    assert max(seen.values()) == 1
    assert good(validate(two.second, ticket(two.second, cookie)))
    assert good(validate(two.second, ticket(two.second, late)))
    with Database.open(two.url) as database:
        log = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        recorded = Counter(e.action for _, e in log.entries() if e.effect == "allow")
        kinds = {one: [e.kind for e in log.of_request(one)] for one in looked}
    assert len(looked) > 5
    assert all(found == ["intent", "outcome"] for found in kinds.values())
    assert recorded["cas.validate"] >= sum(seen.values())
    assert recorded["cas.ticket"] >= len(seen)


def look(served: Served, cookie: str, key: str) -> list[str]:
    """The number of an audited look that was answered, if it was."""
    token = cookie.partition("TGT-")[2]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        answer = served.ask("/v1/lookup", body=json.dumps({"key": key}).encode(), headers=headers)
    except GONE:
        return []
    assert answer.status in (200, 403), answer.text  # 403: the day's budget is spent
    return [json.loads(answer.body)["request"]] if answer.status == 200 else []


def test_workers_share_one_port_and_a_dead_one_is_replaced(world_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--database", world_url, "--workers", "2", **WORLD_TIME) as served:
        assert served.ask("/readyz").status == 200
        children = _children(served.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(_children(served.process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(_children(served.process.pid)) == 2
        assert served.ask("/readyz").status == 200
        assert served.stop() == 0
    assert _children(served.process.pid) == []


def _until(done: Callable[[], bool], loads: list[Future[None]]) -> None:
    """Wait until it is so; no longer than any caller goes on, and a minute at most."""
    deadline = time.monotonic() + 60
    while not done() and not any(one.done() for one in loads):
        assert time.monotonic() < deadline, "the callers are not served"
        time.sleep(0.02)


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []
