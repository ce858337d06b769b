"""Processes that write, or look, for ever, until they are killed: what each of them was told by
then is what the tests hold against the log.

They are forked from a server that has imported everything once, so that fifty of them take seconds.
"""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.domain.errors import AuditUnavailable
from acl_engine.domain.request import Query
from acl_engine.policy.pack import load_pack
from acl_engine.replay.world.company import NOW
from acl_engine.storage.database import Database
from tests.contract.test_audit_store import entry, store_of

ROOT = Path(__file__).parents[1]

PACK = load_pack(ROOT / "policies" / "courier" / "after")
# Where in a commit or a look the kill falls is the point.
MOST_SECONDS = 0.03
THIRD = 3


def context() -> ForkServerContext:
    """A server that has this module loaded: its children start in milliseconds."""
    found = multiprocessing.get_context("forkserver")
    paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(one for one in paths if one)
    found.set_forkserver_preload(["tests.killing"])
    return found


class Doomed:
    """One child that says what it was told, until it is killed."""

    def __init__(self, work: Callable[..., None], *args: object) -> None:
        self._ours, theirs = multiprocessing.Pipe(duplex=False)
        self.process: ForkServerProcess = context().Process(target=work, args=(theirs, *args))
        self.process.start()
        theirs.close()
        self.said: list[str] = []

    def first(self) -> None:
        """Wait until it was told something."""
        self.said.append(self._ours.recv_bytes().decode())

    def kill(self, rng: random.Random) -> list[str]:
        """Kill -9 at a random moment; everything that it was told, whole messages only."""
        if not self.said:
            self.first()
        time.sleep(rng.random() * MOST_SECONDS)
        self.process.kill()
        return self.died()

    def died(self) -> list[str]:
        """Wait for its end; everything that it was told."""
        try:
            while True:
                self.said.append(self._ours.recv_bytes().decode())
        except (EOFError, OSError):
            self.process.join()
            self._ours.close()
            return self.said


def write(out: Connection, url: str, name: str, callers: int) -> None:
    """Append from several threads; say index, leaf and request of every receipt."""
    store, lock = store_of(Database.open(url)), threading.Lock()

    def caller(number: int) -> None:
        turn = 0
        while True:
            request = f"{name}-{number}-{turn}"
            try:
                receipt = store.append(entry(request))
            except AuditUnavailable:  # the server is gone: go on asking, as callers do
                continue
            with lock:
                out.send_bytes(f"{receipt.index} {receipt.leaf} {request}".encode())
            turn += 1

    _for_ever(caller, callers)


def look(
    out: Connection, path: str, seed: str, asks: list[tuple[str, str]], step: str | None
) -> None:
    """Look with each token for its parcel, in a thread each; say the request of every answer.

    `step`: the process kills itself the third time it enters this number of the line.
    """
    database, entered = Database.open(f"sqlite:///{path}"), list[str]()

    def walked(line: str) -> None:
        entered.append(line)
        if entered.count(step or "-") == THIRD:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = Engine.open(
        database=database,
        pack=PACK,
        clock=SteppedClock(NOW),
        keys=Keys.synthetic(seed),
        replay=Weakened(frozenset({"budgets"}), walked),  # more looks than anybody has in a day
    )
    lock = threading.Lock()

    def caller(number: int) -> None:
        token, key = asks[number]
        while True:
            answer = engine.ask(token, Query("read", "waybill", key=key))
            with lock:
                out.send_bytes(answer.request_id.encode())

    _for_ever(caller, len(asks))


def _for_ever(caller: Callable[[int], None], callers: int) -> None:
    for number in range(callers):
        threading.Thread(target=caller, args=(number,), daemon=True).start()
    threading.Event().wait()
