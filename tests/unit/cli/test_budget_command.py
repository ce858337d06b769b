"""acl budget: what was looked at, by window and kind of data, in both languages and as JSON."""

import json

import pytest
from click.testing import CliRunner, Result
from tests.line_world import template

from acl_engine.cli import cli
from acl_engine.domain.errors import InputError


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("budget")
    template(folder)[0].close()
    looked = (
        "lookup",
        "--as",
        "courier-88",
        "--action",
        "search",
        "--by",
        "stage=OUT_FOR_DELIVERY",
    )
    found = f"sqlite:///{folder / 'line.db'}"
    acl(found, *looked)
    return found


def acl(url: str, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--database", url], catch_exceptions=False)


def test_looks_and_persons_are_told_apart(url: str) -> None:
    """Eight parcels are eight looks; their two recipients count once each, by kind of data."""
    done = acl(url, "budget", "--account", "courier-88", "--device", "pda-88", "--format", "json")
    found = json.loads(done.output)["budgets"]
    used = {(one["per"], one["window"], one["data"] or one["of"]): one["used"] for one in found}
    assert used["account", "day", "looks"] == used["device", "day", "looks"] == 8
    assert used["person", "30d", "address"] == used["device", "day", "address"] == 2
    assert used["person", "30d", "name"] == 0.2
    assert used["person", "year", "id_number"] == 0
    assert {one["state"] for one in found} == {"ok"}


def test_both_languages(url: str) -> None:
    assert "whereabouts" in acl(url, "budget", "--account", "courier-88").output
    assert "行踪" in acl(url, "--lang", "zh", "budget", "--account", "courier-88").output


@pytest.mark.parametrize("per", ["account", "device", "unit"])
def test_what_there_is_not_is_told_so(url: str, per: str) -> None:
    """A mistyped name is no empty budget."""
    with pytest.raises(InputError) as caught:
        acl(url, "budget", f"--{per}", "nobody")
    assert "`nobody`" in str(caught.value)


def test_whom_to_ask_about_must_be_said(url: str) -> None:
    assert acl(url, "budget").exit_code == 2
