"""What must stay possible: each honest request in a fresh copy of the world."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from acl_engine.replay.ablation import Derived
from acl_engine.replay.runs import Runs
from acl_engine.replay.scenario import Actor, Legit, Login, Scenario, Step

_WORKER = "worker"


@dataclass(frozen=True, slots=True)
class LegitResult:
    legit: Legit
    allowed: bool
    shown: tuple[str, ...]
    line: str
    controls: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether it showed what the file says, nothing more and nothing less."""
        return self.legit.shown is None or set(self.legit.shown) == set(self.shown)


def honest_work(scenario: Scenario, derived: Derived, runs: Runs) -> tuple[LegitResult, ...]:
    """Every `legit` request of a file, on the person's own device with their own secrets."""
    return tuple(_one(scenario, derived, runs, legit) for legit in scenario.legit)


def _one(scenario: Scenario, derived: Derived, runs: Runs, legit: Legit) -> LegitResult:
    member = runs.truth.world.staff[legit.account].member
    device = legit.device or member.device
    worker = Actor(legit.account, (device,), ("password", "totp"))
    step = Step("legit", actor=_WORKER, login=Login(device=device), request=legit.request)
    alone = msgspec.structs.replace(
        scenario,
        actors={**scenario.actors, _WORKER: worker},
        knowledge={_WORKER: tuple(_handed(legit, scenario))},
        steps=(step,),
    )
    outcome = runs.run(alone, derived).steps[0].outcome
    if outcome is None:
        return LegitResult(legit, False, (), "untried", ())
    shown = sorted({name for view in outcome.views() for name in view if name != "handle"})
    return LegitResult(legit, outcome.allowed, tuple(shown), outcome.line, outcome.controls)


def _handed(legit: Legit, scenario: Scenario) -> Iterator[str]:
    """An honest worker is handed the number of the parcel that the work is about."""
    for name in scenario.params:
        for text in legit.request.texts():
            if f"${{{name}." in text:
                yield text[text.index("{") + 1 : text.index("}")]
