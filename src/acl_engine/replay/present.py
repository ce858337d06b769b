"""From what the judge found to what a report shows. No verdict is made here."""

from collections.abc import Iterable, Iterator

from acl_engine.domain.text import Message, Text
from acl_engine.replay.drawing import assumed, side
from acl_engine.replay.honest_work import LegitResult
from acl_engine.replay.judge import Judge, Result
from acl_engine.replay.result import (
    Ablation,
    Actor,
    Allowed,
    Bound,
    Flag,
    Name,
    ScenarioResult,
    Side,
    Verdict,
)
from acl_engine.replay.scenario import Both, Scenario
from acl_engine.replay.verdict import NO_POSITIVE, NOT_NAMED, fell_short, keeps

DENIED = Text(
    "present.legit-denied",
    "正当工作 {who}：停在 {line}，由 {by}",
    "honest work {who}: denied at {line} by {by}",
)
SHOWN = Text(
    "present.legit-shown",
    "正当工作 {who}：多给了 {extra}，少给了 {missing}",
    "honest work {who}: shows {extra} too much, lacks {missing}",
)
VARIANT = Text(
    "present.variant",
    "换人 {name}：整改前 {before}，整改后 {after}",
    "variant {name}: before {before}, after {after}",
)


def present(result: Result, judge: Judge) -> ScenarioResult:
    """One scenario as a report shows it."""
    scenario = result.scenario
    honest, breach = result.runs.get("after"), result.runs.get("breach")
    wrong = {one.step for one in result.mismatches}
    before = result.runs.get("before") if judge.compare else None
    after = Side(result.after, judge.after.folder, False)
    if honest is not None:
        after = side(result.after, scenario, judge.truth, honest, wrong, judge.after.folder)
    return ScenarioResult(
        id=scenario.id,
        title=_name(scenario.title),
        case=scenario.source.case,
        patterns=scenario.source.patterns,
        severity=scenario.severity,
        controls=scenario.controls,
        goal=scenario.goal.leak if scenario.goal else "",
        story=_name(scenario.training.story),
        before=side(result.before, scenario, judge.truth, before, set(), judge.before.folder)
        if before is not None and result.before is not None
        else None,
        after=after,
        assumed=tuple(assumed(scenario, honest, breach, wrong)),
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
        refs=scenario.source.refs,
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
        for wrong in result.mismatches:
            yield _said(wrong.message)
        for one in result.legit:
            if not (one.allowed and one.exact):
                yield _said(_legit_problem(one))
    for other in result.variants:
        if not other.kept:
            said = {"before": other.before or "-", "after": other.after}
            yield _said(VARIANT.of(name=other.name, **said))
    if result.ablation.positive is False:
        yield _said(NO_POSITIVE.of())
    if not after.every_step_named:
        yield _said(NOT_NAMED.of())


def _legit_problem(one: LegitResult) -> Message:
    who = f"{one.legit.account} {one.legit.request.action}"
    if not one.allowed:
        by = " ".join(one.controls) or "-"
        return DENIED.of(who=who, line=one.line, by=by)
    stated = set(one.legit.shown or ())
    extra, missing = set(one.shown) - stated, stated - set(one.shown)
    words = (" ".join(sorted(some)) or "-" for some in (extra, missing))
    return SHOWN.of(who=who, **dict(zip(("extra", "missing"), words, strict=True)))


def _said(message: Message) -> Name:
    return Name(message.render("zh"), message.render("en"))


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
