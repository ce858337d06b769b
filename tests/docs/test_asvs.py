"""The ASVS page: every requirement once, and each claim with a test that is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "asvs.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)
# How many requirements each section of the three chapters has.
SECTIONS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 8,
    "6.4": 6,
    "6.5": 8,
    "6.6": 4,
    "6.7": 2,
    "6.8": 3,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 3,
    "7.6": 2,
    "8.1": 4,
    "8.2": 4,
    "8.3": 3,
    "8.4": 2,
}
_TEST = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def test_every_requirement_stands_there_once_in_order() -> None:
    wanted = [f"{section}.{n + 1}" for section, many in SECTIONS.items() for n in range(many)]
    assert [row[0] for row in ROWS] == wanted


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_claim_has_a_test_and_a_gap_a_reason(row: tuple[str, str, str, str]) -> None:
    """A test that is renamed or taken away takes its claim along."""
    _, _, state, reason = row
    named = [found for found in _TEST.findall(reason) if (ROOT / "tests" / found[0]).exists()]
    assert state in ("met", "short", "none")
    assert named if state == "met" else len(reason) > 10
    for file, test in _TEST.findall(reason):
        source = ROOT / "tests" / file
        assert source.exists() or (ROOT / "src" / "acl_engine" / file).exists(), file
        assert not test or test in functions(source), test
