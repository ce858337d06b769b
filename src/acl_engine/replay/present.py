"""From what the judge found to what a report shows. No verdict is made here."""

from collections.abc import Iterable, Iterator

from acl_engine.domain.errors import Where
from acl_engine.replay import predicate as p
from acl_engine.replay.casting import bind
from acl_engine.replay.detection import noticed
from acl_engine.replay.goal import reached
from acl_engine.replay.honest_work import LegitResult
from acl_engine.replay.judge import Judge, Result
from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.predicate import ATTACKERS
from acl_engine.replay.result import (
    Ablation,
    Actor,
    Allowed,
    Bound,
    Cost,
    Counted,
    Drawn,
    Flag,
    Known,
    Name,
    ScenarioResult,
    Shown,
    Side,
    Verdict,
)
from acl_engine.replay.run import Run, StepResult, seconds
from acl_engine.replay.scenario import Both, Scenario, Step
from acl_engine.replay.verdict import NO_POSITIVE, NOT_NAMED, fell_short, keeps
from acl_engine.replay.world.truth import Truth

# The query system in a picture.
ENGINE = "engine"
_DAY = 86_400


def present(result: Result, judge: Judge) -> ScenarioResult:
    """One scenario as a report shows it."""
    scenario = result.scenario
    honest, breach = result.runs.get("after"), result.runs.get("breach")
    wrong = {text.split(":")[0] for text in result.mismatches}
    before = result.runs.get("before") if judge.compare else None
    after = _side(result.after, scenario, judge, honest, wrong, judge.after.folder)
    return ScenarioResult(
        id=scenario.id,
        title=_name(scenario.title),
        case=scenario.source.case,
        patterns=scenario.source.patterns,
        severity=scenario.severity,
        controls=scenario.controls,
        goal=scenario.goal.leak if scenario.goal else "",
        story=_name(scenario.training.story),
        before=_side(result.before, scenario, judge, before, set(), judge.before.folder)
        if before is not None and result.before is not None
        else None,
        after=after,
        assumed=tuple(_assumed(scenario, honest, breach, wrong)),
        ablation=_ablation(result),
        legit=tuple(_allowed(one) for one in result.legit),
        residual=_bound(scenario),
        actors=tuple(
            Actor(id_, Name(one.zh or id_, one.en or id_), one.account or "", one.devices)
            for id_, one in scenario.actors.items()
        ),
        hints=tuple(_name(hint) for hint in scenario.training.hints),
        flags=tuple(Flag(one.id, _name(one.ask), one.answer) for one in scenario.training.flags),
        law=scenario.maps.law,
        variants=result.variants,
        problems=tuple(_problems(result, judge, after)),
    )


def skipped(scenario: Scenario, verdict: Verdict, why: Name) -> ScenarioResult:
    """A file that was not run, or broke while it ran: never counted as blocked."""
    return ScenarioResult(
        id=scenario.id,
        title=_name(scenario.title),
        case=scenario.source.case,
        patterns=scenario.source.patterns,
        severity=scenario.severity,
        controls=scenario.controls,
        goal=scenario.goal.leak if scenario.goal else "",
        story=_name(scenario.training.story),
        after=Side(verdict, "", False, why=why.en),
        problems=(why,),
    )


def _problems(result: Result, judge: Judge, after: Side) -> Iterator[Name]:
    must = result.scenario.must_hold
    # One policy alone is asked for what the file says of `after`; `before` is then no promise.
    if result.before is not None and not keeps(must.before, result.before):
        yield fell_short("before", must.before, result.before)
    if not keeps(must.after, result.after):
        yield fell_short("after", must.after, result.after)
        for text in result.mismatches:
            yield Name(text, text)
        for one in result.legit:
            if not (one.allowed and one.exact):
                text = f"{one.legit.account} {one.legit.request.action}: {_legit_problem(one)}"
                yield Name(text, text)
    for other in result.variants:
        if not other.kept:
            text = f"{other.name}: before {other.before or '-'}, after {other.after}"
            yield Name(text, text)
    if result.ablation.positive is False:
        yield Name(NO_POSITIVE.of().render("zh"), NO_POSITIVE.of().render("en"))
    if not after.every_step_named:
        yield Name(NOT_NAMED.of().render("zh"), NOT_NAMED.of().render("en"))


def _legit_problem(one: LegitResult) -> str:
    if not one.allowed:
        return f"denied at {one.line} by {' '.join(one.controls) or '-'}"
    stated = set(one.legit.shown or ())
    extra, missing = set(one.shown) - stated, stated - set(one.shown)
    return (
        f"shows {' '.join(sorted(extra)) or '-'} too much, lacks {' '.join(sorted(missing)) or '-'}"
    )


# --- one company ---------------------------------------------------------------------------------


def _side(
    verdict: Verdict | None,
    scenario: Scenario,
    judge: Judge,
    run: Run | None,
    wrong: set[str],
    policy: str,
) -> Side:
    if run is None or verdict is None:
        return Side(verdict or Verdict.ERROR, policy, False)
    found = reached(scenario, run, judge.truth)
    first = noticed(run)
    steps = tuple(_drawn(scenario, one, wrong) for one in run.steps)
    return Side(
        verdict=verdict,
        policy=policy,
        reached=found.holds,
        steps=steps,
        knowledge=tuple(_knowledge(scenario, judge, run)),
        counted=tuple(_counted(scenario, run, judge.truth)),
        candidates=found.candidates or 0,
        cost=_cost(scenario, run),
        every_step_named=all(step.named for step in steps if step.tried),
        detected=first.seconds // 60 if first else None,
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
        who=channel.sender if channel else step.actor or ENGINE,
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


def _assumed(
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


def _knowledge(scenario: Scenario, judge: Judge, run: Run) -> Iterator[Known]:
    """What every attacker knows of everything that the goal or the start speaks of."""
    entities = bind(scenario, judge.truth)
    named = {word for words in scenario.knowledge.values() for word in words}
    if scenario.goal:
        for atom in p.atoms(p.parse(scenario.goal.leak, Where(scenario.id))):
            named |= {word for arg in atom.args for word in arg if "." in word}
    spoken = {word.split(".")[0] for word in named}
    for who, mind in run.minds.items():
        for name in sorted(spoken & set(entities)):
            for word, field in judge.truth.vocabulary.words.items():
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
    requests = 0
    for one in run.steps:
        if not one.tried or not one.step.asks or one.step.actor is None:
            continue
        requests += 1
        login = one.step.login
        name = login.account if login and login.account else one.step.actor
        accounts.add(scenario.actors[name].account or name)
        own = scenario.actors[one.step.actor].devices
        # Without a device of its own in the step, an actor logs in on the first that it has.
        if device := (login.device if login and login.device else next(iter(own), None)):
            devices.add(device)
    spent = sum(_advance(one) for one in run.steps)
    return Cost(len(accounts), len(devices), requests, 1 + spent // _DAY)


def _advance(one: StepResult) -> int:
    return seconds(one.step.advance) if one.step.advance else 0


# --- the rest ------------------------------------------------------------------------------------


def _ablation(result: Result) -> Ablation | None:
    found = result.ablation
    if found.positive is None:
        return None
    positive = Verdict.LEAKED if found.positive else Verdict.BLOCKED
    single = {name: name in found.single for name in result.scenario.controls}
    return Ablation(positive, single, found.sets, found.bound)


def _allowed(one: LegitResult) -> Allowed:
    stated = set(one.legit.shown) if one.legit.shown is not None else set(one.shown)
    action = one.legit.request.action
    return Allowed(
        account=one.legit.account,
        what=Name(one.legit.zh or action, one.legit.en or action),
        allowed=one.allowed,
        line=one.line,
        controls=one.controls,
        shown=one.shown,
        missing=tuple(sorted(stated - set(one.shown))) if one.allowed else (),
        extra=tuple(sorted(set(one.shown) - stated)),
    )


def _bound(scenario: Scenario) -> Bound | None:
    risk = scenario.residual
    if risk is None:
        return None
    return Bound(risk.people_a_day, _name(risk.noticed_by), risk.named, risk.owner, risk.until)


def _name(both: Both) -> Name:
    return Name(both.zh, both.en)


def names_of(pairs: Iterable[tuple[str, str, str]]) -> dict[str, Name]:
    """(id, zh, en) as names by id."""
    return {id_: Name(zh, en) for id_, zh, en in pairs}
