"""From what was found to a verdict: pure rules, strictest first.

INVARIANTS
- Out of reach is not enough: BLOCKED also needs every step stopped where and why the file says,
  a positive control that leaks, and every legitimate request allowed.
- A run that did not happen is never counted as blocked.
"""

from dataclasses import dataclass

from acl_engine.domain.text import Text
from acl_engine.replay.result import Name, Verdict


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules look at.

    `reached`: the goal holds. `candidates`: the fewest left of a wanted fact of which something
    was seen (0: nothing), `tolerance` how many must remain. `as_stated`: every step was stopped
    where and by what the file says, in the honest and in the assume-breach run.
    `positive_leaks`: with the file's controls off it leaks; None when that was not run.
    """

    reached: bool
    as_stated: bool = True
    positive_leaks: bool | None = None
    legit_denied: bool = False
    candidates: int = 0
    tolerance: int = 1
    residual: bool = False
    overshown: bool = False
    utility: bool = False
    skipped: bool = False
    failed: bool = False


def verdict_of(found: Findings) -> Verdict:
    """The strictest verdict that the findings deserve."""
    if found.failed:
        return Verdict.ERROR
    if found.skipped:
        return Verdict.SKIPPED
    if found.utility:
        return _utility(found)
    if found.reached:
        return Verdict.RESIDUAL if found.residual else Verdict.LEAKED
    if 0 < found.candidates < found.tolerance:
        return Verdict.LEAKED
    if found.legit_denied:
        return Verdict.FALSE_DENIAL
    if found.positive_leaks is False:
        return Verdict.VACUOUS
    if found.overshown:
        return Verdict.OVERSHOWN
    if not found.as_stated:
        return Verdict.BLOCKED_WRONG_REASON
    return Verdict.DEGRADED if found.candidates > 1 else Verdict.BLOCKED


def _utility(found: Findings) -> Verdict:
    if found.legit_denied:
        return Verdict.FALSE_DENIAL
    return Verdict.OVERSHOWN if found.overshown else Verdict.KEPT


# must_hold word -> the verdicts that keep it
_KEEPS = {
    "leaked": frozenset({Verdict.LEAKED}),
    "blocked": frozenset({Verdict.BLOCKED}),
    "degraded": frozenset({Verdict.BLOCKED, Verdict.DEGRADED}),
    "residual": frozenset({Verdict.RESIDUAL, Verdict.BLOCKED}),
    "kept": frozenset({Verdict.KEPT}),
}

FELL_SHORT = Text(
    "verdict.fell-short",
    "{side}：应为 {want}，实为 {got}",
    "{side}: must be {want}, was {got}",
)
NOT_NAMED = Text(
    "verdict.not-named",
    "审计日志没有记下每一步是谁",
    "the audit log does not name who did every step",
)
NO_POSITIVE = Text(
    "verdict.no-positive",
    "关掉本情景的全部控制后仍不泄露：情景什么也没证明",
    "with all its controls off it does not leak: the file proves nothing",
)


def keeps(want: str, got: Verdict) -> bool:
    """Whether a verdict is what `must_hold` asks for."""
    return got in _KEEPS[want]


def fell_short(side: str, want: str, got: Verdict) -> Name:
    """The sentence for a verdict that is not what `must_hold` asks for."""
    message = FELL_SHORT.of(side=side, want=want.upper(), got=str(got))
    return Name(message.render("zh"), message.render("en"))
