"""acl mask: what it prints, and one line for what is wrong."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from acl_engine.cli import cli
from acl_engine.domain.errors import InputError


def run(*args: str) -> str:
    done = CliRunner().invoke(cli, ["mask", *args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_profile_is_listed_in_both_languages() -> None:
    assert "screen-strict" in run("list")
    done = CliRunner().invoke(cli, ["--lang", "zh", "mask", "list"])
    assert "不合规" in done.output


def test_strength_names_the_weak_and_measures_the_join() -> None:
    out = run("strength", "legacy-3-4", "pickup")
    assert "not compliant" in out
    assert "legacy-3-4 + pickup" in out
    assert max(map(len, out.splitlines())) < 250


def test_strength_in_one_city_as_json() -> None:
    document = json.loads(run("strength", "legacy-3-4", "--city", "深圳", "--format", "json"))
    phone = document["profiles"][0]["fields"][0]
    assert (phone["field"], phone["median"]) == ("phone", 238)
    assert document["flagged"] == {"legacy-3-4": "mask-profile-non-compliant"}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["no-such-profile"], "mask-profile-unknown"),
        (["pickup", "--city", "Atlantis"], "segments-city-unknown"),
    ],
)
def test_what_does_not_exist_is_one_error(args: list[str], code: str) -> None:
    with pytest.raises(InputError) as caught:
        run("strength", *args)
    assert caught.value.message.code == code


AFTER = str(Path(__file__).parents[3] / "policies" / "courier" / "after")


def test_the_views_of_a_coalition_are_listed_and_joined() -> None:
    out = run("strength", "--policy", AFTER, "--who", "courier", "station_clerk")
    assert "label.render (on paper)" in out
    assert "together" in out
    assert "`phone`: 1,000 left at the least" in out


def test_an_account_is_its_person_s_roles() -> None:
    """`courier-88` stands in the seed's cast; the views are those of its role."""
    account = json.loads(
        run("strength", "--policy", AFTER, "--who", "courier-88", "--format", "json")
    )
    role = json.loads(run("strength", "--policy", AFTER, "--who", "courier", "--format", "json"))
    assert account["roles"] == ["courier"]
    assert account["joins"] == role["joins"]


def test_a_join_under_the_minimum_is_exit_code_1(tmp_path: Path) -> None:
    folder = tmp_path / "courier" / "worse"
    shutil.copytree(AFTER, folder)
    policy = folder / "policy.csv"
    policy.write_text(policy.read_text().replace("phone=mask:pickup", "phone=mask:legacy-3-4"))
    words = ["mask", "strength", "--policy", str(folder), "--who", "station_clerk"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 1
    assert "under the policy's minimum of 1,000" in done.output
    assert CliRunner().invoke(cli, ["policy", "check", str(folder)]).exit_code == 1


def test_who_sees_nothing_is_told_so_and_who_is_not_there_is_one_error() -> None:
    assert "sees no phone" in run("strength", "--policy", AFTER, "--who", "finance")
    with pytest.raises(InputError) as caught:
        run("strength", "--policy", AFTER, "--who", "nobody")
    assert caught.value.message.code == "mask-strength.nobody"


@pytest.mark.parametrize("args", [[], ["--who", "courier"], ["--policy", AFTER]])
def test_half_a_question_is_refused(args: list[str]) -> None:
    assert CliRunner().invoke(cli, ["mask", "strength", *args]).exit_code == 2
