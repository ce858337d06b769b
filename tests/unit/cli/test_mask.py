"""acl mask: what it prints, and one line for what is wrong."""

import json

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
