"""Steps against what their file expects: where each was stopped, by what, what it showed."""

from collections.abc import Iterator
from dataclasses import dataclass

from acl_engine.domain.text import Message, Text
from acl_engine.replay.run import Run, StepResult
from acl_engine.replay.scenario import Expect, Scenario

NEVER_SENT = Text(
    "expect.never-sent",
    "步骤 {step}：没有发出",
    "step {step}: was never sent",
)
ALLOWED = Text("expect.allowed", "步骤 {step}：被放行", "step {step}: was allowed")
DENIED = Text(
    "expect.denied",
    "步骤 {step}：停在 {line}，由 {by}（{reason}）",
    "step {step}: denied at {line} by {by} ({reason})",
)
SHOWED = Text("expect.showed", "步骤 {step}：看到了 {fields}", "step {step}: showed {fields}")
ELSEWHERE = Text(
    "expect.elsewhere",
    "步骤 {step}：停在 {line}，不是 {stated}",
    "step {step}: stopped at {line}, not at {stated}",
)
OTHER_REASON = Text(
    "expect.other-reason",
    "步骤 {step}：理由是 {reason}，不是 {stated}",
    "step {step}: the reason was {reason}, not {stated}",
)
OTHER_CONTROL = Text(
    "expect.other-control",
    "步骤 {step}：由 {by} 挡住，不是 {stated}",
    "step {step}: stopped by {by}, not by {stated}",
)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What went otherwise than the file says, at which step."""

    step: str
    message: Message


def mismatches(scenario: Scenario, honest: Run, breach: Run) -> Iterator[Mismatch]:
    """Each step that was not stopped, or allowed, as the file says.

    A step that the honest run never sent is judged by the assume-breach run.
    """
    for step in scenario.steps:
        if step.expect is None:
            continue
        result = honest.result(step.id)
        if result is None or not result.tried:
            result = breach.result(step.id)
        if problem := _problem(step.id, step.expect, result):
            yield Mismatch(step.id, problem)


def _problem(step: str, expect: Expect, result: StepResult | None) -> Message | None:
    if result is None or not result.tried or result.outcome is None:
        return NEVER_SENT.of(step=step)
    outcome = result.outcome
    by = " ".join(outcome.controls) or "-"
    if outcome.allowed:
        if expect.decision == "deny":
            return ALLOWED.of(step=step)
        shown = {name for view in outcome.views() for name in view if name != "handle"}
        if expect.shown is not None and set(expect.shown) != shown:
            return SHOWED.of(step=step, fields=" ".join(sorted(shown)) or "-")
        return None
    if expect.decision == "allow":
        return DENIED.of(step=step, line=outcome.line, by=by, reason=outcome.reason or "-")
    if expect.at is not None and expect.at != outcome.line:
        return ELSEWHERE.of(step=step, line=outcome.line, stated=expect.at)
    if expect.reason is not None and expect.reason != outcome.reason:
        return OTHER_REASON.of(step=step, reason=outcome.reason or "-", stated=expect.reason)
    if expect.by and not set(expect.by) <= set(outcome.controls):
        return OTHER_CONTROL.of(step=step, by=by, stated=" ".join(expect.by))
    return None
