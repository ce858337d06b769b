"""Variants: what holds for the people in the file must hold for others; and losses by size."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from acl_engine.domain.errors import ScenarioError
from acl_engine.replay.judge import Judge
from acl_engine.replay.reading import read_scenario
from acl_engine.replay.result import Verdict
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.theatre import theatre
from acl_engine.replay.variants import variants

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "scenarios" / "courier"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with theatre(ROOT) as made:
        yield made


def scenario(name: str, **changes: object) -> Scenario:
    changed: Scenario = msgspec.structs.replace(read_scenario(FOLDER / name), **changes)
    return changed


def test_a_draw_is_another_person_and_the_same_in_every_run(judge: Judge) -> None:
    """Drawn from the seed: two runs of a file have the same victims, none of them twice."""
    file = scenario("case7-reverse-lookup.yaml")
    wide = {"victim": msgspec.structs.replace(file.params["victim"], where="not named(victim)")}
    file = msgspec.structs.replace(file, params=wide, variants={"victim": ("4 draws",)})
    first = [one.params["victim"].where for _, one in variants(file, judge.truth)]
    again = [one.params["victim"].where for _, one in variants(file, judge.truth)]
    assert first == again
    assert len(set(first)) == 4


def test_another_account_brings_its_own_device(judge: Judge) -> None:
    """The keeper logs in on the keeper's own screen, wherever the file says the manager's."""
    file = scenario("case7-reverse-lookup.yaml", variants={"insider": ("keeper-07",)})
    ((name, other),) = variants(file, judge.truth)
    assert name == "insider=keeper-07"
    assert other.actors["insider"].devices == ("pc-31",)
    assert {step.login.device for step in other.steps if step.login} <= {"pc-31", None}


def test_a_variant_that_leaks_falls_short(judge: Judge) -> None:
    """What holds for one insider alone is no proof for the others."""
    file = scenario("case7-reverse-lookup.yaml", variants={"insider": ("keeper-07", "sup-0427")})
    result = judge.judge(file)
    assert [one.kept for one in result.variants] == [True, True]
    closed = Judge(judge.after, judge.after, judge.templates, judge.truth, ablate=False)
    result = closed.judge(file)
    assert [one.before for one in result.variants] == [Verdict.BLOCKED, Verdict.BLOCKED]
    assert not any(one.kept for one in result.variants)
    assert result.short


def test_too_few_for_the_draws_is_the_files_fault(judge: Judge) -> None:
    """Fewer runs than promised would be a weaker proof, silently."""
    file = scenario("case7-other-couriers-load.yaml", variants={"target": ("1 draws",)})
    with pytest.raises(ScenarioError, match="too few"):
        list(variants(file, judge.truth))


def test_every_set_of_losses_is_tried_by_size(judge: Judge) -> None:
    """Two controls hold the keeper: either alone, so the only smallest set is both."""
    found = judge.judge(scenario("case7-keeper-nationwide.yaml")).ablation
    assert found.single == ()
    assert {frozenset(one) for one in found.sets} == {frozenset({"custody-scope", "field-masking"})}
    assert found.bound == 2
