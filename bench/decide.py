"""One decision at 12 to 1,000,000 rules, with the floor and stock casbin in the same run.

Workload: areas x 8 roles x 5 actions x 5 stages, 1,000 people of one role each, half of the
requests allowed. Every size is asked 20,000 requests, over and over, so that caches miss as they
do in a service. `--quick` leaves out 1,000,000 rules and asks fewer. Peers that are not installed
are said to be absent.
"""

import argparse
import random
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from acl_engine import CompiledPolicy
from bench._table import Table, Target, progress

TITLE = "One decision, 12 to 1,000,000 rules"
MODEL = """[request_definition]
r = sub, area, act, stage
[policy_definition]
p = role, area, act, stage, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.role) && r.area == p.area && r.act == p.act && r.stage == p.stage
"""
ROLES = [f"role{number}" for number in range(8)]
Request = tuple[str, str, str, str]


def policy(rules: int, seed: int = 1) -> tuple[str, list[Request]]:
    """The policy's text and 20,000 requests."""
    dice = random.Random(seed)
    areas = [f"area{number}" for number in range(max(1, rules // 90))]
    rows: set[Request] = set()
    while len(rows) < rules:
        place = (dice.choice(areas), f"act{dice.randrange(5)}", f"stage{dice.randrange(5)}")
        rows.add((dice.choice(ROLES), *place))
    ordered = sorted(rows)
    lines = [f"p, {', '.join(row)}, allow" for row in ordered]
    lines += [f"g, user{number}, {ROLES[number % 8]}" for number in range(1000)]
    requests: list[Request] = []
    for number in range(20_000):
        role, area, act, stage = dice.choice(ordered)
        user = ROLES.index(role) + 8 * dice.randrange(125)
        # A refusal differs from a right in the action alone.
        requests.append((f"user{user}", area, act if number % 2 else "export", stage))
    return "\n".join(lines), requests


def times(function: Callable[..., Any], requests: list[Request]) -> tuple[float, float]:
    """p50 and p99 of one call in microseconds, the clock's own cost taken off."""
    clock = time.perf_counter_ns
    found, empty = [], []
    for request in requests:
        start = clock()
        function(*request)
        found.append(clock() - start)
        start = clock()
        empty.append(clock() - start)
    own = statistics.median(empty)
    found.sort()
    return (found[len(found) // 2] - own) / 1000, (found[len(found) * 99 // 100] - own) / 1000


def floor(requests: list[Request]) -> tuple[float, float]:
    """A dict look-up by a tuple, and a call of an empty function of four arguments."""
    table = dict.fromkeys(requests, True)
    looked = times(lambda a, b, c, d: table.get((a, b, c, d)), requests)[0]
    called = times(lambda a, b, c, d: None, requests)[0]
    return looked, called


def casbin_p50(text: str, requests: list[Request], budget: float) -> float | None:
    """Stock casbin's median in the same process, over as many requests as the budget allows."""
    try:
        import casbin
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        model, rows = Path(folder) / "model.conf", Path(folder) / "policy.csv"
        model.write_text(MODEL)
        rows.write_text(text)
        enforcer = casbin.Enforcer(str(model), str(rows))
    found: list[float] = []
    end = time.perf_counter() + budget
    for request in requests:
        start = time.perf_counter()
        enforcer.enforce(*request)
        found.append((time.perf_counter() - start) * 1e6)
        if time.perf_counter() > end:
            break
    return statistics.median(found)


def memory(text: str) -> float:
    """MB that the loaded policy keeps."""
    tracemalloc.start()
    kept = CompiledPolicy.from_text(MODEL, text)
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    assert kept.version
    return size


def batch(text: str, requests: list[Request], count: int) -> float:
    """Millions of decisions a second over arrays of interned ids."""
    import numpy

    from acl_engine.decision.batch import Batch

    table = Batch(CompiledPolicy.from_text(MODEL, text).snapshot)
    columns = list(zip(*requests, strict=True))
    ids = [table.encode(at, column) for at, column in enumerate(columns)]
    repeated = [numpy.tile(one, count // len(requests)) for one in ids]
    start = time.perf_counter()
    answers = table.decide(*repeated)
    return len(answers) / (time.perf_counter() - start) / 1e6


COLUMNS = ("rules", "decide p50", "p99", "enforce p50", "dict / call", "load", "memory")
COLUMNS += ("casbin p50", "ratio")


def measure(rules: int, quick: bool) -> tuple[float, list[str]]:
    """p50 of `decide` in microseconds, and the row of the table."""
    progress(f"{rules:,} rules")
    text, requests = policy(rules)
    if quick:
        requests = requests[:5_000]
    start = time.perf_counter()
    ours = CompiledPolicy.from_text(MODEL, text)
    load = time.perf_counter() - start
    for request in requests:
        assert ours.enforce(*request) == (request[2] != "export")
        ours.decide(*request)
    p50, p99 = times(ours.decide, requests)
    enforced = times(ours.enforce, requests)[0]
    looked, called = floor(requests)
    peer = casbin_p50(text, requests, 4 if quick else 15) if rules <= 100_000 else None
    return p50, [
        f"{rules:,}",
        f"{p50:.2f} us",
        f"{p99:.2f} us",
        f"{enforced:.2f} us",
        f"{looked:.2f} / {called:.2f} us",
        f"{load:.2f} s",
        f"{memory(text):.0f} MB" if rules <= 100_000 else "-",
        "-" if peer is None else f"{peer:,.0f} us",
        "-" if peer is None else f"{peer / p50:,.0f} x",
    ]


def main(arguments: list[str]) -> Iterator[Table]:
    """Every size, then a batch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer requests, no 1,000,000 rules")
    quick = parser.parse_args(arguments).quick
    sizes = (12, 1_000, 10_000, 100_000) if quick else (12, 1_000, 10_000, 100_000, 1_000_000)
    measured = {rules: measure(rules, quick) for rules in sizes}
    first, last = measured[12][0], measured[100_000][0]
    targets = (
        Target("p50 at 100,000 rules at most 0.6 us", f"{last:.2f} us", last <= 0.6),
        Target("and at most 3 x that at 12 rules", f"{last / first:.1f} x", last <= 3 * first),
    )
    yield Table(COLUMNS, [row for _, row in measured.values()], targets=targets)
    speed = batch(*policy(100_000), 10_000_000)
    target = Target("50 M decisions/s", f"{speed:.0f} M/s", speed >= 50)
    rows = [["10,000,000", "100,000", f"{speed:.0f} M/s"]]
    yield Table(("requests", "rules", "decisions"), rows, "A batch of interned ids", (target,))
