"""The lookup API over HTTP on one core, beside a bare Starlette application under uvicorn.

Ours runs with what `acl serve` adds: bounds on connections, and the log's line for each request.
A decision alone reads what it decides on from the database, live, and writes nothing. A lookup is
two durable records besides.
"""

import argparse
import itertools
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import Limits
from acl_engine.bootstrap.settings import load as load_settings
from acl_engine.domain.request import Query
from acl_engine.identity.service_tokens import new_token
from acl_engine.identity.standing import Rules
from acl_engine.storage.database import Database
from bench._load import Load, load, served
from bench._table import Table, Target, progress
from bench.central_login import World, commits, logged_in, service, world

TITLE = "The lookup API: decisions alone, and audited lookups"
CALLERS = 32
COMMITS = 20
ROUNDS = 5
PARCELS = ("load-1", "load-2", "load-3", "load-4")


def echo() -> Starlette:
    """The ceiling: reads a JSON body of AuthZEN's shape and answers one."""

    async def answer(request: Any) -> JSONResponse:
        await request.json()
        return JSONResponse({"decision": True})

    return Starlette(routes=[Route("/access/v1/evaluation", answer, methods=["POST"])])


def post(path: str, token: str, body: object) -> bytes:
    said = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(said)}\r\n\r\n"
    )
    return head.encode() + said


def credential(made: World) -> str:
    with Service.open(load_settings(None, made.flags, {}).settings) as one:
        desk = Desk.over(one.database, one.keys, one.clock, Rules.of(one.pack))
        account = desk.account("svc-route")
        assert account is not None
        token, kept = new_token(account, "evaluation", 1, "acct-admin-01", desk.now())
        desk.tokens.add(kept)
        return token


def questions(made: World, token: str, count: int) -> list[bytes]:
    truth = made.stage.truth
    bodies = [
        {
            "subject": {"type": "account", "id": "courier-88"},
            "action": {"name": "read"},
            "resource": {"type": "waybill", "id": truth.by_name[name].key},
        }
        for name in PARCELS
    ]
    return [post("/access/v1/evaluation", token, bodies[i % len(bodies)]) for i in range(count)]


def looks(made: World, token: str, count: int) -> list[bytes]:
    keys = [made.stage.truth.by_name[name].key for name in PARCELS]
    return [post("/v1/lookup", token, {"key": keys[i % len(keys)]}) for i in range(count)]


def others(made: World, token: str, count: int) -> list[bytes]:
    """Questions of which each is about another parcel than those before it."""
    keys = [one.waybill_no for one in made.stage.truth.parcels]
    bodies = [
        {
            "subject": {"type": "account", "id": "courier-88"},
            "action": {"name": "read"},
            "resource": {"type": "waybill", "id": keys[i % len(keys)]},
        }
        for i in range(count)
    ]
    return [post("/access/v1/evaluation", token, body) for body in bodies]


def never_twice(asked: list[bytes]) -> list[bytes]:
    """The same questions with a context of their own each: none is known from before."""
    found = []
    for number, one in enumerate(asked):
        head, _, said = one.partition(b"\r\n\r\n")
        more = said[:-1] + b', "context": {"n": 1%06d}}' % number
        length = b"content-length: %d"
        found.append(head.replace(length % len(said), length % len(more)) + b"\r\n\r\n" + more)
    return found


@contextmanager
def committing(url: str, rate: int) -> Iterator[None]:
    """Another process that changes something so many times a second: what is kept goes with it."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_commit, args=(url, rate), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _commit(url: str, rate: int) -> None:
    with Database.open(url) as database:
        for number in itertools.count():
            with database.write() as cx:
                cx.execute(text("INSERT INTO cas_spent VALUES (:h, 0)"), {"h": f"beside-{number}"})
            time.sleep(1 / rate)


def main(arguments: list[str]) -> Iterator[Table]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=5000)
    parser.add_argument("--lookups", type=int, default=40)
    options = parser.parse_args(arguments)
    with world() as made:
        yield _measured(made, options.decisions, options.lookups)
        yield _in_process(made, 300)


def _measured(made: World, decisions: int, lookups: int) -> Table:
    person, application = logged_in(made), credential(made)
    asked = questions(made, application, decisions)
    progress("decisions, and the ceiling in turn with them")
    with (
        served(echo) as bare,
        served(service, made.flags, limits=Limits()) as port,
    ):
        load(port, asked[:200], b"true", CALLERS)  # statements are compiled at their first use
        # What else the machine does comes and goes: in turn, and of each the best.
        turns = [
            (load(bare, asked, b"true", CALLERS), load(port, asked, b"true", CALLERS))
            for _ in range(ROUNDS)
        ]
        ceiling = max((one for one, _ in turns), key=lambda one: one.rate)
        decided = max((one for _, one in turns), key=lambda one: one.rate)
        calm = load(port, asked, b"true", CALLERS, decided.rate / 2)
        apart = load(port, others(made, application, decisions), b"decision", CALLERS)
        fresh = load(port, never_twice(asked), b"decision", CALLERS)
        with committing(made.url, COMMITS):
            moving = load(port, asked, b"true", CALLERS)
        progress("lookups")
        looked = load(port, looks(made, person, lookups), b"views", CALLERS)
        half = load(port, looks(made, person, lookups), b"views", CALLERS, looked.rate / 2)
    floor = commits(made, 300)
    rows = [
        _row("bare Starlette, JSON in and out (the ceiling)", ceiling, ceiling.rate),
        _row("/access/v1/evaluation", decided, ceiling.rate),
        _row("/access/v1/evaluation, half that rate", calm, ceiling.rate),
        _row("/access/v1/evaluation, 300 parcels in turn", apart, ceiling.rate),
        _row("/access/v1/evaluation, no question twice", fresh, ceiling.rate),
        _row(f"/access/v1/evaluation, {COMMITS} commits a second", moving, ceiling.rate),
        _row("/v1/lookup, audited", looked, ceiling.rate),
        _row("/v1/lookup, half that rate", half, ceiling.rate),
        ["two durable commits, one thread (the lookup's floor)", f"{floor:,.0f}", *[""] * 4],
    ]
    share = decided.rate / ceiling.rate
    cheap = ceiling.cpu / decided.cpu
    runs = (
        ("at full rate", decided, decisions),
        ("calm", calm, decisions),
        ("in turn", apart, decisions),
        ("no question twice", fresh, decisions),
        ("beside commits", moving, decisions),
        ("lookups", looked, lookups),
        ("calm lookups", half, lookups),
    )
    missing = [f"{name} {one.of(count)}" for name, one, count in runs if one.good != count]
    return Table(
        ["what", "a second", "of the ceiling", "CPU each", "p50", "p99"],
        rows,
        f"{CALLERS} callers, SQLite on disk, one core for the server",
        [
            Target("every request is answered", "; ".join(missing) or "all", not missing),
            Target("decisions at 70 % of the ceiling", f"{share:.1%}", share >= 0.7),
            Target("and by processor time alone", f"{cheap:.1%}", cheap >= 0.7),
        ],
    )


def _in_process(made: World, times: int) -> Table:
    """What one decision takes without HTTP: from what is kept, and after a commit by another."""
    progress("in this process")
    token = credential(made)
    key = made.stage.truth.by_name[PARCELS[0]].key
    with Service.open(load_settings(None, made.flags, {}).settings) as one:
        access = Access(one)
        spent: dict[str, list[float]] = {"nothing": [], "a commit by somebody else": []}
        for at in range(2 * times):
            before = list(spent)[at % 2]
            if before != "nothing":
                with made.database.write() as cx:
                    cx.execute(text("INSERT INTO cas_spent VALUES (:h, 0)"), {"h": f"moved-{at}"})
            begun = time.process_time()
            kept = access.evaluations.look(wait=True)
            question = access.evaluations.question(b"%d" % at)  # never asked before
            query = Query("read", "waybill", key=key)
            allowed = access.evaluations.decide(
                kept, question, token, "courier-88", query, wait=True
            )
            spent[before].append(time.process_time() - begun)
            assert allowed
    medians = {name: statistics.median(found) for name, found in spent.items()}
    return Table(
        ["since the last decision", "CPU, median"],
        [[name, f"{seconds * 1e3:.2f} ms"] for name, seconds in medians.items()],
        "One decision in this process, without HTTP",
    )


def _row(name: str, one: Load, ceiling: float) -> list[str]:
    share = f"{one.rate / ceiling:.1%}"
    times = [f"{seconds * 1e3:.1f} ms" for seconds in (one.p50, one.p99)]
    return [name, f"{one.rate:,.0f}", share, f"{one.cpu * 1e3:.2f} ms", *times]
