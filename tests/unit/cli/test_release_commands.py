"""acl publish, acl export: from the list to the folder and back, as its users type it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acl_engine.cli import cli
from acl_engine.domain.errors import InputError

LIST = Path(__file__).parents[3] / "seeds" / "housing" / "gongzufang-2026-2.csv"


def acl(*words: str, code: int = 0) -> Result:
    got = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert got.exit_code == code, got.output
    return got


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'h.db'}"
    acl("world", "build", "--pack", "housing", "--database", url)
    return url


def publishing(url: str, source: Path = LIST) -> tuple[str, ...]:
    return (
        *("publish", str(source), "--drop", "序号", "--database", url, "--as", "publisher-01"),
        *("--by", "list=gongzufang-2026-2", "--by", "stage=REVIEWED"),
        *("--purpose", "public-notice", "--days", "30", "--format", "json"),
    )


def agree(url: str, *words: str) -> str:
    case = str(json.loads(acl(*words).output)["case"])
    acl("approval", "approve", case, "--database", url, "--as", "director-01")
    return case


def test_a_list_is_published_masked_and_swept(world: str, tmp_path: Path) -> None:
    words = publishing(world)
    case = agree(world, *words)
    said = json.loads(acl(*words, "--case", case, "--site", str(tmp_path)).output)
    file = Path(said["copies"][0]["file"])
    text = file.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].count(",") == 5
    original = LIST.read_text(encoding="utf-8").splitlines()[1:]
    assert len(text.splitlines()) == len(original) + 1
    for line in original:
        cells = line.split(",")
        assert not any(len(cell) > 2 and cell in text for cell in cells)
    assert file.stat().st_mode & 0o777 == 0o644
    acl("publish", "sweep", "--site", str(tmp_path), "--database", world)
    (tmp_path / "by-hand.csv").write_text("x")
    swept = acl("publish", "sweep", "--site", str(tmp_path), "--database", world, code=1)
    assert "by-hand.csv" in swept.output


def test_a_list_in_another_encoding_is_the_same_list(world: str, tmp_path: Path) -> None:
    """GB 18030 and UTF-16 are read as what they are: the agreement holds for the content."""
    case = agree(world, *publishing(world))
    other = tmp_path / "list.csv"
    other.write_bytes(LIST.read_text(encoding="utf-8").encode("gb18030"))
    acl(*publishing(world, other), "--case", case, "--site", str(tmp_path))


def test_an_export_goes_to_its_recipients_and_a_leaked_copy_names_one(
    world: str, tmp_path: Path
) -> None:
    words = (
        *("export", "--database", world, "--as", "reviewer-01", "--by", "list=butie-2026"),
        *("--purpose", "supervision", "--to", "audit-office", "--to", "archive"),
        *("--days", "30", "--format", "json"),
    )
    case = agree(world, *words)
    acl(*words, "--case", case, "--out", str(tmp_path))
    acl(*words, "--case", case, "--out", str(tmp_path), code=1)
    listed = json.loads(acl("export", "list", "--database", world, "--format", "json").output)
    mine = [one for one in listed["copies"] if one["case"] == case]
    assert {one["recipient"] for one in mine} == {"audit-office", "archive"}
    for one in mine:
        leaked = str(tmp_path / f"{one['id']}.csv")
        asked = ("audit", "trace", leaked, "--database", world, "--by", "auditor-h1")
        traced = json.loads(acl(*asked, "--format", "json").output)
        first = traced["copies"][0]
        assert (first["recipient"], first["found"]) == (one["recipient"], one["marks"])
        done = ("export", "destroyed", one["id"], "--database", world, "--by", "dpo")
        acl(*done)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--by", "list"), "NAME=VALUE"),
        (("--resource", "parcel"), "record type"),
        (("--column", "nothing=name"), "no column `nothing`"),
    ],
)
def test_a_wrong_word_is_named(world: str, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        acl(*publishing(world), *words)


def test_a_column_that_nobody_declared_is_named(world: str, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    lines = LIST.read_text(encoding="utf-8").splitlines()
    more.write_text("\n".join([f"{lines[0]},联系电话", *(f"{one},1" for one in lines[1:])]))
    with pytest.raises(InputError, match="联系电话"):
        acl(*publishing(world, more))
