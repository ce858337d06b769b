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

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from acl_engine.domain.pack import Pack
from acl_engine.replay.ablation import Derived
from acl_engine.replay.expectation import Mismatch, mismatches
from acl_engine.replay.goal import Reached
from acl_engine.replay.honest_work import LegitResult, honest_work
from acl_engine.replay.losses import Ablation, Losses
from acl_engine.replay.result import Variant, Verdict
from acl_engine.replay.run import Run
from acl_engine.replay.runs import Runs
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.templates import Templates
from acl_engine.replay.transport import Serve
from acl_engine.replay.variants import variants
from acl_engine.replay.verdict import Findings, keeps, verdict_of
from acl_engine.replay.world.truth import Truth

_NOT_TRIED = Ablation(None)


@dataclass(frozen=True, slots=True)
class Result:
    """`runs`: before, after (the honest run) and breach. `mismatches`: steps that went otherwise
    than the file says."""

    scenario: Scenario
    before: Verdict | None
    after: Verdict
    candidates: int | None
    runs: Mapping[str, Run]
    legit: tuple[LegitResult, ...]
    ablation: Ablation
    mismatches: tuple[Mismatch, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def short(self) -> bool:
        """Whether it fell short of what its file says must hold."""
        return not all(one.kept for one in (*self.variants, self.itself))

    @property
    def itself(self) -> Variant:
        must = self.scenario.must_hold
        kept = keeps(must.after, self.after)
        kept &= self.before is None or keeps(must.before, self.before)
        return Variant("", self.before, self.after, kept)


@dataclass
class Judge:
    """Judges scenarios. `templates` are the world with weak and with strong secrets.

    `before` is the company that leaked: what it teaches is handed over in the assumed breach.
    """

    before: Pack
    after: Pack
    templates: Templates
    truth: Truth
    compare: bool = True  # judge `before` too
    ablate: bool = True
    serve: Serve | None = None  # what answers raw HTTP steps
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.runs = Runs(self.templates, self.truth, self.serve)

    def judge(self, scenario: Scenario) -> Result:
        """Every run that the verdict needs. Raises only for a scenario that cannot be run."""
        legit = honest_work(scenario, self._after, self.runs)
        if scenario.utility:
            return Result(scenario, None, _utility(legit), None, {}, legit, _NOT_TRIED)
        ablation = self._losses.of(scenario) if self.ablate else _NOT_TRIED
        result = self._judged(scenario, legit, ablation)
        others = variants(scenario, self.truth)
        return _with(result, [(name, self._judged(one, (), _NOT_TRIED)) for name, one in others])

    def _judged(
        self, scenario: Scenario, legit: tuple[LegitResult, ...], ablation: Ablation
    ) -> Result:
        base = self.runs.run(scenario, self._before)
        honest = self.runs.run(scenario, self._after)
        breach = self.runs.run(scenario, self._after, base.after_step)
        found, before = (self.runs.reached(scenario, run) for run in (honest, base))
        wrong = tuple(mismatches(scenario, honest, breach))
        leaked = Verdict.LEAKED if before.holds else Verdict.BLOCKED
        return Result(
            scenario,
            leaked if self.compare else None,
            _verdict(scenario, found, wrong, ablation, legit),
            found.candidates,
            {"before": base, "after": honest, "breach": breach},
            legit,
            ablation,
            wrong,
        )

    @cached_property
    def _before(self) -> Derived:
        return Derived(self.before, frozenset(), True)

    @cached_property
    def _after(self) -> Derived:
        return Derived(self.after, frozenset(), not self.after.settings.login.strong_passwords)

    @cached_property
    def _losses(self) -> Losses:
        return Losses(self.runs, self.after)


def _with(result: Result, others: list[tuple[str, Result]]) -> Result:
    found = (replace(one.itself, name=name) for name, one in others)
    return replace(result, variants=tuple(found))


def _utility(legit: tuple[LegitResult, ...]) -> Verdict:
    return verdict_of(
        Findings(
            reached=False,
            utility=True,
            legit_denied=any(not one.allowed for one in legit),
            overshown=any(not one.exact for one in legit),
        )
    )


def _verdict(
    scenario: Scenario,
    found: Reached,
    wrong: tuple[Mismatch, ...],
    ablation: Ablation,
    legit: tuple[LegitResult, ...],
) -> Verdict:
    within = scenario.residual is not None and found.people <= scenario.residual.people_a_day
    left = found.candidates or 0
    return verdict_of(
        Findings(
            reached=found.holds,
            as_stated=not wrong,
            positive_leaks=ablation.positive,
            legit_denied=any(not one.allowed for one in legit),
            candidates=left,
            tolerance=left if found.tolerated else left + 1,
            residual=scenario.must_hold.after == "residual" and within,
            overshown=any(one.allowed and not one.exact for one in legit),
        )
    )
