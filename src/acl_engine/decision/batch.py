"""Whole-array decisions: the same index, as numpy tables over classes of words.

Words of a request that lead to the same rows are one class: a thousand people of one role are one
number. `encode` turns the columns of the requests into classes, once; `decide` looks them up.

INVARIANTS
- The answers are those of `enforce`, row by row; a matcher that no table can hold is decided that
  way, each different request once.
- numpy is imported only when a whole array is asked for.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from acl_engine.decision.batch_levels import Level, Unsuited, branch_table, load_numpy
from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Requests decided at a time, so that what is worked on stays in the cache.
BLOCK = 1 << 15

LENGTHS = Text(
    "batch.lengths",
    "请求的各列长度不同，或列数不是 {expected}",
    "the columns of the requests differ in length, or are not {expected}",
)

NO_COLUMN = Text(
    "batch.no-column",
    "第 {number} 列（{type}）没有顺序或长度",
    "column {number} (a {type}) has no order or no length",
    "给出列表、元组或数组",
    "give a list, a tuple or an array",
)


class Batch:
    """One snapshot's tables, one a branch of the matcher `m`."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Raises Unsuited for an index with anything that is tested row by row."""
        index = snapshot.indexes["m"]
        self._numpy = numpy = load_numpy()
        tables = [
            branch_table(index, branch, ranks)
            for branch, ranks in zip(index.branches, index.ranks, strict=True)
        ]
        levels = [level for table in tables for level in table.levels]
        self._columns = [_Column(at, levels) for at in range(len(index.words.request))]
        self._maps = [[self._map(level) for level in table.levels] for table in tables]
        self._answers = numpy.array([*index.allows, index.default])
        # A single branch answers at once; of several, the smallest rank decides.
        self._single = len(tables) == 1
        self._tables = [
            (self._answers[table.ranks] if self._single else table.ranks).ravel()
            for table in tables
        ]

    def encode(self, column: int, words: Sequence[str]) -> "NDArray[np.int32]":
        """The class of each word in one column of the request, by the column's place."""
        classes = map(self._columns[column].ids.get, words, repeat(0))
        return self._numpy.fromiter(classes, dtype="i4", count=len(words))  # type: ignore[no-any-return]

    def decide(self, *ids: "NDArray[np.int32]") -> "NDArray[np.bool_]":
        """Allowed or not; `ids` are the classes of every column, of equal length."""
        found = self._numpy.empty(len(ids[0]), dtype=bool)
        for start in range(0, len(found), BLOCK):
            found[start : start + BLOCK] = self._block([one[start : start + BLOCK] for one in ids])
        return found  # type: ignore[no-any-return]

    def _block(self, ids: list[Any]) -> Any:
        ranks: Any = None
        for maps, table in zip(self._maps, self._tables, strict=True):
            place: Any = self._numpy.zeros(len(ids[0]), dtype=self._numpy.intp)
            for columns, size, classes in maps:
                place *= size
                own = [ids[at] for at in columns]
                place += own[0] if classes is None else classes[tuple(own)]
            own_ranks = table.take(place)
            ranks = own_ranks if ranks is None else self._numpy.minimum(ranks, own_ranks)
        return ranks if self._single else self._answers[ranks]

    def _map(self, level: Level) -> tuple[tuple[int, ...], int, Any]:
        """From the ids of the level's columns to its class; None where they are the same."""
        words = [self._columns[at].words for at in level.columns]
        if len(words) == 1:
            classes = [level.of(word) for word in words[0]]
            same = classes == list(range(len(classes)))
            return level.columns, level.size, None if same else self._numpy.array(classes, "i4")
        pairs = [[level.of(name, domain) for domain in words[1]] for name in words[0]]
        return level.columns, level.size, self._numpy.array(pairs, "i4")


class _Column:
    """One column of the request: `ids` by word, 0 for all that lead where an unknown word leads;
    `words` has one word for each id, None for 0."""

    def __init__(self, at: int, levels: list[Level]) -> None:
        readings = [reading for level in levels for reading in _readings(level, at)]
        numbers: dict[tuple[Hashable, ...], int] = {tuple(read(None) for read, _ in readings): 0}
        self.words: list[str | None] = [None]
        self.ids: dict[str, int] = {}
        for word in dict.fromkeys(word for _, words in readings for word in words):
            number = numbers.setdefault(tuple(read(word) for read, _ in readings), len(numbers))
            self.ids[word] = number
            if number == len(self.words):
                self.words.append(word)


_Read = Callable[[str | None], Hashable]


def _readings(level: Level, at: int) -> Iterator[tuple[_Read, list[str]]]:
    """What a level makes of a word in this column, and the words that it knows."""
    if level.columns == (at,):
        yield level.of, [str(word) for word in level.classes]
    elif at in level.columns:
        pairs: list[Any] = list(level.classes)
        if at == level.columns[0]:
            domains: dict[Any, set[tuple[str, int]]] = {name: set() for name in level.alone}
            for name, domain in pairs:
                domains.setdefault(name, set()).add((domain, level.classes[name, domain]))
            none: frozenset[tuple[str, int]] = frozenset()
            yield (
                lambda word: (level.alone.get(word, 0), frozenset(domains.get(word, none))),
                list(domains),
            )
        if at == level.columns[-1]:
            known = dict.fromkeys(domain for _, domain in pairs)
            yield lambda word: word if word in known else None, list(known)


def decide_many(
    snapshot: Snapshot, columns: tuple[Sequence[Any], ...], one: Callable[..., bool]
) -> Any:
    """A bool array: the answers for requests given as columns; `one` is `enforce` of the same
    snapshot, for what no table can hold. Raises InputError for columns that are not as many as the
    matcher's words, not of one length, or without an order: a set would pair words by chance."""
    numpy = load_numpy()
    index = snapshot.indexes.get("m")
    expected = len(index.words.request) if index else len(columns)
    for number, column in enumerate(columns, 1):
        if not _ordered(column):
            raise InputError(NO_COLUMN.of(number=number, type=type(column).__name__))
    sizes = {len(column) for column in columns}
    if len(columns) != expected or len(sizes) != 1:
        raise InputError(LENGTHS.of(expected=expected))
    texts = all(set(map(type, column)) <= {str} for column in columns)
    batch = _batch(snapshot) if texts else None
    if batch is None:
        answers = (
            _each_once(columns, one)
            if texts
            else (one(*each) for each in zip(*columns, strict=True))
        )
        return numpy.fromiter(answers, dtype=bool, count=len(columns[0]))
    return batch.decide(*(batch.encode(at, column) for at, column in enumerate(columns)))


def _ordered(column: object) -> bool:
    """Whether it has a length and places: a list, tuple or array, and no text, set or dict."""
    if isinstance(column, str | bytes | Mapping):
        return False
    return hasattr(column, "__len__") and hasattr(column, "__getitem__")


def _batch(snapshot: Snapshot) -> Batch | None:
    """The tables of a snapshot, made once and kept with it."""
    if snapshot.batch is None:
        try:
            snapshot.batch = Batch(snapshot)
        except Unsuited:
            snapshot.batch = False
    return snapshot.batch or None


def _each_once(columns: tuple[Sequence[str], ...], one: Callable[..., bool]) -> Iterator[bool]:
    """The answer to each request; a request that comes again is not decided again."""
    known: dict[tuple[str, ...], bool] = {}
    for request in zip(*columns, strict=True):
        answer = known.get(request)
        if answer is None:
            answer = known[request] = one(*request)
        yield answer
