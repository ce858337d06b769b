"""Every shipped scenario holds: it leaks before, is stopped for its reason after, and needs its
controls. And a weakened policy is noticed by the scenario that is about it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from acl_engine.cli.replay_site import ReplaySite
from acl_engine.domain.control import Edit
from acl_engine.replay.ablation import edited, without
from acl_engine.replay.judge import Judge, Verdict
from acl_engine.replay.reading import read_scenario
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.theatre import theatre

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scenarios" / "courier").glob("*.yaml"))


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with theatre(ROOT, serve=ReplaySite) as made:
        yield made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario_holds(file: Path, judge: Judge) -> None:
    """Before leaked, after as the file says, positive control leaks again."""
    result = judge.judge(read_scenario(file))
    assert not result.short, (result.before, result.after, result.mismatches, result.legit)
    if not result.scenario.utility:
        assert result.before is Verdict.LEAKED
        if result.scenario.controls:
            assert result.ablation.positive is True


def test_ids_are_unique_and_match_their_files() -> None:
    """A scenario is found by its id; two of one id would hide each other."""
    ids = [read_scenario(file).id for file in FILES]
    assert len(set(ids)) == len(ids)


PLANTED = {
    "courier.reverse-lookup": "no-reverse-lookup",
    "courier.off-shift": "shift",
    "courier.other-couriers-load": "assignment-scope",
    "courier.whole-days-list": "next-stops",
    "courier.other-merchants-order": "tenant-isolation",
    "courier.number-behind-dial": "dial-broker",
}


@pytest.mark.parametrize("id_", PLANTED)
def test_a_weakened_policy_is_noticed(id_: str, judge: Judge) -> None:
    """The scenario is not blocked by accident: without its control it falls short."""
    weaker = Judge(
        judge.before,
        without(judge.after, [PLANTED[id_]]).pack,
        judge.templates,
        judge.truth,
        ablate=False,
    )
    result = weaker.judge(_by_id(id_))
    assert result.after is Verdict.LEAKED
    assert result.short


def test_blocked_by_another_control_is_no_pass(judge: Judge) -> None:
    """A dead control behind a living one is named, not hidden."""
    scenario = _by_id("courier.strangers-scanner")
    pack = judge.after
    for edit in pack.controls["device-binding"].off:
        pack = edited(pack, edit)
    weaker = Judge(judge.before, pack, judge.templates, judge.truth, ablate=False)
    assert weaker.judge(scenario).after is Verdict.BLOCKED_WRONG_REASON


def test_denying_everything_is_no_answer(judge: Judge) -> None:
    """A policy that forbids the honest courier too is a false denial."""
    row = "p, no.reads, staff, waybill, read, anyone, any, none, deny"
    pack = edited(judge.after, Edit("add", "", row))
    closed = Judge(judge.before, pack, judge.templates, judge.truth, ablate=False)
    assert closed.judge(_by_id("courier.reverse-lookup")).after is Verdict.FALSE_DENIAL


def test_a_scenario_that_tests_nothing_is_vacuous(judge: Judge) -> None:
    """If it does not leak with its controls off either, it proves nothing."""
    scenario = _by_id("courier.other-couriers-load")
    assert scenario.goal is not None
    nothing = msgspec.structs.replace(scenario, controls=("tenant-isolation",))
    result = judge.judge(nothing)
    assert result.after is Verdict.VACUOUS
    assert result.short


def test_every_step_is_named_in_the_log(judge: Judge) -> None:
    """For each request, answered or refused, the audit log names the account."""
    for file in FILES:
        result = judge.judge(read_scenario(file)) if "reverse" in file.stem else None
        if result is None:
            continue
        for run in result.runs.values():
            for step in run.steps:
                if step.outcome is not None and step.outcome.request:
                    assert step.outcome.named, (file.stem, step.step.id)


def _by_id(id_: str) -> Scenario:
    found = [one for one in map(read_scenario, FILES) if one.id == id_]
    return found[0]


def test_every_control_is_what_some_scenario_needs(judge: Judge) -> None:
    """A control that no leak needs is a promise that nothing keeps."""
    needed = {name for one in map(read_scenario, FILES) for name in one.controls}
    assert set(judge.after.controls) <= needed
