"""The whole replay with ablation: every scenario of every pack, before and after, controls off.

    python -m bench replay
    python -m bench replay --pack courier --jobs 1

Wall time moves with what else the machine does; CPU time, of this process and those that it shares
scenarios out to, does not. The floor is what every run needs whatever it does: a copy of the world.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from acl_engine.bootstrap.paths import project_root
from acl_engine.cli.replay import site
from acl_engine.replay.play import Order, play
from acl_engine.replay.templates import Templates
from acl_engine.replay.theatre import PARCELS, small_world
from acl_engine.replay.troupe import players
from bench._table import Table, Target

TITLE = "Replaying every scenario, with ablation"
MOST_SECONDS = 60
COPIES = 50


def cpu() -> float:
    """CPU seconds so far, of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def a_copy() -> float:
    """Seconds to copy the world once."""
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as folder:
        templates = Templates(Path(folder), small_world(project_root()), PARCELS)
        world, spent = templates[False], []
        for _ in range(COPIES):
            started = time.perf_counter()
            world.clone_to_memory().close()
            spent.append(time.perf_counter() - started)
        templates.close()
    return min(spent)


def main(arguments: list[str]) -> Iterator[Table]:
    """Replay each pack as `acl replay` does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    packs = sorted(path.name for path in (project_root() / "scenarios").iterdir() if path.is_dir())
    parser.add_argument("--pack", action="append", choices=packs)
    parser.add_argument("--jobs", type=int, default=0)
    args = parser.parse_args(arguments)
    lines, wall, short = [], 0.0, 0
    for pack in args.pack or packs:
        started = cpu()
        replay = play(Order(project_root(), pack, serve=site(), jobs=args.jobs))
        count = len(replay.results)
        jobs = args.jobs or players(count)
        seconds, spent = replay.seconds, cpu() - started
        each = f"{spent / count * 1000:,.0f} ms"
        lines.append([pack, f"{count}", f"{jobs}", f"{seconds:.1f} s", f"{spent:.1f} s", each])
        wall += seconds
        short += len(replay.short)
    lines.append(["floor: a copy of the world", "", "", "", "", f"{a_copy() * 1000:.1f} ms"])
    targets = (
        Target(f"the whole replay in {MOST_SECONDS} s", f"{wall:.1f} s", wall <= MOST_SECONDS),
        Target("every scenario as its file says", f"{short} fell short", not short),
    )
    heads = ("pack", "scenarios", "processes", "wall", "CPU", "CPU each")
    yield Table(heads, lines, targets=targets)
