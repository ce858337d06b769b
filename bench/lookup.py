"""One look, split by the numbers of the line.

A courier reads a parcel of the load, on SQLite on disk with durable audit. The limits of the
budgets are raised: the day's would end the run.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.provider import Switchboard
from acl_engine.domain.request import Query
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
from acl_engine.storage.database import create_or_upgrade
from bench._table import Table
from bench.budgets import roomy

TITLE = "One look, step by step"
PARCELS = 300
NAMES = "who what facts decide budget write refuse fetch re-check mask close return".split()


def spent_by_line(count: int) -> dict[str, list[float]]:
    """Seconds of each step of the line, over `count` looks."""
    world = small_world(project_root())
    truth = Truth(world, PARCELS)
    pack = roomy(load_pack(project_root() / "policies" / "courier" / "after"))
    with tempfile.TemporaryDirectory() as folder:
        database = create_or_upgrade(f"sqlite:///{Path(folder) / 'bench.db'}")
        build_world(database, world, PARCELS, synthetic_sealing(SEED))
        clock = SteppedClock(NOW)
        keys = Keys.synthetic(SEED)
        engine = Engine.open(
            database=database, pack=pack, clock=clock, keys=keys, replay=Weakened()
        )
        site = Site(engine, database, pack, clock, keys)
        stage = Stage(site, clock, truth, False, Watch(), Switchboard(clock))
        code = code_at(truth.totp("courier-88"), int(NOW.timestamp()))
        password = truth.password("courier-88", weak=False)
        token = engine.login("courier-88", password, totp=code, device=stage._proof("pda-88"))
        marks: list[tuple[str, float]] = []
        engine._door = replace(
            engine._door, step=lambda line: marks.append((line, time.perf_counter()))
        )
        query = Query("read", "waybill", key=truth.by_name["load-1"].waybill_no)
        spent: dict[str, list[float]] = {}
        for _ in range(count):
            marks.clear()
            engine.ask(token, query)
            ends = [at for _, at in marks[1:]] + [time.perf_counter()]
            for (line, at), end in zip(marks, ends, strict=True):
                spent.setdefault(line, []).append(end - at)
        database.close()
    return spent


def main(arguments: list[str]) -> Iterator[Table]:
    """The median of each step, and their sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="looks (default: 500)")
    count = parser.parse_args(arguments).count
    middles = {line: statistics.median(times) * 1e6 for line, times in spent_by_line(count).items()}
    total = sum(middles.values())
    rows = [
        [line, NAMES[int(line)], f"{one:,.1f} us", f"{one / total:.0%}"]
        for line, one in middles.items()
    ]
    rows.append(["", "all", f"{total:,.1f} us", "100%"])
    yield Table(("number", "step", f"median of {count}", "share"), rows)
