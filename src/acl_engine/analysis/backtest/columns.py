"""Columns of values, and what was so at a moment: the arrays that a backtest works on.

INVARIANTS
- A text is a number (its place in `Words`), NO_WORD for none; NO_INT is no number; a truth is
  FALSE, TRUE or UNKNOWN.
- What has no event yet has no state.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

# mypy knows numpy's arrays, but their element types say nothing here that the names do not.
Array = Any

NO_WORD = -1
NO_INT = np.iinfo(np.int64).min
FALSE, TRUE, UNKNOWN = 0, 1, 2
# Epoch seconds fit in 36 bits, so that an owner and a moment are one sortable number.
MOMENTS = 1 << 36


class Words:
    """Texts as numbers, in the order of their first mention."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._ids: dict[str, int] = {}

    def add(self, text: str | None) -> int:
        """The number of a text; NO_WORD for None."""
        if text is None:
            return NO_WORD
        found = self._ids.setdefault(text, len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
        return found

    def column(self, texts: Iterable[str | None]) -> Array:
        return np.array([self.add(text) for text in texts], dtype=np.int64)

    def find(self, texts: Sequence[str]) -> Array:
        """The numbers of texts, NO_WORD for one that was never mentioned."""
        return np.fromiter(map(self._ids.get, texts, repeat(NO_WORD)), np.int64, len(texts))

    def text(self, number: int) -> str | None:
        return None if number == NO_WORD else self.texts[number]


class Places:
    """Where each word stands in a column that repeats none."""

    def __init__(self, words: Array) -> None:
        self._place = np.full(int(words.max()) + 2 if len(words) else 1, -1, dtype=np.int64)
        self._place[words] = np.arange(len(words))

    def of(self, words: Array) -> Array:
        """Each word's place, -1 where it does not stand."""
        # The last entry is nobody's: what is not in the column, and NO_WORD, are sent there.
        return self._place[np.where(words < len(self._place) - 1, words, -1)]


def ints(values: Iterable[int | None]) -> Array:
    return np.array([NO_INT if value is None else value for value in values], dtype=np.int64)


def truths(values: Iterable[bool | None]) -> Array:
    return np.array([UNKNOWN if value is None else int(value) for value in values], dtype=np.int8)


class Timeline:
    """Events of owners. `order` puts the columns that belong to the events into the same order."""

    def __init__(self, owner: Array, at: Array) -> None:
        self.order = np.lexsort((at, owner))
        self.owner = owner[self.order]
        self.at = at[self.order]
        self._keys = self.owner * MOMENTS + self.at

    def last(self, owner: Array, at: Array) -> Array:
        """The place of the owner's last event that is not after `at`; -1 where there is none."""
        if not len(self._keys):
            return np.full(len(owner), -1, dtype=np.int64)
        place = np.searchsorted(self._keys, owner * MOMENTS + at, side="right") - 1
        return np.where((place >= 0) & (self.owner[place] == owner), place, -1)

    def carried(self, values: Array, said: Array) -> Array:
        """Each event's value, or where it said nothing that of the owner's last one that did.

        Both are in the order of the events. An owner's first event must say something.
        """
        places = np.where(said, np.arange(len(values)), 0)
        return values[np.maximum.accumulate(places)]


class Lasting:
    """What owners had from a moment until before another."""

    def __init__(self, owner: Array, value: Array, start: Array, end: Array) -> None:
        pairs: tuple[Array, Array] = np.unique(_pair(owner, value), return_inverse=True)
        self._pairs, group = pairs
        order: Array = np.lexsort((start, group))
        group = group[order]
        self._starts = group * MOMENTS + start[order]
        # The latest end so far: spans of one pair may lie within each other.
        self._ends = np.maximum.accumulate(group * MOMENTS + end[order]) if len(order) else order

    def holds(self, owner: Array, value: Array, at: Array) -> Array:
        """Whether the owner had the value then, as bools."""
        found = np.zeros(len(owner), dtype=bool)
        asked = _pair(owner, value)
        group: Array = np.searchsorted(self._pairs, asked)
        known = np.flatnonzero((asked >= 0) & (group < len(self._pairs)))
        known = known[self._pairs[group[known]] == asked[known]]
        moment = group[known] * MOMENTS + at[known]
        place = np.searchsorted(self._starts, moment, side="right") - 1
        begun = (place >= 0) & (self._starts[place] // MOMENTS == group[known])
        found[known] = begun & (self._ends[place] > moment)
        return found


def _pair(owner: Array, value: Array) -> Array:
    # NO_WORD is no owner and no value: it must pair with nothing, and 31 bits of words are enough.
    return np.where((owner < 0) | (value < 0), -1, owner << 31 | value)
