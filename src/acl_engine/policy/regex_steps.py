"""How many steps a backtracking matcher may take: the bound that a pattern is held to at load.

A pattern is a sequence of pieces. A piece costs steps each time the matcher arrives at it, and
may leave it in several ways: an optional piece in two, an alternation in as many as it has
branches, `a{2,5}` in four, `.*` in as many as the text has characters. A matcher that fails at
the end tries them all, so the ways of the pieces before it multiply what a piece costs.

INVARIANTS
- Never fewer than the matcher can take; where the count is not certain, there is none (Slow).
- A piece that can be left in one way only counts one way: `[0-9]+` before a `/`, and what is last.
"""

import re
import re._compiler as compiler  # type: ignore[import-not-found]
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from typing import NamedTuple

MAX_TEXT = 1024
# Room for two `.*` in a text of MAX_TEXT: some ten milliseconds at the very worst.
MAX_STEPS = 4 * MAX_TEXT * MAX_TEXT

Piece = tuple[object, object]
_CHARACTERS = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_ENDS = ((sre.AT, sre.AT_END), (sre.AT, sre.AT_END_STRING))


class Slow(Exception):
    """A pattern that may take more than MAX_STEPS."""


class Unreadable(Exception):
    """Not a pattern."""


class Cost(NamedTuple):
    """In how many ways a piece may be left, and the steps of trying them all."""

    ways: int
    steps: int


def compiled(source: str) -> tuple[re.Pattern[str], int, bool]:
    """The pattern, the steps it may take, and whether every way through it ends with an anchor.

    Raises Unreadable or Slow.
    """
    try:
        tree = parser.parse(source)
        cost = _sequence(list(tree), last=True)
        return compiler.compile(tree), cost.steps, _anchored(list(tree))
    except (re.error, RecursionError, OverflowError, FutureWarning):
        raise Unreadable from None


def _sequence(pieces: list[Piece], *, last: bool) -> Cost:
    """Pieces one after the other; `last`: nothing but the text's end follows them."""
    while last and pieces and pieces[-1] in _ENDS:
        pieces = pieces[:-1]
    ways, steps = 1, 1
    for at, piece in enumerate(pieces):
        cost = _piece(piece, pieces[at + 1 :][:1], last=last and at == len(pieces) - 1)
        steps += ways * cost.steps
        ways *= cost.ways
        if steps > MAX_STEPS:
            raise Slow
    return Cost(ways, steps)


def _piece(piece: Piece, after: list[Piece], *, last: bool) -> Cost:
    op, value = piece
    if op in _CHARACTERS or op is sre.AT:
        return Cost(1, 1)
    if op in _REPEATS:
        return _repeat(value, after, last=last)  # type: ignore[arg-type]
    if op is sre.BRANCH:
        each = [_sequence(list(one), last=last) for one in value[1]]  # type: ignore[index]
        return Cost(sum(one.ways for one in each), sum(one.steps for one in each))
    if op is sre.SUBPATTERN:
        return _sequence(list(value[3]), last=last)  # type: ignore[index]
    if op in (sre.ASSERT, sre.ASSERT_NOT):  # left in one way: what it tried is not tried again
        return Cost(1, _sequence(list(value[1]), last=False).steps)  # type: ignore[index]
    raise Slow  # a reference to a group, and whatever else would make the count wrong


def _repeat(value: tuple[int, int, object], after: list[Piece], *, last: bool) -> Cost:
    least, most, inside = value
    body: list[Piece] = list(inside)  # type: ignore[call-overload]
    one_character = len(body) == 1 and body[0][0] in _CHARACTERS
    cost = Cost(1, 1) if one_character else _sequence(body, last=False)
    if most == 1:
        return Cost(cost.ways + (least == 0), cost.steps + 1)
    if cost.ways > 1:
        raise Slow
    most = min(int(most), MAX_TEXT)
    steps = most * cost.steps
    if one_character and (last or _ended_by(body[0], after)):
        return Cost(1, steps)
    return Cost(max(1, most - least + 1), steps)


def _ended_by(character: Piece, after: list[Piece]) -> bool:
    """Whether a literal follows that the repeated character cannot be, in upper or lower case."""
    if not after or after[0][0] is not sre.LITERAL:
        return False
    stop = after[0][1]
    op, value = character
    if op is sre.NOT_LITERAL:
        return value == stop
    members: list[Piece] = [character] if op is sre.LITERAL else []
    if op is sre.IN:
        members = list(value)  # type: ignore[call-overload]
    if (sre.NEGATE, None) in members:
        return True in [_holds(one, stop) for one in members]
    faces = _faces(stop)  # type: ignore[arg-type]
    return {_holds(one, face) for one in members for face in faces} == {False}


# Letters of other alphabets that are these where case is ignored.
_ALIKE = ("iI\u0130\u0131", "kK\u212a", "sS\u017f")


def _faces(character: int) -> frozenset[int]:
    """What this character matches where case is ignored; none if that is not certain.

    Always asked: `(?i)` may stand for the whole pattern or for a part of it.
    """
    letter = chr(character)
    alike = next((one for one in _ALIKE if letter in one), letter.lower() + letter.upper())
    certain = letter.isascii() or letter.lower() == letter.upper()
    return frozenset(map(ord, alike)) if certain else frozenset()


def _holds(member: Piece, character: object) -> bool | None:
    """Whether a member of a class is this character; None if that is not certain."""
    op, value = member
    if op is sre.LITERAL:
        return value == character
    if op is sre.RANGE:
        return value[0] <= character <= value[1]  # type: ignore[index,no-any-return]
    if op is sre.CATEGORY and value in (sre.CATEGORY_DIGIT, sre.CATEGORY_WORD):
        return False if character == ord("/") else None
    return None


def _anchored(pieces: list[Piece]) -> bool:
    """Whether every way through the pieces ends with `$` or `\\Z`."""
    if not pieces:
        return False
    op, value = pieces[-1]
    if op is sre.SUBPATTERN:
        return _anchored(list(value[3]))  # type: ignore[index]
    if op is sre.BRANCH:
        return all(_anchored(list(one)) for one in value[1])  # type: ignore[index]
    return pieces[-1] in _ENDS
