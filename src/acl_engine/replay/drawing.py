"""One company's run as a report draws it: the steps, what is known at the end, what it took."""

from collections.abc import Iterator

from acl_engine.domain.errors import Where
from acl_engine.replay import predicate as p
from acl_engine.replay.casting import bind
from acl_engine.replay.detection import noticed
from acl_engine.replay.goal import reached
from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.predicate import ATTACKERS
from acl_engine.replay.result import Cost, Counted, Drawn, Known, Name, Shown, Side, Verdict
from acl_engine.replay.run import Run, StepResult, seconds
from acl_engine.replay.scenario import Scenario, Step
from acl_engine.replay.world.truth import Truth

# The query system in a picture.
ENGINE = "engine"
_DAY = 86_400


def side(
    verdict: Verdict, scenario: Scenario, truth: Truth, run: Run, wrong: set[str], policy: str
) -> Side:
    """One company's run. `wrong`: ids of the steps that went otherwise than the file says."""
    found = reached(scenario, run, truth)
    first = noticed(run)
    steps = tuple(_drawn(scenario, one, wrong) for one in run.steps)
    return Side(
        verdict=verdict,
        policy=policy,
        reached=found.holds,
        steps=steps,
        knowledge=tuple(_knowledge(scenario, truth, run)),
        counted=tuple(_counted(scenario, run, truth)),
        candidates=found.candidates or 0,
        cost=_cost(scenario, run),
        every_step_named=all(step.named for step in steps if step.tried),
        detected=first.seconds // 60 if first else None,
        traced=tuple(sorted(run.named)),
        detected_by=first.by if first else "",
    )


def _kind(step: Step) -> str:
    named = ("channel", "advance", "event", "admin", "fault", "tamper")
    return next((name for name in named if getattr(step, name)), "request")


def _drawn(scenario: Scenario, one: StepResult, wrong: set[str]) -> Drawn:
    step, outcome = one.step, one.outcome
    channel = scenario.channels.get(step.channel or "")
    kind = _kind(step)
    views = outcome.views() if outcome else []
    shown = {name: value for view in views[:1] for name, value in view.items() if name != "handle"}
    return Drawn(
        id=step.id,
        kind=kind,
        who=channel.sender if channel else step.actor or (step.admin.by if step.admin else ENGINE),
        to=channel.to if channel else ENGINE,
        what=Name(step.zh or step.id, step.en or step.id),
        tried=one.tried,
        allowed=outcome.allowed if outcome else one.tried,
        line=outcome.line if outcome else "",
        controls=outcome.controls if outcome else (),
        rule=(outcome.rule or "") if outcome else "",
        reason=outcome.reason if outcome else "",
        shown=tuple(Shown(name, value) for name, value in sorted(shown.items())),
        carried=tuple(sorted({fact.field for fact in one.taught})) if channel else (),
        as_stated=step.id not in wrong,
        named=outcome.named if outcome else True,
        records=len(views),
    )


def assumed(
    scenario: Scenario, honest: Run | None, breach: Run | None, wrong: set[str]
) -> Iterator[Drawn]:
    """Requests that the honest run never sent, as the assume-breach run sent them."""
    for one in breach.steps if breach else ():
        first = honest.result(one.step.id) if honest else None
        if one.step.asks and one.tried and not (first and first.tried):
            drawn = _drawn(scenario, one, wrong)
            yield Drawn(
                **{name: getattr(drawn, name) for name in Drawn.__slots__ if name != "assumed"},
                assumed=True,
            )


def _knowledge(scenario: Scenario, truth: Truth, run: Run) -> Iterator[Known]:
    """What every attacker knows of everything that the goal or the start speaks of."""
    entities = bind(scenario, truth)
    named = {word for words in scenario.knowledge.values() for word in words}
    if scenario.goal:
        for atom in p.atoms(p.parse(scenario.goal.leak, Where(scenario.id))):
            named |= {word for arg in atom.args for word in arg if "." in word}
    spoken = {word.split(".")[0] for word in named}
    for who, mind in run.minds.items():
        for name in sorted(spoken & set(entities)):
            for word, field in truth.vocabulary.words.items():
                facts = [Fact(one.key, field) for one in entities[name]]
                known = [(mind.left[fact], fact) for fact in facts if fact in mind.left]
                if known:
                    left, fact = min(known)
                    yield Known(who, f"{name}.{word}", left, _best(mind, fact))


def _best(mind: Mind, fact: Fact) -> str:
    seen = mind.views.get(fact, set())
    return min(sorted(seen), key=lambda value: value.count("*"), default="")


def _counted(scenario: Scenario, run: Run, truth: Truth) -> Iterator[Counted]:
    if scenario.goal is None:
        return
    for atom in p.atoms(p.parse(scenario.goal.leak, Where(scenario.id))):
        if atom.name == "knows_many":
            who, field, number = (arg[0] for arg in atom.args)
            minds = list(run.minds.values()) if who == ATTACKERS else [run.minds[who]]
            known = {
                fact.subject
                for mind in minds
                for fact, left in mind.left.items()
                if fact.field == truth.vocabulary.field(field) and left == 1
            }
            yield Counted(who, field, len(known), int(number))


def _cost(scenario: Scenario, run: Run) -> Cost:
    accounts: set[str] = set()
    devices: set[str] = set()
    lookups = 0
    for one in run.steps:
        if not one.tried or not one.step.asks or one.step.actor is None:
            continue
        asked = {entry.request for entry in one.entries if entry.action != "login"}
        lookups += max(len(asked), 1) if one.step.request or one.step.http else 0
        login = one.step.login
        name = login.account if login and login.account else one.step.actor
        accounts.add(scenario.actors[name].account or name)
        own = scenario.actors[one.step.actor].devices
        # Without a device of its own in the step, an actor logs in on the first that it has.
        if device := (login.device if login and login.device else next(iter(own), None)):
            devices.add(device)
    spent = sum(_advance(one) for one in run.steps)
    return Cost(len(accounts), len(devices), lookups, 1 + spent // _DAY)


def _advance(one: StepResult) -> int:
    return seconds(one.step.advance) if one.step.advance else 0
