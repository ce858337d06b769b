"""Ten million decisions at once, over arrays: the floor, classes encoded before, and words.

The floor is what numpy takes to add four columns of ids to one and to look it up in a table of
the same size: no policy at all.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from acl_engine import CompiledPolicy
from acl_engine.decision.batch import Batch
from bench._table import Table, Target, progress
from bench._workload import MODEL, Request, policy

TITLE = "A batch of 10,000,000 decisions"
LEAST = 50  # million decisions a second and core
ROUNDS = 3


def rate(act: Callable[[], Any], count: int) -> float:
    """Millions a second, in the best of three rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - start)
    return count / best / 1e6


def measured(rules: int, count: int) -> tuple[float, list[str]]:
    """M decisions a second over encoded classes, and the line of the table."""
    import numpy

    progress(f"{rules:,} rules")
    text, requests = policy(rules)
    ours = CompiledPolicy.from_text(MODEL, text)
    start = time.perf_counter()
    table = Batch(ours.snapshot)
    made = time.perf_counter() - start
    ids = [table.encode(at, column) for at, column in enumerate(columns(requests))]
    for one, answer in zip(requests, table.decide(*ids), strict=True):
        assert answer == (one[2] != "export")
    many = [numpy.tile(one, count // len(requests)) for one in ids]
    words = columns(requests * (count // 10 // len(requests)))
    sizes = [int(one.max()) + 1 for one in ids]
    flat = numpy.zeros(sizes, dtype=bool).ravel()

    def floor() -> Any:
        place = many[0].astype(numpy.intp)
        for size, one in zip(sizes[1:], many[1:], strict=True):
            place *= size
            place += one
        return flat.take(place)

    lowest = rate(floor, count)
    classes = rate(lambda: table.decide(*many), count)
    spoken = rate(lambda: ours.decide_many(*words), len(words[0]))
    return classes, [
        f"{rules:,}",
        f"{made * 1000:.0f} ms",
        f"{lowest:.0f} M/s",
        f"{classes:.0f} M/s",
        f"{spoken:.1f} M/s",
    ]


def columns(requests: Sequence[Request]) -> list[tuple[str, ...]]:
    return list(zip(*requests, strict=True))


def main(arguments: list[str]) -> Iterator[Table]:
    """At 12 and at 100,000 rules."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000_000)
    count = parser.parse_args(arguments).requests
    found = {rules: measured(rules, count) for rules in (12, 100_000)}
    heads = ("rules", "tables made", "floor: numpy alone", "classes", "words, encoding included")
    speed = found[100_000][0]
    target = Target(f">= {LEAST} M decisions/s a core", f"{speed:.0f} M/s", speed >= LEAST)
    yield Table(heads, [row for _, row in found.values()], targets=(target,))
