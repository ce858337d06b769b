"""Fenced blocks of a page, run as a reader would: commands with what they print, edits as diffs."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_FENCE = re.compile(r"^```(console|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r":\d+:\d+:")
Run = Callable[[list[str]], tuple[str, int]]


@dataclass(frozen=True)
class Command:
    """One command line, the lines that the page shows of its output, and its exit code."""

    line: str
    shown: tuple[str, ...]
    code: int

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """(`console` or `diff`, text) in the page's order."""
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        yield found[1], found[2]


def commands(block: str) -> Iterator[Command]:
    """The commands of a console block, each with what stands below it."""
    joined = re.sub(r" *\\\n\s*", " ", block)
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, *shown = part.strip().splitlines()
        code = 0
        if shown and (found := re.fullmatch(r"\[exit (\d)\]", shown[-1])):
            code, shown = int(found[1]), shown[:-1]
        yield Command(line, tuple(shown), code)


def check(command: Command, run: Run) -> None:
    """Fails unless the output has the lines shown, in order, and the exit code is as stated."""
    out, code = run(command.words)
    rest = _plain(out)
    for line in command.shown:
        _, found, rest = rest.partition(_plain(line))
        if not found:
            pytest.fail(f"`{command.line}` does not print `{line}`; it printed:\n{out}")
    assert code == command.code, f"`{command.line}` exits with {code}:\n{out}"


def edit(block: str, file: Path) -> None:
    """Do what a diff block says; a row that is only added goes below its section's last row."""
    gone = [line[1:] for line in block.splitlines() if line.startswith("-")]
    new = [line[1:] for line in block.splitlines() if line.startswith("+")]
    lines = file.read_text(encoding="utf-8").splitlines()
    if gone:
        assert [one for one in gone if one in lines] == gone, f"{file} has no row {gone}"
        at = lines.index(gone[0])
        lines[at : at + len(gone)] = new
    else:
        section = new[0].split(".")[0]
        at = max(n for n, line in enumerate(lines) if line.startswith(section))
        lines[at + 1 : at + 1] = new
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plain(text: str) -> str:
    """Line numbers move when somebody adds a row above; how wide a column is does not matter."""
    return " ".join(_PLACE.sub(":", text).split())
