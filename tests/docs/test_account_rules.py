"""The page of account rules: each rule once, and the tests that it names are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "account-rules.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z]+\.[a-z0-9-]+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
# A section that loses its rows would pass unseen.
SECTIONS = {"password": 13, "code": 8, "recovery": 1, "session": 6, "life": 8, "device": 5,
            "signal": 3, "glass": 1, "approval": 1, "log": 1}  # fmt: skip
_TEST = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def test_every_rule_stands_there_once() -> None:
    ids = [row[0] for row in ROWS]
    assert len(set(ids)) == len(ids)
    kinds = [one.partition(".")[0] for one in ids]
    assert {kind: kinds.count(kind) for kind in kinds} == SECTIONS


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_rule_has_a_test_that_is_there(row: tuple[str, str, str]) -> None:
    named = _TEST.findall(row[2])
    assert named
    for file, test in named:
        assert not test or test in functions(ROOT / "tests" / file), test
        assert functions(ROOT / "tests" / file), file
