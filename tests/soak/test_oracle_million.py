"""A million generated policies x requests against stock casbin, of whichever distribution is here.

`make soak`, or with the other distribution, in an environment of its own:

    python -m venv /tmp/v && /tmp/v/bin/pip install casbin==1.43.0 '.[engine]' pytest hypothesis
    /tmp/v/bin/python -m pytest tests/soak/test_oracle_million.py -o addopts= -m soak
"""

import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings

from acl_engine import CompiledPolicy
from tests import casbin_oracle

pytestmark = pytest.mark.soak
CASES = int(os.environ.get("ACL_SOAK_CASES", "250000"))
SEEN = {"compared": 0}


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=casbin_oracle.cases())
def _same(case: tuple[str, str, list[tuple[str, str, str]]]) -> None:
    SEEN["compared"] += casbin_oracle.compare(*case)


def test_a_million_answers_are_casbins() -> None:
    """About four answers a case; a difference is printed as the smallest case that shows it."""
    _same()
    print(f"{SEEN['compared']:,} answers compared")
    assert SEEN["compared"] > 2 * CASES


def test_a_million_decisions_from_eight_threads_while_policies_swap() -> None:
    """No answer that neither version gives."""
    model = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
    texts = [
        "".join(
            f"p, s{i % 7}, /{i % 11}, read, {'deny' if (i + turn) % 3 else 'allow'}\n"
            for i in range(500)
            if (i * 7 + turn) % 5
        )
        + "g, u, s1\ng, u, s2\n"
        for turn in (0, 1)
    ]
    versions = [CompiledPolicy.from_text(model, text) for text in texts]
    asked = [(s, f"/{o}", "read") for s in ("u", "s1", "s3", "x") for o in range(11)]
    right = {one.version: {q: one.enforce(*q) for q in asked} for one in versions}
    live = CompiledPolicy.from_text(model, texts[0])
    wrong: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        for _ in range(1_000_000 // 8 // len(asked) + 1):
            for request in asked:
                decision = live.decide(*request)
                if decision.allowed != right[decision.version][request]:
                    wrong.append(request)

    def swap() -> None:
        while not stop.is_set():
            for one in versions:
                live.swap(one)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    swapper = threading.Thread(target=swap)
    for thread in (swapper, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    swapper.join()
    assert not wrong
