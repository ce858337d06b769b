"""One decision at 12 to 1,000,000 rules, with the floor and four other engines in the same run.

Every engine runs in a process of its own, on the same policy and the same requests, and its answers
are checked before it is timed. The other engines are those of the extra `[bench]`, which wants an
environment of its own (oso needs an older cffi than cryptography): `make bench` makes it and
names its interpreter in ACL_BENCH_PEERS. One that is not installed is said to be absent.
`--quick` leaves out 1,000,000 rules and asks the others for less time.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench._table import Table, Target, progress

TITLE = "One decision, 12 to 1,000,000 rules"
SIZES = (12, 1_000, 10_000, 100_000, 1_000_000)
PEERS = ("pycasbin", "cedarpy", "oso", "vakt")
COLUMNS = ("rules", "engine", "p50", "p99", "load", "memory", "times ours")
# Where a process happens to lie in memory makes it up to twice as slow: the best of a few.
PROCESSES = 5
# Of one hundred calls, the slowest is the 99th percentile.
FEWEST_FOR_P99 = 100


def run(name: str, rules: int, seconds: float) -> dict[str, Any]:
    """What one engine measured, in a process of its own."""
    progress(f"{rules:,} rules: {name}")
    interpreter = sys.executable if name == "ours" else os.environ.get("ACL_BENCH_PEERS")
    script = str(Path(__file__).with_name("_contender.py"))
    command = [interpreter or sys.executable, script, name, str(rules), str(seconds)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        raise SystemExit(f"bench: {name} failed\n{done.stderr.decode()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def micro(value: float) -> str:
    """A time of microseconds, with as many digits as it has worth."""
    if value >= 1000:
        return f"{value / 1000:,.1f} ms"
    return f"{value:.0f} us" if value >= 10 else f"{value:.2f} us"


def row(rules: int, name: str, found: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """One line of the table."""
    if "missing" in found:
        return [f"{rules:,}", f"{name}: not installed", "-", "-", "-", "-", "-"]
    p99 = micro(found["p99"]) if found["calls"] >= FEWEST_FOR_P99 else "-"
    times = "" if name == "ours" else f"{found['p50'] / own['p50']:,.0f} x"
    load, memory = f"{found['load']:.2f} s", f"{found['memory'] / 1e6:,.0f} MB"
    return [f"{rules:,}", name, micro(found["p50"]), p99, load, memory, times]


def main(arguments: list[str]) -> Iterator[Table]:
    """Every engine at every size; a million rules ours alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less time, no 1,000,000 rules")
    quick = parser.parse_args(arguments).quick
    own: dict[int, dict[str, Any]] = {}
    rows: list[list[str]] = []
    casbin: dict[str, Any] = {}
    for rules in SIZES[:-1] if quick else SIZES:
        tries = [run("ours", rules, 60) for _ in range(PROCESSES)]
        own[rules] = min(tries, key=lambda found: float(found["p50"]))
        own[rules]["load"] = min(float(one["load"]) for one in tries)
        rows.append(row(rules, "ours", own[rules], own[rules]))
        for name in PEERS if rules <= 100_000 else ():
            found = run(name, rules, 2 if quick else 10)
            rows.append(row(rules, name, found, own[rules]))
            if name == "pycasbin" and rules == 100_000:
                casbin = found
        looked, called = own[rules]["looked_up"], own[rules]["called"]
        share = f"{looked / own[rules]['p50']:.2f} x (a call: {micro(called)})"
        floor = [micro(looked), "", "", "", share]
        rows.append([f"{rules:,}", "floor: a dict by a tuple", *floor])
    caption = (
        "p50 of ours and of the floor: the best of forty rounds of 20,000 requests, "
        "in the best of five processes; load of ours: the shortest of the five."
    )
    yield Table(COLUMNS, rows, caption, [*targets(own, casbin)])


def targets(own: dict[int, dict[str, Any]], casbin: dict[str, Any]) -> Iterator[Target]:
    """What was promised, and what this run says."""
    small, large = own[12], own[100_000]
    p50, load, memory = large["p50"], large["load"], large["memory"] / 1e6
    yield Target("p50 at 100,000 rules <= 0.6 us", micro(p50), p50 <= 0.6)
    growth = p50 / small["p50"]
    yield Target("and <= 3 x its own at 12 rules", f"{growth:.1f} x", growth <= 3)
    if "p50" in casbin:
        faster = casbin["p50"] / p50
        yield Target("and >= 100,000 x pycasbin", f"{faster:,.0f} x", faster >= 100_000)
    yield Target("load 100,000 rules in 1 s", f"{load:.2f} s", load <= 1)
    yield Target("and in 60 MB", f"{memory:.0f} MB", memory <= 60)
