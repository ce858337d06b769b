"""Variants of a scenario: the same leak with another victim, another insider.

One thing is changed at a time. A draw is the seed's: the same file has the same variants.
"""

from collections.abc import Iterator, Mapping
from random import Random

import msgspec

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text
from acl_engine.replay.casting import fitting
from acl_engine.replay.scenario import Actor, Login, Scenario, Step
from acl_engine.replay.world.truth import Truth

TOO_FEW = Text(
    "scenario.too-few-draws",
    "`{name}` 只有 {found} 个人选，不够 {wanted} 次抽取",
    "only {found} fit `{name}`, too few for {wanted} draws",
    "放宽 `where`，或减少次数",
    "widen `where`, or draw fewer",
)


def variants(scenario: Scenario, truth: Truth) -> Iterator[tuple[str, Scenario]]:
    """(what is different, the scenario with it). Raises ScenarioError when too few fit."""
    for name, others in scenario.variants.items():
        if name in scenario.params:
            yield from _drawn(scenario, truth, name, int(others[0].split()[0]))
        else:
            for login in others:
                yield f"{name}={login}", _as(scenario, truth, name, login)


def _drawn(
    scenario: Scenario, truth: Truth, name: str, wanted: int
) -> Iterator[tuple[str, Scenario]]:
    param = scenario.params[name]
    others = list(fitting(param, scenario, truth))[1:]
    if len(others) < wanted:
        found = TOO_FEW.of(name=name, found=len(others), wanted=wanted)
        raise ScenarioError(found, Where(scenario.id))
    # Any file's draws are its own, and the same in every run.
    for number, entries in enumerate(Random(f"{scenario.id} {name}").sample(others, wanted), 1):  # noqa: S311
        where = msgspec.structs.replace(param, where=f"waybill({entries[0].key})")
        params = {**scenario.params, name: where}
        yield f"{name}={number}", msgspec.structs.replace(scenario, params=params)


def _as(scenario: Scenario, truth: Truth, name: str, login: str) -> Scenario:
    """The actor with another's account, and with that person's own device for the first's."""
    actor = scenario.actors[name]
    own = truth.world.staff[actor.account or ""].member.device
    swap = {own: truth.world.staff[login].member.device}
    devices = tuple(swap.get(device, device) for device in actor.devices)
    other = Actor(login, devices, actor.secrets, actor.zh, actor.en, actor.phone)
    steps = tuple(_on(step, swap) for step in scenario.steps)
    return msgspec.structs.replace(scenario, actors={**scenario.actors, name: other}, steps=steps)


def _on(step: Step, swap: Mapping[str, str]) -> Step:
    login = step.login
    if login is None or login.device is None:
        return step
    moved: Login = msgspec.structs.replace(login, device=swap.get(login.device, login.device))
    return msgspec.structs.replace(step, login=moved)
