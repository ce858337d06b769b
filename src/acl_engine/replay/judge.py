"""Verdicts: a scenario is blocked only if it leaks before, is stopped where and why its file says,
and leaks again with its controls off.

| verdict | meaning |
|---|---|
| BLOCKED | out of reach; stopped where and why the file says; the positive control leaks |
| BLOCKED_WRONG_REASON | out of reach, but another control did it |
| DEGRADED | a masked value with at least the tolerated number of candidates left |
| RESIDUAL | a leak within someone's rights, with its bound and owner |
| KEPT | honest work that was allowed, and nothing more was shown |
| LEAKED | the goal holds |
| VACUOUS | it does not leak with its controls off either: the file tests nothing |
| FALSE_DENIAL | an honest request was denied |
| OVERSHOWN | an honest request showed more, or less, than the file says |
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from acl_engine.domain.pack import Pack
from acl_engine.replay.ablation import Derived, without
from acl_engine.replay.goal import Reached, reached
from acl_engine.replay.result import Verdict
from acl_engine.replay.run import Assumed, Run, Runner, StepResult
from acl_engine.replay.scenario import Actor, Expect, Legit, Login, Scenario, Step
from acl_engine.replay.stage import Stage
from acl_engine.replay.transport import Serve
from acl_engine.replay.verdict import Findings, keeps, verdict_of
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database


@dataclass(frozen=True, slots=True)
class LegitResult:
    legit: Legit
    allowed: bool
    shown: tuple[str, ...]
    line: str
    controls: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return self.legit.shown is None or set(self.legit.shown) == set(self.shown)


@dataclass(frozen=True, slots=True)
class Ablation:
    """`single`: controls whose loss alone re-opens the leak; `sets`: minimal sets that do."""

    positive: bool | None
    single: tuple[str, ...] = ()
    sets: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    scenario: Scenario
    before: Verdict | None
    after: Verdict
    candidates: int | None
    runs: Mapping[str, Run]
    legit: tuple[LegitResult, ...]
    ablation: Ablation
    mismatches: tuple[str, ...] = ()
    error: str = ""

    @property
    def short(self) -> bool:
        """Whether it fell short of what its file says must hold."""
        must = self.scenario.must_hold
        return not keeps(must.after, self.after) or (
            self.before is not None and not keeps(must.before, self.before)
        )


@dataclass
class Judge:
    """Judges scenarios. `templates` are the world with weak and with strong secrets.

    `before` is the company that leaked: what it teaches is handed over in the assumed breach.
    """

    before: Pack
    after: Pack
    templates: Mapping[bool, Database]  # weak secrets -> database
    truth: Truth
    compare: bool = True  # judge `before` too
    ablate: bool = True
    serve: Serve | None = None  # what answers raw HTTP steps
    _derived: dict[frozenset[str], Derived] = field(default_factory=dict)

    @cached_property
    def _before(self) -> Derived:
        return Derived(self.before, frozenset(), True)

    @cached_property
    def _after(self) -> Derived:
        return Derived(self.after, frozenset(), not self.after.settings.login.strong_passwords)

    def judge(self, scenario: Scenario) -> Result:
        """Every run that the verdict needs. Raises only for a scenario that cannot be run."""
        if scenario.utility:
            return self._kept(scenario)
        base = self._run(scenario, self._before)
        derived = self._after
        honest = self._run(scenario, derived)
        breach = self._run(scenario, derived, base.after_step)
        legit = self._legit(scenario, derived)
        found = reached(scenario, honest, self.truth)
        ablation = self._ablation(scenario) if self.ablate else Ablation(None)
        mismatches = tuple(_mismatches(scenario, honest, breach))
        verdict = _verdict(scenario, found, mismatches, ablation, legit)
        before = reached(scenario, base, self.truth)
        return Result(
            scenario,
            (Verdict.LEAKED if before.holds else Verdict.BLOCKED) if self.compare else None,
            verdict,
            found.candidates,
            {"before": base, "after": honest, "breach": breach},
            legit,
            ablation,
            mismatches,
        )

    def _kept(self, scenario: Scenario) -> Result:
        derived = self._after
        legit = self._legit(scenario, derived)
        verdict = verdict_of(
            Findings(
                reached=False,
                utility=True,
                legit_denied=any(not one.allowed for one in legit),
                overshown=any(not one.exact for one in legit),
            )
        )
        return Result(scenario, None, verdict, None, {}, legit, Ablation(None))

    def _run(
        self,
        scenario: Scenario,
        derived: Derived,
        assumed: Assumed | None = None,
    ) -> Run:
        with self._stage(scenario, derived) as stage:
            return Runner(scenario, stage, assumed).run()

    @contextmanager
    def _stage(self, scenario: Scenario, derived: Derived) -> Iterator[Stage]:
        """A stage of one run; on disk where files and processes are to fail."""
        faults = any(step.fault for step in scenario.steps)
        with tempfile.TemporaryDirectory(prefix="acl-stage-") as folder:
            stage = Stage.open(
                self.templates[derived.weak],
                derived.pack,
                self.truth,
                weak=derived.weak,
                off=derived.components,
                at=scenario.world.at,
                folder=Path(folder) if faults else None,
                serve=self.serve,
                decider=derived.decider,
            )
            try:
                yield stage
            finally:
                stage.close()

    # --- what must stay possible ---------------------------------------------------------------

    def _legit(self, scenario: Scenario, derived: Derived) -> tuple[LegitResult, ...]:
        """Each honest request in a fresh copy of the world, on the person's own device."""
        return tuple(self._one_legit(scenario, derived, one) for one in scenario.legit)

    def _one_legit(self, scenario: Scenario, derived: Derived, legit: Legit) -> LegitResult:
        member = self.truth.world.staff[legit.account].member
        device = legit.device or member.device
        actor = Actor(legit.account, (device,), ("password", "totp"))
        step = Step("legit", actor="worker", login=Login(device=device), request=legit.request)
        knowledge = {"worker": tuple(_named_facts(legit, scenario))}
        alone = Scenario(
            schema="acl-scenario/1",
            id=scenario.id,
            title=scenario.title,
            status=scenario.status,
            severity=scenario.severity,
            source=scenario.source,
            world=scenario.world,
            must_hold=scenario.must_hold,
            training=scenario.training,
            params=scenario.params,
            actors={**scenario.actors, "worker": actor},
            knowledge=knowledge,
            steps=(step,),
        )
        outcome = self._run(alone, derived).steps[0].outcome
        if outcome is None:
            return LegitResult(legit, False, (), "untried", ())
        shown = sorted({name for view in outcome.views() for name in view if name != "handle"})
        return LegitResult(legit, outcome.allowed, tuple(shown), outcome.line, outcome.controls)

    # --- ablation ------------------------------------------------------------------------------

    def _ablation(self, scenario: Scenario) -> Ablation:
        controls = tuple(name for name in scenario.controls if name in self.after.controls)
        if len(controls) != len(scenario.controls) or not controls:
            return Ablation(None)
        positive = self._leaks_without(scenario, controls)
        if not positive:
            return Ablation(False)
        single = tuple(name for name in controls if self._leaks_without(scenario, (name,)))
        return Ablation(True, single, tuple(self._smallest(scenario, controls, single)))

    def _smallest(
        self, scenario: Scenario, controls: tuple[str, ...], single: tuple[str, ...]
    ) -> Iterable[tuple[str, ...]]:
        """Sets of controls whose loss re-opens the leak, and of which none can be left on."""
        if single:
            return [(name,) for name in single]
        found: list[tuple[str, ...]] = []
        for order in (controls, controls[::-1]):
            needed = list(order)
            for name in order:
                fewer = [one for one in needed if one != name]
                if fewer and self._leaks_without(scenario, fewer):
                    needed = fewer
            if tuple(sorted(needed)) not in found:
                found.append(tuple(sorted(needed)))
        return found

    def _leaks_without(self, scenario: Scenario, controls: Iterable[str]) -> bool:
        off = frozenset(controls)
        if off not in self._derived:
            self._derived[off] = without(self.after, sorted(off))
        run = self._run(scenario, self._derived[off])
        return reached(scenario, run, self.truth).holds


def _named_facts(legit: Legit, scenario: Scenario) -> Iterable[str]:
    """An honest worker is handed the number of the parcel that the work is about."""
    texts = (legit.request.key or "", *legit.request.by.values(), *legit.request.params.values())
    for name in scenario.params:
        for text in texts:
            if f"${{{name}." in text:
                yield text[text.index("{") + 1 : text.index("}")]


def _verdict(
    scenario: Scenario,
    found: Reached,
    mismatches: tuple[str, ...],
    ablation: Ablation,
    legit: tuple[LegitResult, ...],
) -> Verdict:
    within = scenario.residual is not None and found.people <= scenario.residual.people_a_day
    left = found.candidates or 0
    return verdict_of(
        Findings(
            reached=found.holds,
            as_stated=not mismatches,
            positive_leaks=ablation.positive,
            legit_denied=any(not one.allowed for one in legit),
            candidates=left,
            tolerance=left if found.tolerated else left + 1,
            residual=scenario.must_hold.after == "residual" and within,
            overshown=any(one.allowed and not one.exact for one in legit),
        )
    )


def _mismatches(scenario: Scenario, honest: Run, breach: Run) -> Iterable[str]:
    """Steps that were not stopped, or allowed, where and why the file says."""
    for step in scenario.steps:
        if step.expect is None:
            continue
        result = honest.result(step.id)
        if result is None or not result.tried:
            result = breach.result(step.id)
        if problem := _mismatch(step.expect, result):
            yield f"{step.id}: {problem}"


def _mismatch(expect: Expect, result: StepResult | None) -> str:
    if result is None or not result.tried or result.outcome is None:
        return "was never sent"
    outcome = result.outcome
    if (expect.decision == "allow") != outcome.allowed:
        return f"{'allowed' if outcome.allowed else f'denied at {outcome.line}'}"
    if outcome.allowed:
        shown = {name for view in outcome.views() for name in view if name != "handle"}
        if expect.shown is not None and set(expect.shown) != shown:
            return f"showed {' '.join(sorted(shown)) or 'nothing'}"
        return ""
    if expect.at is not None and expect.at != outcome.line:
        return f"stopped at {outcome.line}, not at {expect.at}"
    if expect.reason is not None and expect.reason != outcome.reason:
        return f"the reason was {outcome.reason or '-'}, not {expect.reason}"
    if expect.by and not set(expect.by) <= set(outcome.controls):
        return f"stopped by {' '.join(outcome.controls) or 'nothing named'}"
    return ""
