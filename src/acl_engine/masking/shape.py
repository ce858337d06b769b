"""What a masker reads a value as: its canonical text, its form, and where its parts stand.

INVARIANTS
- Canonical text has no full-width, zero-width or control character and no outer space: the same
  value written two ways is masked one way.
- `*` stands for a hidden character, so a masked value has the form of its clear one: masking twice
  is masking once.
- A text that no form fits has no shape; it is hidden entirely, never passed through.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

STAR = "*"
# A value of which nothing is shown reads alike whatever its length.
ALL_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Shape:
    """`form` names the written form; `parts` holds the (start, end) of what a rule cuts by.

    `structure` are the positions of separators, which are shown and carry nothing. `tail` says
    that the value is cut, not starred: what is hidden after the shown part is `***` at any length.
    """

    form: str
    text: str
    parts: tuple[tuple[int, int], ...]
    structure: frozenset[int] = frozenset()
    tail: bool = False


# Format characters (zero width, direction marks, BOM, soft hyphen), controls, and marks that sit on
# a character (a struck-out or a keycap digit) carry nothing.
_INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me"}
# Marks that NFKC leaves and people type for a plain one.
_PLAIN = str.maketrans(
    {
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "―": "-",
        "−": "-",
        "•": "·",
        "・": "·",
        "‧": "·",
        "∙": "·",
        "⋅": "·",
        "●": "·",
        "✱": "*",
        "∗": "*",
        "\u3164": "",
        "\u115f": "",
        "\u1160": "",
        "\uffa0": "",
        "\u00a0": " ",
        "\t": " ",
        "\n": " ",
        "\r": " ",
    }
)
_SIMPLE = re.compile(r"[\x21-\x7e\u4e00-\u9fa5]*\Z")
_SPACES = re.compile(r" {2,}")


def clean(value: str) -> str:
    """The canonical text: NFKC, invisible characters dropped, one kind of dash, dot and space.

    Only decimal digits become 0-9, whatever their script; nothing else is transliterated.
    """
    if _SIMPLE.match(value):
        return value
    text = unicodedata.normalize("NFKC", value.translate(_PLAIN)).translate(_PLAIN)
    kept = (c for c in text if c == " " or unicodedata.category(c) not in _INVISIBLE)
    digits = (str(unicodedata.decimal(c)) if c.isdecimal() else c for c in kept)
    return _SPACES.sub(" ", "".join(digits)).strip()


def render(shape: Shape, shown: Collection[int]) -> str:
    """The text with everything outside `shown` hidden; `***` when no part of the value shows."""
    if shape.tail:
        end = max(shown, default=-1) + 1
        if not end:
            return ALL_HIDDEN
        return shape.text[:end] if end == len(shape.text) else shape.text[:end] + ALL_HIDDEN
    text = shape.text
    seen = [at for at in shown if at not in shape.structure]
    # A mask of a mask shows nothing when all it would show was hidden before.
    if not seen or (STAR in text and all(text[at] == STAR for at in seen)):
        return ALL_HIDDEN
    out = [STAR] * len(text)
    for at in (*seen, *shape.structure):
        out[at] = text[at]
    return "".join(out)
