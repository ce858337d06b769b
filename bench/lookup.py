"""One look, split by the numbers of the line; and beside its own durable commits.

A courier reads a parcel of the load, on SQLite on disk with durable audit. The limits of the
budgets are raised: the day's would end the run. A look is two durable commits, its intent and its
outcome. The floor of one caller is two records written and committed one after the other by the
log's own statement, that of many the log's ceiling (`bench.audit`) halved; both on a file of their
own, in turn with the looks, best of three rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from bench._table import Table, Target
from bench.audit import LEAST_SHARE, MANY, ROUNDS, at_once, ceiling
from bench.budgets import roomy

TITLE = "One look, step by step"
PARCELS = 300
# Of one look, durable: the intent and the outcome.
COMMITS = 2
MOST_TIMES = 1.3
NAMES = "who what facts decide budget write refuse fetch re-check mask close return".split()


@dataclass(frozen=True, slots=True)
class World:
    """An engine over a company on disk, one of its people logged in, and what that one asks."""

    engine: Engine
    token: str
    query: Query


@contextmanager
def world() -> Iterator[World]:
    company = small_world(project_root())
    truth = Truth(company, PARCELS)
    pack = roomy(load_pack(project_root() / "policies" / "courier" / "after"))
    with (
        tempfile.TemporaryDirectory() as folder,
        create_or_upgrade(f"sqlite:///{Path(folder) / 'bench.db'}") as database,
    ):
        build_world(database, company, PARCELS, synthetic_sealing(SEED))
        clock, keys = SteppedClock(NOW), Keys.synthetic(SEED)
        engine = Engine.open(
            database=database, pack=pack, clock=clock, keys=keys, replay=Weakened()
        )
        site = Site(engine, database, pack, clock, keys)
        stage = Stage(site, clock, truth, False, Watch(), Switchboard(clock))
        code = code_at(truth.totp("courier-88"), int(NOW.timestamp()))
        password = truth.password("courier-88", weak=False)
        token = engine.login("courier-88", password, totp=code, device=stage._proof("pda-88"))
        yield World(engine, token, Query("read", "waybill", key=truth.by_name["load-1"].key))


def spent_by_line(made: World, count: int) -> dict[str, list[float]]:
    """Seconds of each step of the line, over `count` looks."""
    marks: list[tuple[str, float]] = []
    quiet = made.engine._door
    made.engine._door = replace(quiet, step=lambda line: marks.append((line, time.perf_counter())))
    spent: dict[str, list[float]] = {}
    for _ in range(count):
        marks.clear()
        made.engine.ask(made.token, made.query)
        ends = [at for _, at in marks[1:]] + [time.perf_counter()]
        for (line, at), end in zip(marks, ends, strict=True):
            spent.setdefault(line, []).append(end - at)
    made.engine._door = quiet
    return spent


def looks(made: World, callers: int, seconds: float) -> float:
    """Looks a second by so many callers at once."""
    counts = [0] * callers

    def call(number: int) -> None:
        made.engine.ask(made.token, made.query)
        counts[number] += 1

    spent = at_once(call, callers, seconds)
    return sum(counts) / spent


def steps(made: World, count: int) -> Table:
    """The median of each step, and their sum."""
    middles = {
        line: statistics.median(times) * 1e6 for line, times in spent_by_line(made, count).items()
    }
    total = sum(middles.values())
    rows = [
        [line, NAMES[int(line)], f"{one:,.1f} us", f"{one / total:.0%}"]
        for line, one in middles.items()
    ]
    rows.append(["", "all", f"{total:,.1f} us", "100%"])
    return Table(("number", "step", f"median of {count}", "share"), rows)


def beside_commits(made: World, seconds: float) -> Table:
    """Looks beside the durable commits that they are made of."""
    rows, reached = [], dict[int, float]()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'floor.db'}"
        create_or_upgrade(url).close()
        for callers in (1, MANY):
            rate = floor = 0.0
            for _ in range(ROUNDS):
                floor = max(floor, ceiling(url, callers, seconds) / COMMITS)
                rate = max(rate, looks(made, callers, seconds))
            reached[callers] = rate / floor
            rows.append([f"{callers}", f"{rate:,.0f}", f"{floor:,.0f}", f"{rate / floor:.1%}"])
    return Table(
        ("callers", "looks/s", "pairs of records/s", "share"),
        rows,
        "Beside the two durable records of each look",
        [
            Target(
                f"one look <= {MOST_TIMES} x its own durable commits",
                f"{1 / reached[1]:.1f} x",
                1 / reached[1] <= MOST_TIMES,
            ),
            Target(
                f"{MANY} callers: at least {LEAST_SHARE:.0%} of the log's ceiling",
                f"{reached[MANY]:.1%}",
                reached[MANY] >= LEAST_SHARE,
            ),
        ],
    )


def main(arguments: list[str]) -> Iterator[Table]:
    """Step by step, then beside the commits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="looks (default: 500)")
    parser.add_argument("--seconds", type=float, default=1, help="of each round (default: 1)")
    options = parser.parse_args(arguments)
    with world() as made:
        yield steps(made, options.count)
        yield beside_commits(made, options.seconds)
