"""One engine, one size, one process: load the policy, check its answers, time it.

    python bench/_contender.py NAME RULES SECONDS

Prints a line of JSON, with `missing` where the engine is not installed. Run by the interpreter of
an environment that holds the engine; each in a process of its own, so that its memory is its own.
"""

import gc
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import _workload as work

# What is asked, and how its answer is read.
Loaded = tuple[Callable[..., Any], Callable[[Any], bool]]


def ours(text: str) -> Loaded:
    from acl_engine import CompiledPolicy

    return CompiledPolicy.from_text(work.MODEL, text).decide, lambda found: found.allowed


def pycasbin(text: str) -> Loaded:
    import casbin
    from casbin.persist.adapters.string_adapter import StringAdapter

    model = casbin.Model()
    model.load_model_from_text(work.MODEL)
    return casbin.Enforcer(model, StringAdapter(text)).enforce, bool


def cedarpy(text: str) -> Loaded:
    """Policies and entities parsed once, as handles."""
    import cedarpy as cedar

    rows, links = work.parsed(text)
    policies = cedar.PolicySet.from_str(
        "\n".join(
            f'permit(principal in Role::"{role}", action == Action::"{act}",'
            f' resource == Area::"{area}") when {{ context.stage == "{stage}" }};'
            for role, area, act, stage, _ in rows
        )
    )
    people = [
        {"uid": {"type": "User", "id": user}, "attrs": {}, "parents": [{"type": "Role", "id": r}]}
        for user, r in links
    ]
    entities = cedar.Entities.from_json_str(json.dumps(people))

    def ask(user: str, area: str, act: str, stage: str) -> Any:
        request = {
            "principal": {"type": "User", "id": user},
            "action": {"type": "Action", "id": act},
            "resource": {"type": "Area", "id": area},
            "context": {"stage": stage},
        }
        return cedar.is_authorized(request, policies, entities)

    return ask, lambda found: bool(found.allowed)


def oso(text: str) -> Loaded:
    """Facts, which its virtual machine indexes."""
    from oso import Oso

    rows, links = work.parsed(text)
    engine = Oso()
    engine.load_str(
        "may(user, area, act, stage) if has_role(user, role) and right(role, area, act, stage);\n"
        + "".join(f'right("{r}", "{a}", "{c}", "{s}");\n' for r, a, c, s, _ in rows)
        + "".join(f'has_role("{user}", "{role}");\n' for user, role in links)
    )

    def ask(*request: str) -> Any:
        return next(iter(engine.query_rule("may", *request)), None)

    return ask, lambda found: found is not None


def vakt(text: str) -> Loaded:
    """It has no roles: the role of a person is looked up before it is asked."""
    import vakt as engine
    from vakt.rules import Eq

    rows, links = work.parsed(text)
    storage = engine.MemoryStorage()
    for number, (role, area, act, stage, _) in enumerate(rows):
        storage.add(
            engine.Policy(
                number,
                subjects=[{"role": Eq(role)}],
                resources=[Eq(area)],
                actions=[Eq(act)],
                context={"stage": Eq(stage)},
                effect=engine.ALLOW_ACCESS,
            )
        )
    guard, roles = engine.Guard(storage, engine.RulesChecker()), dict(links)

    def ask(user: str, area: str, act: str, stage: str) -> Any:
        inquiry = engine.Inquiry(
            subject={"role": roles[user]}, resource=area, action=act, context={"stage": stage}
        )
        return guard.is_allowed(inquiry)

    return ask, bool


CONTENDERS = {one.__name__: one for one in (ours, pycasbin, cedarpy, oso, vakt)}
# What else the machine does only ever adds: many short rounds, of which the best counts.
ROUNDS = 40


def resident() -> int:
    """Bytes of memory that this process holds now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def measured(name: str, rules: int, seconds: float) -> dict[str, Any]:
    text, requests = work.policy(rules)
    CONTENDERS[name](work.policy(12)[0])  # its imports are not part of the load
    gc.collect()
    before, start = resident(), time.perf_counter()
    ask, allowed = CONTENDERS[name](text)
    load = time.perf_counter() - start
    gc.collect()
    found = {"load": load, "memory": resident() - before}
    fast = name == "ours"
    for request in requests if fast else requests[:4]:
        assert allowed(ask(*request)) == (request[2] != "export"), (name, request)
    rounds = [work.times(ask, requests, seconds) for _ in range(ROUNDS if fast else 1)]
    p50, p99, calls = min(rounds)
    found |= {"p50": p50, "p99": p99, "calls": calls}
    if fast:
        table = dict.fromkeys(requests, True)
        looked = [work.times(lambda *key: table.get(key), requests)[0] for _ in range(ROUNDS)]
        called = [work.times(lambda a, b, c, d: None, requests)[0] for _ in range(ROUNDS)]
        found |= {"looked_up": min(looked), "called": min(called)}
    return found


def main() -> None:
    name, rules, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    warnings.simplefilter("ignore")
    logging.disable()
    # What an engine says on its way is not the answer.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        found: dict[str, Any] = measured(name, rules, seconds)
    except ImportError as missing:
        found = {"missing": str(missing)}
    os.write(out, json.dumps(found).encode())


if __name__ == "__main__":
    main()
