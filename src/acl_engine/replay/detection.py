"""Whether somebody would have noticed, when, and by what.

A detector looks at a finished run (its steps, the clock, the log's records of each step) and says
when it would first have spoken up. To add one, name it in `DETECTORS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from acl_engine.domain.text import Text
from acl_engine.replay.run import Run


@dataclass(frozen=True, slots=True, order=True)
class Noticed:
    """`seconds` after the first step; `by` names the detector."""

    seconds: int
    by: str


_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Detector:
    """`look` gives the epoch seconds at which it would have spoken up."""

    name: Text
    look: Callable[[Run], Iterator[int]]


def refusals(run: Run) -> Iterator[int]:
    """The log holds a refusal of one of these steps: the epoch second of each."""
    for one in run.steps:
        if one.step.asks and any(entry.effect != "allow" for entry in one.entries):
            yield one.at


def verification(run: Run) -> Iterator[int]:
    """The log no longer fits what was signed: found by the next day's `acl audit verify`."""
    for one in run.steps:
        if one.flaws:
            yield one.at + _DAY


def made_up_rows(run: Run) -> Iterator[int]:
    """A copy of an export holds rows of nobody, and whoever finds it traces it to its recipient."""
    for one in run.steps:
        if one.outcome is not None and one.outcome.marked:
            yield one.at + _DAY


DETECTORS: Mapping[str, Detector] = {
    "refusal": Detector(
        Text("detection.refusal", "日志中的拒绝", "a refusal in the log"), refusals
    ),
    "made-up-rows": Detector(
        Text("detection.made-up-rows", "导出副本的标记行", "the made-up rows of an export"),
        made_up_rows,
    ),
    "verification": Detector(
        Text("detection.verification", "日志核验", "verifying the log"), verification
    ),
}


def noticed(run: Run) -> Noticed | None:
    """The first that anything noticed; None: nothing ever."""
    found = [
        Noticed(at - run.start, name) for name, one in DETECTORS.items() for at in one.look(run)
    ]
    return min(found, default=None)
