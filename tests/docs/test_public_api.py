"""docs/reference/public-api.md: every example runs, and no public name or method is left out."""

import re
import shutil
import sys
from pathlib import Path

import pytest

import acl_engine
from tests.docs.sessions import blocks, failures, write_files

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "public-api.md"


def sections() -> dict[str, str]:
    """The page's sections by their heading."""
    parts = re.split(r"^## (\w+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_public_name_has_a_section_with_an_example() -> None:
    """And no section is about a name that is not public."""
    found = sections()
    assert set(found) == set(acl_engine.__all__)
    assert [name for name, text in found.items() if "```pycon" not in text] == []


CLASSES = [one for one in acl_engine.__all__ if isinstance(getattr(acl_engine, one), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_member_is_named(name: str) -> None:
    """Methods, properties and fields of the class itself."""
    public = getattr(acl_engine, name)
    members = [*vars(public), *vars(public).get("__annotations__", ())]
    prose = re.sub(r"^```.*?^```$", "", sections()[name], flags=re.DOTALL | re.MULTILINE)
    missing = {
        one for one in members if not one.startswith("_") and not re.search(rf"\b{one}\b", prose)
    }
    assert missing == set()


def test_every_example_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the files of the page and a pack of the project, in an empty folder."""
    found = blocks(PAGE)
    write_files(found, tmp_path)
    shutil.copytree(ROOT / "policies" / "courier", tmp_path / "policies" / "courier")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert failures(found, "public-api.md") == ""
    finally:
        shop = sys.modules.pop("shop")
        shop.session.close()
        shop.database.dispose()
