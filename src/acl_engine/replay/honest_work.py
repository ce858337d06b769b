"""What must stay possible: each honest request in a fresh copy of the world."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from acl_engine.replay.ablation import Derived
from acl_engine.replay.runs import Runs
from acl_engine.replay.scenario import Actor, Channel, Legit, Login, Request, Scenario, Step
from acl_engine.replay.words import MADE

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
    asked = [_Asked(one.account, None, one.request) for one in legit.first]
    asked.append(_Asked(legit.account, legit.device, legit.request))
    actors, channels, steps = dict(scenario.actors), dict[str, Channel](), list[Step]()
    for at, one in enumerate(asked):
        device = one.device or runs.truth.world.staff[one.account].member.device
        name, login = f"{_WORKER}-{at}", Login(device=device)
        actors[name] = Actor(one.account, (device,), ("password", "totp"))
        steps.append(Step(f"legit-{at}", actor=name, login=login, request=one.request))
        # Colleagues tell each other which case or ticket it is.
        for other in range(at + 1, len(asked)) if one.request.keep else ():
            told = f"told-{at}-{other}"
            carried = (f"{MADE}.{one.request.keep}",)
            channels[told] = Channel(name, f"{_WORKER}-{other}", carried)
            steps.append(Step(told, channel=told))
    handed = tuple(_handed(asked, scenario))
    alone = msgspec.structs.replace(
        scenario,
        actors=actors,
        knowledge={f"{_WORKER}-{at}": handed for at in range(len(asked))},
        channels=channels,
        steps=tuple(steps),
    )
    outcome = runs.run(alone, derived).steps[-1].outcome
    if outcome is None:
        return LegitResult(legit, False, (), "untried", ())
    shown = sorted({name for view in outcome.views() for name in view if name != "handle"})
    return LegitResult(legit, outcome.allowed, tuple(shown), outcome.line, outcome.controls)


@dataclass(frozen=True, slots=True)
class _Asked:
    account: str
    device: str | None
    request: Request


def _handed(asked: list[_Asked], scenario: Scenario) -> Iterator[str]:
    """An honest worker is handed the number of the parcel that the work is about."""
    for name in scenario.params:
        for text in (text for one in asked for text in one.request.texts()):
            if f"${{{name}." in text:
                yield text[text.index("{") + 1 : text.index("}")]
