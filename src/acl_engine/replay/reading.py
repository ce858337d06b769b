"""Reading a scenario file: strictly typed, then every name in it checked against the others.

A name that is not defined, a param that nothing uses, a step that names no actor: each is an
error with file and line, before anything runs.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.request import Action
from acl_engine.domain.text import Text
from acl_engine.policy import strict_yaml
from acl_engine.replay import predicate
from acl_engine.replay.asking import DOOR_WORDS
from acl_engine.replay.scenario import Scenario, Step
from acl_engine.replay.words import ACTOR_WORDS, KEPT, LEARNED, MADE, VARIABLE

DRAWS = re.compile(r"([1-9][0-9]?) draws?")
ADVANCE = re.compile(r"[0-9]{1,4}[smhd]")
# Words of a channel that are no facts.
_VISIBLE, _DEVICE = "visible_fields", "device:"
_DURATIONS = ("90s", "30m", "6h", "2d")

UNDEFINED = Text(
    "scenario.undefined",
    "{what} `{name}` 没有定义",
    "{what} `{name}` is not defined",
    "已定义：{known}",
    "defined: {known}",
)
UNUSED = Text(
    "scenario.unused",
    "{what} `{name}` 没有用到",
    "{what} `{name}` is never used",
    "删去，或在步骤、目标中引用",
    "take it out, or use it in a step or the goal",
)
STEP_SHAPE = Text(
    "scenario.step",
    "步骤 `{step}` 须有且只有一种：`channel`、`advance`、`event`、`admin`、`fault`、`tamper`，"
    "或 `actor` 加 `login`、`request`、`http`",
    "step `{step}` needs exactly one of `channel`, `advance`, `event`, `admin`, `fault`, `tamper`, "
    "or an `actor` with a `login`, a `request` or `http`",
    "拆成两步，或补上 `actor`",
    "split it in two, or name its `actor`",
)
TWICE = Text(
    "scenario.step-twice",
    "步骤编号 `{step}` 重复",
    "the step id `{step}` stands twice",
    "每步一个编号",
    "give each step its own id",
)
GOAL_SHAPE = Text(
    "scenario.goal",
    "有攻击步骤的情景必须写明 `goal` 与 `controls`",
    "a scenario with attackers must name its `goal` and its `controls`",
    "没有攻击者的情景写 `must_hold: {{after: kept}}`",
    "one without attackers says `must_hold: {{after: kept}}`",
)
PATTERN = Text(
    "scenario.pattern",
    "正则表达式 `{pattern}` 不可用：{why}",
    "the regular expression `{pattern}` cannot be used: {why}",
    "`keep` 的表达式要有一个括号组",
    "one under `keep` needs one group in parentheses",
)


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError with file, line and what to do."""
    scenario = strict_yaml.read(path, Scenario, error=ScenarioError)
    for finding in _Findings(scenario, path).all():
        raise finding
    return scenario


def undefined(
    what: str, name: str, known: Iterable[object], path: Path, text: str
) -> ScenarioError:
    """The finding for a name that does not exist, with the first line where it stands."""
    listed = ", ".join(sorted(map(str, known))) or "-"
    return ScenarioError(UNDEFINED.of(what=what, name=name, known=listed), line(path, text, name))


def line(path: Path, text: str, word: str) -> Where:
    """The first place of a word in a file."""
    whole = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
    for number, one in enumerate(text.splitlines(), 1):
        if found := whole.search(one):
            return Where(str(path), number, found.start() + 1)
    return Where(str(path), 1)


class _Findings:
    def __init__(self, scenario: Scenario, path: Path) -> None:
        self._scenario = scenario
        self._path = path
        self._text = path.read_text(encoding="utf-8")
        self._used: set[str] = set()

    def all(self) -> Iterator[ScenarioError]:
        scenario = self._scenario
        yield from self._steps()
        yield from self._variables()
        yield from self._channels()
        yield from self._knowledge()
        if scenario.goal:
            yield from self._goal(scenario.goal.leak)
        yield from self._variants()
        for name in scenario.params:
            if name not in self._used:
                yield ScenarioError(UNUSED.of(what="param", name=name), self._line(name))
        if scenario.goal and not scenario.controls and scenario.must_hold.after != "residual":
            yield ScenarioError(GOAL_SHAPE.of(), Where(str(self._path), 1))
        if not scenario.goal and scenario.must_hold.after != "kept":
            yield ScenarioError(GOAL_SHAPE.of(), Where(str(self._path), 1))
        try:
            datetime.fromisoformat(scenario.world.at)
        except ValueError:
            yield self._undefined("time", scenario.world.at, ("2026-03-02T21:40:00+08:00",))

    # --- steps ---------------------------------------------------------------------------------

    def _steps(self) -> Iterator[ScenarioError]:
        seen: set[str] = set()
        for step in self._scenario.steps:
            if step.id in seen:
                yield ScenarioError(TWICE.of(step=step.id), self._line(step.id))
            if not _shaped(step):
                yield ScenarioError(STEP_SHAPE.of(step=step.id), self._line(step.id))
            if step.advance and not ADVANCE.fullmatch(step.advance):
                yield self._undefined("duration", step.advance, _DURATIONS)
            for name in self._people(step):
                if name not in self._scenario.actors:
                    yield self._undefined("actor", name, self._scenario.actors)
            if step.channel and step.channel not in self._scenario.channels:
                yield self._undefined("channel", step.channel, self._scenario.channels)
            for needed in step.needs:
                if needed not in seen:
                    yield self._undefined("step", needed, seen)
            if step.request and step.request.action not in {*map(str, Action), *DOOR_WORDS}:
                yield self._undefined("action", step.request.action, (*Action, *DOOR_WORDS))
            yield from self._patterns(step)
            seen.add(step.id)

    @staticmethod
    def _people(step: Step) -> Iterator[str]:
        """Who must be an actor: who asks, in whose name, who administers."""
        if step.actor:
            yield step.actor
        if step.login and step.login.account:
            yield step.login.account
        if step.admin:
            yield step.admin.by

    def _patterns(self, step: Step) -> Iterator[ScenarioError]:
        kept = step.http.keep.values() if step.http else ()
        for pattern in step.http.patterns() if step.http else ():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                why = str(error).replace("{", "(").replace("}", ")")
                found = PATTERN.of(pattern=_plain(pattern), why=why)
                yield ScenarioError(found, self._line("http"))
            else:
                if pattern in kept and groups != 1:
                    why = f"{groups} groups"
                    found = PATTERN.of(pattern=_plain(pattern), why=why)
                    yield ScenarioError(found, self._line("keep"))

    # --- names ---------------------------------------------------------------------------------

    def _variables(self) -> Iterator[ScenarioError]:
        scenario = self._scenario
        kept = {name for step in scenario.steps if step.http for name in step.http.keep}
        requests = [step.request for step in scenario.steps if step.request]
        requests += [one.request for legit in scenario.legit for one in legit.first]
        made = {request.keep for request in requests}
        for value in scenario.texts():
            for name, attribute in VARIABLE.findall(value):
                self._used.add(name)
                if name == KEPT and attribute not in kept:
                    yield self._undefined("kept value", attribute, kept)
                elif name == MADE and attribute not in made:
                    yield self._undefined("what was made", attribute, made)
                elif name in scenario.actors and attribute not in ACTOR_WORDS:
                    yield self._undefined("an actor's", attribute, ACTOR_WORDS)
                elif name not in {*scenario.params, *scenario.actors, LEARNED, KEPT, MADE}:
                    yield self._undefined("variable", name, {*scenario.params, *scenario.actors})

    def _channels(self) -> Iterator[ScenarioError]:
        for channel in self._scenario.channels.values():
            for end in (channel.sender, channel.to):
                if end not in self._scenario.actors:
                    yield self._undefined("actor", end, self._scenario.actors)
            for word in channel.carries:
                if word != _VISIBLE and not word.startswith((_DEVICE, f"{KEPT}.", f"{MADE}.")):
                    yield from self._fact(word)

    def _knowledge(self) -> Iterator[ScenarioError]:
        for who, facts in self._scenario.knowledge.items():
            if who not in self._scenario.actors:
                yield self._undefined("actor", who, self._scenario.actors)
            for word in facts:
                yield from self._fact(word)

    def _fact(self, word: str) -> Iterator[ScenarioError]:
        """`param.fact`, or an actor's `password` or `totp`."""
        name, dot, _ = word.partition(".")
        self._used.add(name)
        known = {*self._scenario.params, *self._scenario.actors}
        if not dot or name not in known:
            yield self._undefined("fact", word, {f"{one}..." for one in known})

    def _goal(self, leak: str) -> Iterator[ScenarioError]:
        tree = predicate.parse(leak, self._line(leak))
        for atom in predicate.atoms(tree):
            if atom.name not in predicate.GOALS:
                yield self._undefined("predicate", atom.name, predicate.GOALS)
                continue
            if atom.name == "undetected":
                if not ADVANCE.fullmatch(atom.args[0][0]):
                    yield self._undefined("duration", atom.args[0][0], _DURATIONS)
                continue
            who = atom.args[0][0]
            actors = {*self._scenario.actors, predicate.ATTACKERS}
            if who not in actors:
                yield self._undefined("actor", who, actors)
            if atom.name == "knows":
                for word in atom.args[1]:
                    yield from self._fact(word)
            self._used.add(atom.args[-1][0])

    def _variants(self) -> Iterator[ScenarioError]:
        for name, others in self._scenario.variants.items():
            if name in self._scenario.params:
                if len(others) != 1 or not DRAWS.fullmatch(others[0]):
                    yield self._undefined("variant", f"{', '.join(others)}", ("3 draws",))
            elif name not in self._scenario.actors:
                known = {*self._scenario.params, *self._scenario.actors}
                yield self._undefined("param or actor", name, known)

    def _undefined(self, what: str, name: str, known: Iterable[object]) -> ScenarioError:
        return undefined(what, name, known, self._path, self._text)

    def _line(self, word: str) -> Where:
        return line(self._path, self._text, word)


def _shaped(step: Step) -> bool:
    kinds = (step.channel, step.advance, step.event, step.admin, step.fault, step.tamper)
    one = sum(1 for kind in kinds if kind)
    if one:
        may_name = step.tamper is not None or step.event is not None
        alone = not step.asks and (step.actor is None or may_name)
        return one == 1 and alone
    wire = step.http is not None and (step.request is not None or step.login is not None)
    return step.actor is not None and step.asks and not wire


def _plain(pattern: str) -> str:
    return pattern.replace("{", "(").replace("}", ")")
