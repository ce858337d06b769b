"""Sixty-four callers in two processes, on both databases: nothing is lost, nothing happens twice,
nobody waits for ever."""

import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from acl_engine.domain.budgets import Seen
from acl_engine.domain.errors import ActRefused
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.principal import Principal
from acl_engine.storage import tables as t
from acl_engine.storage.approvals import ApprovalStore
from acl_engine.storage.budget_use import uses
from acl_engine.storage.database import Database
from tests.contract.company import COURIER, MANAGER, NOW, FixedClock, request, rows, vault
from tests.contract.test_approvals import EXPORT
from tests.contract.till import Till
from tests.killing import context

CALLERS, PROCESSES = 64, 2
# Far beyond what it takes: who waits longer waits for somebody who waits for them.
MOST_SECONDS = 60
ASKED = request()
LIMITS = (
    BudgetLimit("account", "day", 6),
    BudgetLimit("unit", "30d", 100),
    BudgetLimit("person", "year", 4, of="persons", data="address"),
    BudgetLimit("unit", "day", 90, of="persons", data="address"),
)
Work = Callable[[Database, int], Any]


def together(url: str, work: Work) -> list[Any]:
    """What each of the callers got, by number; half of them in either process."""
    each = CALLERS // PROCESSES
    lines, children = [], []
    for process in range(PROCESSES):
        ours, theirs = Pipe()
        numbers = range(process * each, (process + 1) * each)
        child = context().Process(target=_process, args=(theirs, url, work, numbers))
        child.start()
        theirs.close()
        lines.append(ours)
        children.append(child)
    for line in lines:
        assert line.recv() == "ready"
    for line in lines:
        line.send("go")
    found: list[Any] = []
    for line, child in zip(lines, children, strict=True):
        assert line.poll(MOST_SECONDS), "callers wait for each other for ever"
        found += line.recv()
        child.join()
    return found


def _process(line: Connection, url: str, work: Work, numbers: range) -> None:
    with Database.open(url) as database:
        got: dict[int, Any] = {}
        start = threading.Barrier(len(numbers) + 1)

        def caller(number: int) -> None:
            start.wait()
            try:
                got[number] = work(database, number)
            except Exception as error:  # noqa: BLE001 -- the test shows what a caller met
                got[number] = repr(error)

        threads = [threading.Thread(target=caller, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        line.send("ready")
        line.recv()
        start.wait()
        for thread in threads:
            thread.join()
    line.send([got[number] for number in numbers])


def person(number: int) -> Principal:
    """One of eight colleagues of one branch, each at work eight times over."""
    who = number % 8
    return replace(COURIER, account=f"c-{who}", person=f"p-{who}", device=f"d-{who}")


def look(database: Database, number: int) -> int:
    """Two looks, at a person of one's own and at one whom everybody sees; how many were had."""
    store, had = Till(database, LIMITS, FixedClock()), 0
    for whom in (f"own-{number}", "everybody"):
        try:
            asked = store.reserve(person(number), ASKED, 1, {"address": 100})
        except ActRefused:
            continue
        if number % 16 == 15:
            store.release(asked)
            continue
        store.settle(asked, 1, [Seen("address", whom, 100)])
        had += 1
    return had


def test_no_look_is_lost_and_none_too_many(database: Database, database_url: str) -> None:
    """What the callers had is what the counters hold, and no limit is passed."""
    had = together(database_url, look)
    assert all(isinstance(one, int) for one in had), had
    for who in range(8):
        mine = [one for number, one in enumerate(had) if number % 8 == who]
        looks, persons = (
            next(u for u in uses(database, LIMITS, FixedClock(), person(who)) if u.limit == limit)
            for limit in (LIMITS[0], LIMITS[2])
        )
        assert looks.used == sum(mine) <= 6
        seen = [r for r in rows(database, t.budget_seen) if r["counter"].endswith(f":p-{who}")]
        assert persons.used == len(seen) <= 4
        assert seen  # a limit that lets nobody through would hold as well
    unit, branch = (uses(database, [one], FixedClock(), COURIER)[0] for one in LIMITS[1::2])
    assert unit.used == sum(had)
    shared = [r for r in rows(database, t.budget_seen) if ":unit:" in r["counter"]]
    assert branch.used == len(shared) == len({r["subject"] for r in shared})
    assert rows(database, t.budget_reservations) == []


def vote(database: Database, number: int) -> bool:
    case = rows(database, t.approvals)[0]["approval_no"]
    who = replace(MANAGER, person=f"approver-{number}")
    try:
        ApprovalStore(database, vault()).vote(who, case, NOW, agree=True)
    except ActRefused:
        return False
    return True


def take(database: Database, number: int) -> bool:
    case = rows(database, t.approvals)[0]["approval_no"]
    store = ApprovalStore(database, vault())
    try:
        store.take(COURIER, case, "export", EXPORT.object, NOW)
    except ActRefused:
        return False
    return True


def test_one_approves_and_one_uses_it(company: Database, database_url: str) -> None:
    """Of sixty-four who agree one grants, of sixty-four who use the grant one does."""
    ApprovalStore(company, vault()).ask(COURIER, EXPORT, NOW)
    votes = together(database_url, vote)
    assert sorted(votes, key=str) == [False] * 63 + [True]
    assert len(rows(company, t.approval_votes)) == 1
    uses_ = together(database_url, take)
    assert sorted(uses_, key=str) == [False] * 63 + [True]
