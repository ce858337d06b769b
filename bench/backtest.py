"""A backtest of ten million accesses of an old system, over a company of 100,000 waybills.

The log is made up: couriers at their own and at others' waybills, keepers, agents, managers, and
what an old log has besides: unknown accounts, searches by phone. The floor is what reading the
same file with `csv.reader` takes, doing nothing with it. The backtest runs as the command does, in
a process of its own.
"""

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, waybills, world_mark
from bench._table import Table, Target, progress

TITLE = "A backtest over a log of past accesses"
MOST_SECONDS = 60
# Lines that are written again and again, each time of another moment.
DIFFERENT = 200_000
ZONE = 8 * 3600  # a log without a zone is read as of China's


def lines(url: str) -> tuple[list[str], Any, int]:
    """Different lines of a log without their time, since when each can be, and the world's now."""
    draw = random.Random(2020)
    with Database.open(url) as database, database.read() as cx:
        now = cx.execute(world_mark.select()).one().built_at
        staff = [(row.login, row.role, row.person) for row in cx.execute(accounts.select())]
        parcels = [(row.waybill_no, row.ordered_at, row.assignee)
                   for row in cx.execute(waybills.select())]  # fmt: skip
    by_person: dict[str, list[tuple[str, int, str]]] = {}
    for parcel in parcels:
        by_person.setdefault(parcel[2] or "", []).append(parcel)
    found, since = [], []
    for _ in range(DIFFERENT):
        login, role, person = draw.choice(staff)
        own = by_person.get(person) if role == "courier" and draw.random() < 0.9 else None
        key, ordered, _who = draw.choice(own or parcels)
        action = "search" if draw.random() < 0.1 else "read"
        if draw.random() < 0.02:
            action, key = "reverse_lookup", ""
        if draw.random() < 0.001:
            login = "left-long-ago"
        since.append(ordered)
        found.append(f",{login},{action},{key}\n")
    return found, np.array(since), now


def write(path: Path, url: str, count: int) -> None:
    """Each line again and again, at another moment between its waybill's order and now."""
    different, since, now = lines(url)
    draw = np.random.default_rng(2020)
    with path.open("w", encoding="utf-8") as file:
        file.write("time,account,action,waybill\n")
        for left in range(count, 0, -DIFFERENT):
            at = since + (draw.random(DIFFERENT) * (now - since + 1)).astype(np.int64) + ZONE
            texts = np.datetime_as_string(at.astype("datetime64[s]")).tolist()
            pairs = zip(texts, different[:left], strict=False)
            file.writelines(time.replace("T", " ") + line for time, line in pairs)


def floor(path: Path) -> float:
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - started


def main(arguments: list[str]) -> Iterator[Table]:
    """Build, write, read, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--waybills", type=int, default=100_000)
    parser.add_argument("--database", default="", help="A synthetic world that is there already.")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as folder:
        url = args.database or f"sqlite:///{Path(folder) / 'w.db'}"
        acl = [sys.executable, "-m", "acl_engine"]
        if not args.database:
            progress("building")
            build = ["world", "build", "--database", url, "--waybills", str(args.waybills)]
            subprocess.run([*acl, *build], check=True, stdout=sys.stderr)
        log = Path(folder) / "log.csv"
        progress("writing the log")
        write(log, url, args.lines)
        progress("reading it")
        read = floor(log)
        progress("judging it")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        command = ["policy", "backtest", "policies/courier/after", "--log", str(log)]
        done = subprocess.run(
            [*acl, *command, "--database", url, "--format", "json"],
            check=False,
            stdout=subprocess.PIPE,
        )
        seconds = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(done.stdout)
    judged, asked = found["judged"], sum(one["count"] for one in found["not_judged"].values())
    assert judged + asked == args.lines, (judged, asked)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = [
        ["lines / judged / denied", f"{args.lines:,} / {judged:,} / {found['denied_now']:,}"],
        ["floor: csv.reader alone", f"{read:.1f} s"],
        ["the command, from start to end", f"{seconds:.1f} s ({cpu:.1f} s of one core)"],
        ["lines a second", f"{args.lines / seconds:,.0f}"],
        ["peak memory", f"{after.ru_maxrss / 1024:.0f} MiB"],
    ]
    target = Target(
        f"10,000,000 lines in {MOST_SECONDS} s",
        f"{seconds * 10_000_000 / args.lines:.1f} s",
        seconds * 10_000_000 / args.lines <= MOST_SECONDS,
    )
    yield Table(("what", "measured"), rows, targets=(target,))
