"""One look, split by the numbers of the line: python bench/lookup.py [COUNT].

A courier reads a parcel of the load, on SQLite on disk with durable audit. The budgets are left
out: the day's limit would end the run.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.request import Query
from acl_engine.identity.totp import code_at
from acl_engine.policy.pack import load_pack
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import create_or_upgrade

PARCELS = 300
NAMES = "who what facts decide budget write refuse fetch re-check mask close return".split()


def main(count: int) -> None:
    world = small_world(project_root())
    truth = Truth(world, PARCELS)
    pack = load_pack(project_root() / "policies" / "courier" / "after")
    with tempfile.TemporaryDirectory() as folder:
        database = create_or_upgrade(f"sqlite:///{Path(folder) / 'bench.db'}")
        build_world(database, world, PARCELS, synthetic_sealing(SEED))
        clock = SteppedClock(NOW)
        keys = Keys.synthetic(SEED)
        off = Weakened(frozenset({"budgets"}))
        engine = Engine.open(database=database, pack=pack, clock=clock, keys=keys, replay=off)
        stage = Stage(engine, clock, truth, False, database)
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
    total = 0.0
    for line, times in spent.items():
        middle = statistics.median(times) * 1e6
        total += middle
        print(f"({line:>2}) {NAMES[int(line)]:9} {middle:9.1f} us")
    print(f"     all       {total:9.1f} us, the medians of {count} looks")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
