"""Decisions from eight threads while policies swap: each is one version's own answer.

A sample here; the million in `make soak` (tests/soak/test_decisions_while_swapping.py).
"""

import sys
import threading
from collections.abc import Iterator

import pytest

from acl_engine import CompiledPolicy

MODEL = """[request_definition]
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
SAMPLE = 120_000
THREADS = 8
ASKED = [(s, f"/{o}", "read") for s in ("u", "s1", "s3", "x") for o in range(11)]


@pytest.fixture
def busy_switching() -> Iterator[None]:
    """Threads change over as often as the interpreter lets them."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def _versions() -> list[CompiledPolicy]:
    """Two policies that disagree about a good part of what is asked."""
    texts = [
        "".join(
            f"p, s{i % 7}, /{i % 11}, read, {'deny' if (i + turn) % 3 else 'allow'}\n"
            for i in range(40)
            if (i * 7 + turn) % 5
        )
        + "g, u, s1\ng, u, s2\n"
        for turn in (0, 1)
    ]
    return [CompiledPolicy.from_text(MODEL, text) for text in texts]


@pytest.mark.usefixtures("busy_switching")
def test_no_decision_is_one_that_neither_version_gives() -> None:
    """And no decision is a mixture: it names the version whose answer it is."""
    decide_while_swapping(SAMPLE)


def decide_while_swapping(decisions: int) -> None:
    """Fails if one of so many decisions is not what its version says."""
    versions = _versions()
    right = {one.version: [one.enforce(*request) for request in ASKED] for one in versions}
    differ = [a != b for a, b in zip(*right.values(), strict=True)]
    assert sum(differ) > len(ASKED) / 8
    live = CompiledPolicy(versions[0].snapshot)
    wrong: list[object] = []
    seen: set[str] = set()
    stop = threading.Event()

    def ask() -> None:
        for _ in range(decisions // THREADS // len(ASKED) + 1):
            for at, request in enumerate(ASKED):
                decision = live.decide(*request)
                if decision.allowed is not right[decision.version][at]:
                    wrong.append(request)
                seen.add(decision.version)

    def swap() -> None:
        while not stop.is_set():
            for one in versions:
                live.swap(one)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    swapper = threading.Thread(target=swap)
    for thread in (swapper, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    swapper.join()
    assert not wrong
    assert seen == set(right)
