"""The decisions that are measured: areas x 8 roles x 5 actions x 5 stages, half of them allowed.

A thousand people of one role each; 20,000 requests, asked over and over, so that caches miss as
they do in a service. Needs nothing but the standard library.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

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
    """The policy's text and 20,000 requests; the action `export` is the one that is refused."""
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


def parsed(text: str) -> tuple[list[list[str]], list[list[str]]]:
    """The rows and the links of a policy, for engines with another format."""
    rows = [line.split(", ") for line in text.splitlines()]
    return [r[1:] for r in rows if r[0] == "p"], [r[1:] for r in rows if r[0] == "g"]


def times(
    function: Callable[..., Any], requests: Sequence[Request], seconds: float = 1e9
) -> tuple[float, float, int]:
    """p50 and p99 of one call in microseconds, the clock's own cost taken off; calls made.

    The words of a request are in the cache, as of one that was just read from the wire; what the
    engine looks up for it is not.
    """
    clock = time.perf_counter_ns
    found: list[int] = []
    empty: list[int] = []
    end = clock() + int(seconds * 1e9)
    for request in requests:
        hash(request)
        start = clock()
        function(*request)
        found.append(clock() - start)
        start = clock()
        empty.append(clock() - start)
        if start > end:
            break
    own = statistics.median(empty)
    found.sort()
    at = len(found)
    return (found[at // 2] - own) / 1000, (found[at * 99 // 100] - own) / 1000, at
