"""Documents whose code blocks are run: files written, sessions replayed, commands given.

A block with `title="PATH"` is a file, `pycon` a Python session with what it prints, `console`
lines of `$ command` with what they print.
"""

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    kind: str
    title: str
    text: str


def blocks(document: Path) -> list[Block]:
    """The code blocks of a Markdown file, in order."""
    found = []
    for kind, info, text in _BLOCK.findall(document.read_text("utf-8")):
        title = re.search(r'title="([^"]+)"', info)
        found.append(Block(kind, title[1] if title else "", text))
    return found


def write_files(found: list[Block], into: Path) -> None:
    for block in found:
        if block.title:
            path = into / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")


def failures(found: list[Block], name: str) -> str:
    """What a Python session printed otherwise than the document says; empty if nothing."""
    text = "\n".join(block.text for block in found if block.kind == "pycon")
    session = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(session, out=said.append)
    assert session.examples, "the document has no session"
    return "".join(said)


def commands(found: list[Block]) -> list[tuple[str, str]]:
    """Each `$ command` with the lines that it prints."""
    pairs = []
    for block in found:
        if block.kind == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                pairs.append((command, printed))
    return pairs
