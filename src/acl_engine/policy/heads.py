"""The literal head of a path pattern, by which rows can be looked up before they are tested.

`/site/a/:id` can only match paths that begin with `/site/a/`; so its row is kept under that head,
and a path is looked up under each of its own heads: ``, `/`, `/site/`, `/site/a/`, and itself.

INVARIANTS
- A path that a pattern matches has the pattern's head among its heads.
- Where that is not certain the head is empty, under which every path looks.
"""

import re
from collections.abc import Callable

from acl_engine.policy.patterns import text_of

# Anything else may mean something to a regular expression.
_PLAIN = re.compile(r"[A-Za-z0-9_/*:{}-]*")
# What ends the literal part, by function.
_SPECIAL = {
    "keyMatch": "*",
    "keyMatch2": "*:{}",
    "keyMatch3": "*{}",
    "keyMatch4": "*{}",
    "keyMatch5": "*{}",
    "globMatch": "*",
}
WITH_HEADS = frozenset(_SPECIAL)


def head_of(function: str, pattern: str) -> str:
    """The head under which a row with this pattern is kept: whole segments, or the whole text."""
    if not _PLAIN.fullmatch(pattern):
        return ""
    special = _SPECIAL[function]
    end = next((at for at, character in enumerate(pattern) if character in special), -1)
    if end < 0:
        return pattern
    start = pattern.rfind("/", 0, end) + 1
    if start != end or pattern[end] in "*:" or function != "keyMatch2":
        return pattern[:start]
    return ""  # `/{2}` repeats the slash before it


def within(text: str) -> list[str]:
    """Every head of a text, from the empty one to the text itself."""
    found = [""]
    at = text.find("/") + 1
    while at:
        found.append(text[:at])
        at = text.find("/", at) + 1
    if found[-1] != text:
        found.append(text)
    return found


def of_path(value: object) -> list[str]:
    """Every head of a path of a request. Raises Refused for one that is not in normal form."""
    return within(text_of(value, path=True))


def of_bare_path(value: object) -> list[str]:
    """The heads without the query, which keyMatch5 leaves out."""
    return within(text_of(value, path=True).partition("?")[0])


def reader(function: str) -> Callable[[object], list[str]]:
    """The heads of a path as `function` reads it."""
    return of_bare_path if function == "keyMatch5" else of_path
