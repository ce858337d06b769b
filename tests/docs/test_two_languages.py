"""A page in Chinese beside its English one: the same parts, rows and commands, none left behind."""

import re
from pathlib import Path

import pytest

from tests.docs.reading import blocks, commands

ROOT = Path(__file__).parents[2]
CHINESE = sorted([*ROOT.glob("*.zh.md"), *ROOT.glob("docs/**/*.zh.md")])
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def test_there_are_pages_in_chinese() -> None:
    assert CHINESE


@pytest.mark.parametrize("chinese", CHINESE, ids=lambda page: str(page.relative_to(ROOT)))
def test_both_languages_have_the_same_parts(chinese: Path) -> None:
    """Whoever adds a heading, a row, a limit or a command to one page adds it to the other."""
    english = chinese.with_name(chinese.name.replace(".zh.md", ".md"))
    assert parts(chinese) == parts(english)
    assert typed(chinese) == typed(english)


def parts(page: Path) -> dict[str, int]:
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        "headings": len(re.findall(r"^#+ ", prose, re.MULTILINE)),
        "rows": len(re.findall(r"^\|", prose, re.MULTILINE)),
        "items": len(re.findall(r"^- ", prose, re.MULTILINE)),
    }


def typed(page: Path) -> list[str]:
    return [
        command.line.replace(" --lang zh", "")
        for _, block in blocks(page)
        for command in commands(block)
    ]
