"""docs/tutorial/embedder.md, in both languages: each file, line and command of it."""

import configparser
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from acl_engine.cli import cli
from tests.docs.reading import check, commands
from tests.docs.sessions import blocks, failures, write_files

ROOT = Path(__file__).parents[2]
EN, ZH = (ROOT / "docs" / "tutorial" / name for name in ("embedder.md", "embedder.zh.md"))


def test_both_languages_have_the_same_blocks() -> None:
    assert blocks(EN) == blocks(ZH)


def test_what_is_installed_is_there() -> None:
    """The extras that the page asks for are the project's."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = re.findall(r"acl_engine\[(\w+)\]|`\[(\w+)\]` extra", EN.read_text("utf-8"))
    assert {one or other for one, other in named} == {"engine", "cli"}
    assert {"engine", "cli"} <= set(setup["options.extras_require"])


def test_every_line_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the files of the page alone, in an empty folder."""
    found = blocks(EN)
    write_files(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert failures(found, "embedder.md") == ""
    finally:
        application = sys.modules.pop("app")
        application.session.close()
        application.database.dispose()
    given = [
        command
        for block in found
        if block.kind == "console"
        for command in commands(block.text)
        if command.words[0] == "acl"
    ]
    assert given
    for command in given:
        check(command, run)


def run(words: list[str]) -> tuple[str, int]:
    done = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
    return done.output, done.exit_code
