"""Pages whose files are written and whose Python sessions are replayed; `reading` gives commands.

A block with `title="PATH"` is a file, a `pycon` block a session with what it prints.
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
