"""A scenario against its pack: every control, role, field and resource it names must exist.

The reader checks a file by itself; this checks it against what it will run under, so that a
mistyped control is an error and not a test of nothing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from acl_engine.domain.errors import Where
from acl_engine.domain.pack import Pack
from acl_engine.replay import predicate
from acl_engine.replay.reading import undefined
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.vocabulary import Vocabulary
from acl_engine.replay.words import VARIABLE
from acl_engine.replay.world.truth import Truth

LINES = ("login", "admin", "http", "call", *(str(number) for number in range(12)))


def check_against(scenario: Scenario, before: Pack, after: Pack, path: Path | None = None) -> None:
    """Raises ScenarioError for the first name that does not exist, with the line in `path`."""
    text = path.read_text(encoding="utf-8") if path else ""
    path = path or Path(scenario.id)
    for what, name, known in _unknown(scenario, before, after):
        raise undefined(what, name, known, path, text)


def check_world(scenario: Scenario, truth: Truth, path: Path) -> None:
    """Raises ScenarioError for the first account that the world does not have."""
    text = path.read_text(encoding="utf-8")
    known = truth.world.staff.keys() | _created(scenario)
    cast = [one.login for one in truth.world.company.cast]
    for login in _logins(scenario):
        if login not in known and login not in scenario.actors:
            raise undefined("account", login, cast, path, text)


def _logins(scenario: Scenario) -> Iterator[str]:
    for actor in scenario.actors.values():
        if actor.account:
            yield actor.account
    for step in scenario.steps:
        for name in ("account", "by", "made_by", "onto"):
            if (login := getattr(step.deed, name, None)) is not None:
                yield login
    for legit in scenario.legit:
        yield legit.account
    for name, others in scenario.variants.items():
        yield from others if name in scenario.actors else ()


def _created(scenario: Scenario) -> set[str]:
    """Accounts that a step of the file makes."""
    return {str(getattr(step.admin, "login", "")) for step in scenario.steps}


def _unknown(
    scenario: Scenario, before: Pack, after: Pack
) -> Iterator[tuple[str, str, Iterable[str]]]:
    controls = {*before.controls, *after.controls}
    field_of = Vocabulary.of(after.resources).field
    for name in _controls(scenario):
        if name not in controls:
            yield "control", name, controls
    for step in scenario.steps:
        if step.expect and step.expect.at is not None and step.expect.at not in LINES:
            yield "step of the line", step.expect.at, LINES
    requests = [step.request for step in scenario.steps if step.request]
    for request in (*requests, *(legit.request for legit in scenario.legit)):
        spec = after.resources.get(request.resource)
        if spec is None:
            yield "resource", request.resource, after.resources
            continue
        for field in (*request.fields, *request.by):
            if field_of(field) not in {*spec.fields, *spec.attributes}:
                yield "field", field, spec.fields
    yield from _facts(scenario, after)


def _facts(scenario: Scenario, after: Pack) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Every `param.fact` must be a field of some record, or a scenario's word for one."""
    field_of = Vocabulary.of(after.resources).field
    fields = {name for spec in after.resources.values() for name in (*spec.fields, spec.key)}
    words = [word for channel in scenario.channels.values() for word in channel.carries]
    words += [word for facts in scenario.knowledge.values() for word in facts]
    words += [
        f"{name}.{fact}" for text in scenario.texts() for name, fact in VARIABLE.findall(text)
    ]
    if scenario.goal:
        tree = predicate.parse(scenario.goal.leak, Where(scenario.id))
        words += [w for one in predicate.atoms(tree) for arg in one.args for w in arg]
    for word in words:
        name, _, fact = word.partition(".")
        if name in scenario.params and fact and field_of(fact) not in fields:
            yield "fact", word, fields


def _controls(scenario: Scenario) -> Iterator[str]:
    yield from scenario.controls
    for step in scenario.steps:
        if step.expect:
            yield from step.expect.by
