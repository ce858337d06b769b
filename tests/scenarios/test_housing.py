"""The second pack, after the eighth public case, holds with no path of its own through the code."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from acl_engine.analysis.pack_lints import check
from acl_engine.replay.ablation import without
from acl_engine.replay.judge import Judge, Verdict
from acl_engine.replay.reading import read_scenario
from acl_engine.replay.theatre import theatre
from acl_engine.replay.world.seed import read_seed

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scenarios" / "housing").glob("*.yaml"))


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with theatre(ROOT, pack="housing") as made:
        yield made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario_holds(file: Path, judge: Judge) -> None:
    """Before leaked, after as the file says, positive control leaks again."""
    result = judge.judge(read_scenario(file))
    assert not result.short, (result.before, result.after, result.mismatches, result.legit)
    if not result.scenario.utility:
        assert result.before is Verdict.LEAKED
        assert result.ablation.positive is True


def test_a_published_list_without_its_masks_is_noticed(judge: Judge) -> None:
    """The scenario is not blocked by accident."""
    weaker = without(judge.after, ["field-masking"]).pack
    judged = Judge(judge.before, weaker, judge.templates, judge.truth, ablate=False)
    file = next(one for one in FILES if one.stem == "case8-crawl-the-list")
    assert judged.judge(read_scenario(file)).after is Verdict.LEAKED


def test_the_remediated_department_has_no_error_and_no_warning() -> None:
    found = check(ROOT / "policies" / "housing" / "after")
    assert [one for one in found if one.level != "note"] == []


def test_nobody_on_the_lists_is_real() -> None:
    """Every ID number has a valid check digit and a birth year of 2099; nobody stands twice."""
    company, _ = read_seed(ROOT / "seeds" / "housing")
    numbers = [row["id_number"] for spec in company.lists for row in spec.rows]
    assert len(numbers) == len(set(numbers)) == 184
    for number in numbers:
        assert number[6:10] == "2099"
        total = sum(
            (10 if sign == "X" else int(sign)) * pow(2, 17 - at) for at, sign in enumerate(number)
        )
        assert total % 11 == 1


def test_no_courier_s_word_is_left_where_another_company_is_replayed() -> None:
    """The theatre speaks by catalogue and seed: a field of parcels in it is a path of its own."""
    rooms = ROOT / "src" / "acl_engine" / "replay"
    neutral = ["goal", "casting", "learning", "knowledge", "words", "check", "present", "run"]
    for name in neutral:
        text = (rooms / f"{name}.py").read_text()
        for word in ('waybill_no"', "recipient_phone", "recipient_name", 'dest_unit"]'):
            assert word not in text, (name, word)
