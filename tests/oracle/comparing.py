"""Ours beside both casbins: the same answer, or the smallest case that shows a difference.

INVARIANTS
- Where casbin answers, ours gives the same answer; a doubt of ours is a denial, and counted.
- Where a policy cannot be loaded here, that is counted too: a generator that only makes refused
  policies would prove nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors
from tests.oracle.cases import Case, smaller
from tests.oracle.distributions import Answers, Distribution
from tests.oracle.server import FUNCTIONS, given


@dataclass
class Tally:
    """What a run compared."""

    answers: int = 0
    allowed: int = 0
    refused: int = 0
    doubts: int = 0
    raised: int = 0


class Context:
    """What casbin's EnforceContext is to us: something with an `mtype`."""

    def __init__(self, suffix: str) -> None:
        self.mtype = f"m{suffix}"


@dataclass(frozen=True)
class Answer:
    """`doubt`: denied because it could not be decided."""

    allowed: bool
    doubt: bool


def compiled(case: Case) -> CompiledPolicy | None:
    """The case as we read it, or None where its policy is refused."""
    try:
        return CompiledPolicy.from_text(case.model, case.policy, compat=True, functions=FUNCTIONS)
    except PolicyErrors:
        return None


def asked(case: Case) -> list[list[Any]]:
    """The requests as they are given to `enforce`."""
    first = [Context(case.suffix)] if case.suffix else []
    return [[*first, *map(given, request)] for request in case.requests]


def ours(case: Case) -> list[Answer] | None:
    """Our answers, or None where the policy is refused."""
    policy = compiled(case)
    if policy is None:
        return None
    found = []
    for values in asked(case):
        decision = policy.decide(*values)
        assert policy.enforce(*values) is decision.allowed
        found.append(Answer(decision.allowed, decision.reason.code == "compiled.doubt"))
    return found


Differs = Callable[[Case], object]


def difference(case: Case, oracles: Sequence[Distribution], tally: Tally | None = None) -> str:
    """The first difference in words, or nothing."""
    mine = ours(case)
    if mine is None:
        if tally:
            tally.refused += 1
        return ""
    for oracle in oracles:
        oracle.ask(case.model, case.policy, case.asked)
    for oracle in oracles:
        found = _between(case, mine, oracle.answers(), tally)
        if found:
            # What the others say is still in their pipes.
            for other in oracles[oracles.index(oracle) + 1 :]:
                other.answers()
            return f"{oracle.name}: {found}"
    return ""


def _between(case: Case, mine: list[Answer], theirs: Answers, tally: Tally | None) -> str:
    for request, own, expected in zip(case.requests, mine, theirs, strict=True):
        if tally:
            tally.answers += expected is not None
            tally.allowed += bool(expected)
            tally.raised += expected is None
            tally.doubts += own.doubt
        if own.doubt:
            assert not own.allowed
        elif expected is not None and own.allowed != expected:
            return f"{request!r}: casbin says {expected}, ours {own.allowed}"
    return ""


def shrunk(case: Case, differs: Differs) -> Case:
    """The smallest case that still differs: no step that leaves something out keeps it."""
    while True:
        less = next((one for one in smaller(case) if differs(one)), None)
        if less is None:
            return case
        case = less


def check(cases: Any, oracles: Sequence[Distribution]) -> Tally:
    """Compare all; fails with the shrunk counterexample."""
    tally = Tally()
    for number, case in cases:
        if difference(case, oracles, tally):
            small = shrunk(case, lambda one: difference(one, oracles))
            raise AssertionError(report(number, small, difference(small, oracles)))
    return tally


def report(number: int, case: Case, found: str) -> str:
    """What is printed: everything needed to see it without this generator."""
    return f"case {number}, shrunk\n{found}\n--- model\n{case.model}--- policy\n{case.policy}"
