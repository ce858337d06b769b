"""Who may see this, and what may this account see, at 110,000 rules.

100,000 rows (1,000 roles with 100 of 20,000 things each) and 10,000 links. Each question is asked
for many people and things, complete lists, page by page; `widest` is an auditor who may see all
20,000. The peer is pycasbin's own question of the kind, stopped after `--patience` seconds.
"""

import argparse
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from acl_engine import CompiledPolicy
from bench._table import Table, Target, progress

TITLE = "Who may see it, what may they see: 110,000 rules"
MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
ROLES, THINGS, PEOPLE = 1000, 20_000, 9_999
MOST_MS = 50


def policy() -> str:
    """110,000 lines."""
    dice = random.Random(1)
    rows = [
        f"p, role{role}, thing{thing}, read"
        for role in range(ROLES - 200)
        for thing in dice.sample(range(THINGS), 100)
    ]
    rows += [f"p, auditors, thing{thing}, read" for thing in range(THINGS)]
    links = [f"g, person{n}, role{dice.randrange(ROLES - 200)}" for n in range(PEOPLE)]
    return "\n".join([*rows, *links, "g, auditor, auditors"])


def whole(ask: Callable[..., Any], **fixed: str) -> int:
    """How many there are, read page by page."""
    count, after = 0, ""
    while True:
        page = ask(after=after, **fixed)
        count += len(page.items)
        if not page.more:
            return count
        after = page.items[-1]


def measured(act: Callable[[int], int], turns: int) -> tuple[float, float, float]:
    """Median and slowest milliseconds, and how many were found in the median answer."""
    spent, found = [], []
    for turn in range(turns):
        start = time.perf_counter()
        found.append(act(turn))
        spent.append((time.perf_counter() - start) * 1000)
    return statistics.median(spent), max(spent), statistics.median(found)


def _ask_casbin(text: str) -> None:
    import casbin
    from casbin.persist.adapters.string_adapter import StringAdapter

    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model, StringAdapter(text))
    enforcer.get_implicit_users_for_permission("thing7", "read")


def casbin_seconds(text: str, patience: float) -> float | None:
    """How long pycasbin takes, load included; None if it is stopped."""
    process = multiprocessing.get_context("spawn").Process(target=_ask_casbin, args=(text,))
    start = time.perf_counter()
    process.start()
    process.join(patience)
    if not process.is_alive():
        return time.perf_counter() - start
    process.kill()
    process.join()
    return None


def main(arguments: list[str]) -> Iterator[Table]:
    """Three questions, and pycasbin's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patience", type=float, default=60)
    patience = parser.parse_args(arguments).patience
    text = policy()
    ours = CompiledPolicy.from_text(MODEL, text)
    who, what = ours.subjects_for, ours.resources_for
    start = time.perf_counter()
    whole(who, obj="thing7", act="read")
    whole(what, sub="person7", act="read")
    first = time.perf_counter() - start
    questions: dict[str, tuple[Callable[[int], int], int]] = {
        "who may see a thing": (lambda n: whole(who, obj=f"thing{n}", act="read"), 300),
        "what may a person see": (lambda n: whole(what, sub=f"person{n}", act="read"), 300),
        "what may the widest account see": (lambda n: whole(what, sub="auditor", act="read"), 9),
    }
    rows, slowest = [], 0.0
    for name, (act, turns) in questions.items():
        progress(name)
        middle, most, found = measured(act, turns)
        slowest = max(slowest, middle)
        rows.append([name, f"{found:,.0f}", f"{middle:.2f} ms", f"{most:.1f} ms"])
    rows.append(["the first two questions after a load", "", f"{first * 1000:.0f} ms", ""])
    progress("pycasbin")
    spent = casbin_seconds(text, patience)
    said = f"no answer in {patience:.0f} s" if spent is None else f"{spent:.1f} s, with the load"
    rows.append(["pycasbin: get_implicit_users_for_permission", "", said, ""])
    target = Target(f"each <= {MOST_MS} ms", f"{slowest:.1f} ms at most", slowest <= MOST_MS)
    yield Table(("question", "found", "median", "slowest"), rows, targets=(target,))
