"""The scenario format: strict types, cross-checks, and the published JSON Schema.

A scenario never tells the engine what to answer. It says who sends what, what the attackers want
to know, and where and by which control each step must be stopped.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.request import Action
from acl_engine.domain.text import Text
from acl_engine.policy import strict_yaml
from acl_engine.replay.predicate import parse, who_of

VARIABLE = re.compile(r"\$\{([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_-]*)\}")
ADVANCE = re.compile(r"[0-9]{1,4}[smhd]")
# Not an action of the engine: using a dial capability up.
CALL = "call"


class Both(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class Source(msgspec.Struct, forbid_unknown_fields=True):
    case: int
    patterns: tuple[int, ...]
    refs: tuple[str, ...] = ()


class Maps(msgspec.Struct, forbid_unknown_fields=True):
    law: tuple[str, ...] = ()
    remediation: tuple[str, ...] = ()


class WorldRef(msgspec.Struct, forbid_unknown_fields=True):
    pack: str
    seed: str
    at: str


class Param(msgspec.Struct, forbid_unknown_fields=True):
    """Someone or something of the world: the first that fits `where`."""

    type: Literal["customer", "parcel"]
    where: str


class Actor(msgspec.Struct, forbid_unknown_fields=True):
    """`secrets` are those of the actor's own account. `phone` is the number they call from."""

    account: str | None
    devices: tuple[str, ...] = ()
    secrets: tuple[Literal["password", "totp"], ...] = ()
    zh: str = ""
    en: str = ""
    phone: str | None = None


class Channel(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """An offline edge. `carries`: facts, `visible_fields` (what the needed steps showed),
    `ACCOUNT.password`, `ACCOUNT.totp`, or `device:ID`."""

    sender: str
    to: str
    carries: tuple[str, ...]
    zh: str = ""
    en: str = ""


class Login(msgspec.Struct, forbid_unknown_fields=True, rename={"account": "as"}):
    """`account`: whose account (an actor's name); `guesses`: passwords to try in turn."""

    device: str | None = None
    account: str | None = None
    guesses: tuple[str, ...] = ()
    totp: Literal["held", "none"] = "held"


class Request(msgspec.Struct, forbid_unknown_fields=True):
    action: str
    resource: str = "waybill"
    key: str | None = None
    by: dict[str, str] = {}
    fields: tuple[str, ...] = ()
    params: dict[str, str] = {}
    purpose: str | None = None
    ticket: str | None = None
    limit: int = 50


class Expect(msgspec.Struct, forbid_unknown_fields=True):
    """`shown`: exactly these fields of each record. `by`: the controls that say no."""

    decision: Literal["allow", "deny"]
    at: str | None = None
    by: tuple[str, ...] = ()
    shown: tuple[str, ...] | None = None


class Event(msgspec.Struct, forbid_unknown_fields=True):
    """Something outside that the company's systems record: a call, as the exchange saw it."""

    kind: Literal["call"]
    id: str
    caller: str


class Step(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    channel: str | None = None
    actor: str | None = None
    login: Login | None = None
    request: Request | None = None
    advance: str | None = None
    event: Event | None = None
    needs: tuple[str, ...] = ()
    expect: Expect | None = None
    zh: str = ""
    en: str = ""


class Tolerance(msgspec.Struct, forbid_unknown_fields=True):
    min_candidates: int


class Goal(msgspec.Struct, forbid_unknown_fields=True):
    leak: str
    tolerance: dict[str, Tolerance] = {}


class MustHold(msgspec.Struct, forbid_unknown_fields=True):
    after: Literal["blocked", "degraded", "residual", "kept"]
    before: Literal["leaked", "kept"] = "leaked"
    ablation: dict[Literal["positive_control"], Literal["leaked"]] = {}


class Residual(msgspec.Struct, forbid_unknown_fields=True):
    """A leak within someone's rights: its bound, who notices, whom the log names, who owns it."""

    people_a_day: int
    noticed_by: Both
    named: str
    owner: str
    until: str


class Legit(msgspec.Struct, forbid_unknown_fields=True, rename={"account": "as"}):
    account: str
    request: Request
    expect: Literal["allow"] = "allow"
    shown: tuple[str, ...] | None = None
    device: str | None = None
    zh: str = ""
    en: str = ""


class Flag(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    ask: Both
    answer: str


class Training(msgspec.Struct, forbid_unknown_fields=True):
    story: Both
    hints: tuple[Both, ...] = ()
    flags: tuple[Flag, ...] = ()


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["acl-scenario/1"]
    id: str
    title: Both
    status: Literal["draft", "active", "retired"]
    severity: Literal["critical", "high", "medium", "low"]
    source: Source
    world: WorldRef
    must_hold: MustHold
    training: Training
    maps: Maps = msgspec.field(default_factory=Maps)
    params: dict[str, Param] = {}
    actors: dict[str, Actor] = {}
    knowledge: dict[str, tuple[str, ...]] = {}
    channels: dict[str, Channel] = {}
    steps: tuple[Step, ...] = ()
    goal: Goal | None = None
    controls: tuple[str, ...] = ()
    residual: Residual | None = None
    legit: tuple[Legit, ...] = ()

    @property
    def utility(self) -> bool:
        """A day of honest work: nobody attacks, nothing must be denied, nothing more be shown."""
        return self.goal is None


UNDEFINED = Text(
    "scenario.undefined",
    "{what} `{name}` 没有定义",
    "{what} `{name}` is not defined",
    "已定义：{known}",
    "defined: {known}",
)
UNUSED = Text("scenario.unused", "{what} `{name}` 没有用到", "{what} `{name}` is never used")
STEP_SHAPE = Text(
    "scenario.step",
    "步骤 `{step}` 须有且只有 `channel`、`advance`、`event`、`actor` 之一",
    "step `{step}` needs exactly one of `channel`, `advance`, `event` and `actor`",
)
GOAL_SHAPE = Text(
    "scenario.goal",
    "有攻击步骤的情景必须写明 `goal` 与 `controls`",
    "a scenario with attackers must name its `goal` and its `controls`",
)


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError with file, line and what to do."""
    scenario = strict_yaml.read(path, Scenario, error=ScenarioError)
    for finding in _findings(scenario, path):
        raise finding
    return scenario


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, from the types that read it."""
    return strict_yaml.schema(Scenario)


def texts(scenario: Scenario) -> Iterator[str]:
    """Every text in which a `${variable}` may stand."""
    for step in scenario.steps:
        if step.request:
            yield from _request_texts(step.request)
        if step.event:
            yield step.event.caller
    for legit in scenario.legit:
        yield from _request_texts(legit.request)


def _request_texts(request: Request) -> Iterator[str]:
    yield from (request.key or "", *request.by.values(), *request.params.values())


def _findings(scenario: Scenario, path: Path) -> Iterator[ScenarioError]:
    text = path.read_text(encoding="utf-8")
    yield from _steps(scenario, path, text)
    yield from _names(scenario, path, text)
    if scenario.goal and not scenario.controls and scenario.must_hold.after != "residual":
        yield ScenarioError(GOAL_SHAPE.of(), Where(str(path), 1))
    if not scenario.goal and scenario.must_hold.after != "kept":
        yield ScenarioError(GOAL_SHAPE.of(), Where(str(path), 1))
    try:
        datetime.fromisoformat(scenario.world.at)
    except ValueError:
        yield undefined("time", scenario.world.at, ("2026-03-02T21:40:00+08:00",), path, text)


def _steps(scenario: Scenario, path: Path, text: str) -> Iterator[ScenarioError]:
    seen: set[str] = set()
    for step in scenario.steps:
        if sum(1 for one in (step.channel, step.advance, step.event, step.actor) if one) != 1:
            yield ScenarioError(STEP_SHAPE.of(step=step.id), _line(path, text, step.id))
        if step.actor and not (step.request or step.login):
            yield ScenarioError(STEP_SHAPE.of(step=step.id), _line(path, text, step.id))
        if step.advance and not ADVANCE.fullmatch(step.advance):
            yield undefined("duration", step.advance, ("90s", "30m", "6h", "2d"), path, text)
        if step.actor and step.actor not in scenario.actors:
            yield undefined("actor", step.actor, scenario.actors, path, text)
        if step.channel and step.channel not in scenario.channels:
            yield undefined("channel", step.channel, scenario.channels, path, text)
        if step.login and step.login.account and step.login.account not in scenario.actors:
            yield undefined("actor", step.login.account, scenario.actors, path, text)
        for needed in step.needs:
            if needed not in seen:
                yield undefined("step", needed, seen, path, text)
        if step.request and step.request.action not in {*map(str, Action), CALL}:
            yield undefined("action", step.request.action, map(str, Action), path, text)
        seen.add(step.id)


def _names(scenario: Scenario, path: Path, text: str) -> Iterator[ScenarioError]:
    known = {*scenario.params, *scenario.actors, "learned"}
    used: set[str] = set()
    for value in texts(scenario):
        for name, _ in VARIABLE.findall(value):
            used.add(name)
            if name not in known:
                yield undefined("variable", name, known, path, text)
    for channel in scenario.channels.values():
        for end in (channel.sender, channel.to):
            if end not in scenario.actors:
                yield undefined("actor", end, scenario.actors, path, text)
        used |= {fact.split(".")[0] for fact in channel.carries}
    for who, facts in scenario.knowledge.items():
        if who not in scenario.actors:
            yield undefined("actor", who, scenario.actors, path, text)
        used |= {fact.split(".")[0] for fact in facts}
    if scenario.goal:
        tree = parse(scenario.goal.leak, _line(path, text, scenario.goal.leak))
        for name in who_of(tree):
            used.add(name)
    for name in scenario.params:
        if name not in used:
            yield ScenarioError(UNUSED.of(what="param", name=name), _line(path, text, name))


def undefined(what: str, name: str, known: Any, path: Path, text: str) -> ScenarioError:
    listed = ", ".join(sorted(map(str, known))) or "-"
    return ScenarioError(UNDEFINED.of(what=what, name=name, known=listed), _line(path, text, name))


def _line(path: Path, text: str, word: str) -> Where:
    for number, line in enumerate(text.splitlines(), 1):
        if word in line:
            return Where(str(path), number, line.index(word) + 1)
    return Where(str(path), 1)
