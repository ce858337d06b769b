"""Steps against what their file expects: where each was stopped, by what, what it showed."""

from collections.abc import Iterator

from acl_engine.replay.run import Run, StepResult
from acl_engine.replay.scenario import Expect, Scenario


def mismatches(scenario: Scenario, honest: Run, breach: Run) -> Iterator[str]:
    """`STEP: what was wrong` for each step that was not stopped, or allowed, as the file says.

    A step that the honest run never sent is judged by the assume-breach run.
    """
    for step in scenario.steps:
        if step.expect is None:
            continue
        result = honest.result(step.id)
        if result is None or not result.tried:
            result = breach.result(step.id)
        if problem := _mismatch(step.expect, result):
            yield f"{step.id}: {problem}"


def _mismatch(expect: Expect, result: StepResult | None) -> str:
    if result is None or not result.tried or result.outcome is None:
        return "was never sent"
    outcome = result.outcome
    if (expect.decision == "allow") != outcome.allowed:
        return f"{'allowed' if outcome.allowed else f'denied at {outcome.line}'}"
    if outcome.allowed:
        shown = {name for view in outcome.views() for name in view if name != "handle"}
        if expect.shown is not None and set(expect.shown) != shown:
            return f"showed {' '.join(sorted(shown)) or 'nothing'}"
        return ""
    if expect.at is not None and expect.at != outcome.line:
        return f"stopped at {outcome.line}, not at {expect.at}"
    if expect.reason is not None and expect.reason != outcome.reason:
        return f"the reason was {outcome.reason or '-'}, not {expect.reason}"
    if expect.by and not set(expect.by) <= set(outcome.controls):
        return f"stopped by {' '.join(outcome.controls) or 'nothing named'}"
    return ""
