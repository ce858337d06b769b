"""What a page tells its reader to type does what the page says."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from acl_engine.cli import main
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from tests.docs.reading import blocks, check, commands, edit

ROOT = Path(__file__).parents[2]
# `make` is what runs these tests; a whole replay is tests/scenarios, scenario by scenario.
SMALL = ("--database", "sqlite:///small.db")
NOT_HERE = ("make demo", "make test", ".venv/bin/acl replay --policy policies/courier/before")


class Shell:
    """Runs a line of a page: `acl` in this process, `>` into a file; `cp -r` of a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, words: list[str]) -> tuple[str, int]:
        if words[:2] == ["cp", "-r"]:
            shutil.copytree(words[2], words[3])
            return "", 0
        assert Path(words[0]).name == "acl", words
        file = words[-1] if ">" in words else None
        args = words[1 : words.index(">")] if file else words[1:]
        self._monkeypatch.setattr(sys, "argv", ["acl", *args])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        if file:
            assert out
            Path(file).write_text(out, encoding="utf-8")
        return out + err, int(left.value.code or 0)


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Stands in a folder with a copy of the policies: what a page edits stays there."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACL_LANG", raising=False)
    return Shell(monkeypatch, capsys)


def test_the_tutorial_for_security_teams(shell: Shell) -> None:
    """Change one row, see a leak come back: each command prints what the page shows."""
    for kind, block in blocks(ROOT / "docs" / "tutorial" / "security-team.md"):
        if kind == "diff":
            edit(block, Path("mine/policy.csv"))
        for command in commands(block):
            check(command, shell)


def test_the_tutorial_for_trainers(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the leak to the photograph's owner: what the class sees is what the page shows."""
    monkeypatch.setenv("ACL_LANG", "en")
    code = ""

    def told(words: list[str]) -> tuple[str, int]:
        nonlocal code
        out, exit_code = shell([code if word == "CODE" else word for word in words])
        if found := re.search(r"^SN\d+  (\S+)$", out, re.MULTILINE):
            code = found[1]
        return out, exit_code

    for _, block in blocks(ROOT / "docs" / "tutorial" / "trainer.md"):
        for command in commands(block):
            check(command, told)
    assert code


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_commands_of_the_readme(shell: Shell, page: str) -> None:
    """The three ways to use it begin with commands that work."""
    run = 0
    for _, block in blocks(ROOT / page):
        for command in commands(block):
            if command.line not in NOT_HERE:
                check(command, shell)
                run += 1
    assert run >= 3


def test_the_page_about_budgets(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at is what is counted, and a tighter row refuses."""
    monkeypatch.setenv("ACL_LANG", "en")
    for kind, block in blocks(ROOT / "docs" / "how-to" / "budgets.md"):
        if kind == "diff":
            edit(block, Path("mine/settings.yaml"))
        for command in commands(block):
            check(command, shell)


def test_the_page_for_auditors(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed, witnessed, proven, asked and kept, as the page says, by one who types it."""
    monkeypatch.setenv("ACL_LANG", "en")
    for _, block in blocks(ROOT / "docs" / "how-to" / "audit.md"):
        for command in commands(block):
            check(command, shell)


def test_the_page_about_approvals(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked, answered by another, kept on a roster, broken and reviewed, as the page says."""
    monkeypatch.setenv("ACL_LANG", "en")
    number = Truth(small_world(ROOT), 300).by_name["done-3-days"].waybill_no
    case, run = "", 0

    def told(words: list[str]) -> tuple[str, int]:
        nonlocal case
        out, code = shell([{"NUMBER": number, "CASE": case}.get(word, word) for word in words])
        if found := re.match(r"case (A-\w+) \(", out):
            case = found[1]
        return out.replace(case, "CASE") if case else out, code

    for _, block in blocks(ROOT / "docs" / "how-to" / "approvals.md"):
        for command in commands(block):
            check(command, told)
            run += 1
    assert run > 12
    # What was granted and looked at is denied by no backtest for want of what no log tells.
    backtest = ["acl", "policy", "backtest", "policies/courier/after", *SMALL]
    assert "second factor" not in shell(backtest)[0]
    assert "second factor" in shell([*backtest, "--assume", "fresh_factor=false"])[0]
