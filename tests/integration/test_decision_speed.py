"""Ratios that hold on a noisy machine: the best of many rounds of one run, casbin beside it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from bench._workload import MODEL, Request, policy

from acl_engine import CompiledPolicy
from tests.oracle.server import enforcer


def once(function: Callable[..., Any], requests: Sequence[Request]) -> float:
    """Seconds a call, over all of the requests."""
    start = time.perf_counter()
    for request in requests:
        function(*request)
    return (time.perf_counter() - start) / len(requests)


def test_a_decision_is_far_faster_than_casbin() -> None:
    """At least 50 x at 12 rules and 1,000 x at 10,000."""
    for rules, asked, ratio in ((12, 50, 50), (10_000, 2, 1000)):
        text, requests = policy(rules)
        ours = CompiledPolicy.from_text(MODEL, text).decide
        stock = enforcer(MODEL, text).enforce
        own = min(once(ours, requests[:1000]) for _ in range(50))
        assert min(once(stock, requests[:asked]) for _ in range(3)) > ratio * own


def test_a_decision_does_not_grow_with_the_policy() -> None:
    """At 100,000 rules at most three times its own at 12, asked in turns."""
    small, large = (
        (CompiledPolicy.from_text(MODEL, text).decide, requests[:1000])
        for text, requests in (policy(12), policy(100_000))
    )
    least = most = float("inf")
    for _ in range(200):  # what else the machine does only ever adds
        least, most = min(least, once(*small)), min(most, once(*large))
    assert most <= 3 * least
