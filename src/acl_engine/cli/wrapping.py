"""Lines of a given width, where a Chinese character is two columns and breaks without a space."""

import re

from rich.cells import cell_len

# A word of Latin letters stays whole, and what must not begin a line stays with what is before it.
_PIECES = re.compile(
    r"(?:[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f“”]|[^\s\u2e80-\u9fff\uff00-\uffef\u3000-\u303f“”]+)[，。；：、！？）》」』”]*|\s+"
)
_OPENS = ("（", "《", "「", "『", "“")


def display_width(text: str) -> int:
    """Columns of a terminal."""
    return cell_len(text)


def padded(text: str, width: int) -> str:
    return text + " " * max(width - cell_len(text), 0)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns; a longer word has a line of its own."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(" ".join(text.split())):
        if line and cell_len((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """What a line may end after; what opens goes with what it opens."""
    found: list[str] = []
    for piece in _PIECES.findall(text):
        if found and found[-1].endswith(_OPENS):
            found[-1] += piece
        else:
            found.append(piece)
    return found
