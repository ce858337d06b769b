"""The page for people who are no programmers names everything that they may meet in the files."""

import re
from pathlib import Path

import pytest

from acl_engine.policy.pack import FILES, load_pack, pack_from_files
from acl_engine.policy.pack_rows import COLUMNS

COURIER = Path(__file__).parents[3] / "policies" / "courier"
README = (COURIER / "README.md").read_text()
PARTS = {"zh": README.split("\n---\n")[1], "en": README.split("\n---\n")[2]}
AFTER = load_pack(COURIER / "after")


@pytest.mark.parametrize("lang", PARTS)
def test_each_word_of_a_row_is_explained(lang: str) -> None:
    """Files, columns, relations, stages, actions and masks, in both languages."""
    masks = {how for row in AFTER.rows for _, how in row.grants if how != "clear"}
    words = {*FILES, *COLUMNS, *AFTER.relations, *AFTER.resources["waybill"].stages, *masks}
    words |= {row.action for row in AFTER.rows}
    assert sorted(word for word in words if f"`{word}`" not in PARTS[lang]) == []


@pytest.mark.parametrize("lang", PARTS)
def test_the_page_names_no_relation_that_is_gone(lang: str) -> None:
    """A word that was renamed in the file is renamed on the page."""
    table = PARTS[lang].split("\n|---|---|\n")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines()))
    assert sorted(named) == sorted(AFTER.relations)


@pytest.mark.parametrize("lang", PARTS)
def test_the_row_to_add_is_one_that_loads(lang: str) -> None:
    """Whoever copies the example gets a policy that passes."""
    (example,) = re.findall(r"^ +(p, keeper\.delivered, .*)$", PARTS[lang], re.MULTILINE)
    files = {**AFTER.files, "policy.csv": f"{AFTER.files['policy.csv']}{example}\n"}
    assert "keeper.delivered" in {row.id for row in pack_from_files(files).rows}


def test_the_row_that_is_taken_apart_stands_in_the_file() -> None:
    """The example of the column table is a real row."""
    (example,) = re.findall(r"^p, courier\.load, .*$", PARTS["zh"], re.MULTILINE)
    assert example in AFTER.files["policy.csv"].splitlines()
