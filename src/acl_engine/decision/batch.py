"""Whole-array decisions: the same index, as one numpy table over interned words.

INVARIANTS
- The answers are those of `enforce`, row by row; a matcher with a residual is decided that way.
- numpy is imported here alone, and only when a whole array is asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.text import Text
from acl_engine.policy.expression import Name
from acl_engine.policy.index import Index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


MAX_CELLS = 200_000_000

NO_NUMPY = Text(
    "batch.numpy",
    "整批判定需要 numpy",
    "whole-array decisions need numpy",
    "pip install 'acl-engine[batch]'",
    "pip install 'acl-engine[batch]'",
)
LENGTHS = Text(
    "batch.lengths",
    "请求的各列长度不同，或列数不是 {expected}",
    "the columns of the requests differ in length, or are not {expected}",
)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise ConfigError(NO_NUMPY.of()) from None
    return numpy


class Batch:
    """One snapshot's index as a dense table. `encode` each column once, then `decide`.

    `of` returns None for an index that is not plain (a residual, domains, too many cells).
    """

    def __init__(
        self, words: list[dict[str, int]], order: list[int], table: "NDArray[np.bool_]"
    ) -> None:
        self._words = words  # by key part; the id len(words) means: not known
        self._order = order  # the request's column of each key part
        self._table = table
        self._flat = table.ravel()

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Batch | None":
        """The table of the matcher `m`."""
        index = snapshot.indexes["m"]
        if not index.plain or any(part.domain for part in index.branches[0].keys):
            return None
        keys = index.branches[0].keys
        paths = [part.value.path for part in keys if isinstance(part.value, Name)]
        if any(len(path) != 2 for path in paths):
            return None
        words = [_words(index, at) for at in range(len(keys))]
        cells = 1
        for one in words:
            cells *= len(one) + 1
        if cells > MAX_CELLS:
            return None
        order = [index.words.request.index(path[1]) for path in paths]
        return cls(words, order, _table(index, words))

    def encode(self, part: int, values: Sequence[str]) -> "NDArray[np.int64]":
        """The ids of one key part's words."""
        numpy = _numpy()
        words = self._words[part]
        unknown = len(words)
        get: Callable[[str, int], int] = words.get
        return numpy.fromiter(  # type: ignore[no-any-return]
            (get(value, unknown) for value in values), dtype=numpy.int32, count=len(values)
        )

    def columns(self) -> list[int]:
        """The request's column of each key part, in the order that `decide` takes them."""
        return self._order

    def decide(self, *ids: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Allowed or not, for arrays of ids of equal length."""
        flat = ids[0]
        for size, one in zip(self._table.shape[1:], ids[1:], strict=True):
            flat = flat * size + one
        return self._flat.take(flat)


def _words(index: Index, at: int) -> dict[str, int]:
    """Every word that can stand at this part of the key, with its id: rows and role members."""
    part = index.branches[0].keys[at]
    known: dict[str, int] = {}
    for row in index.rows:
        known.setdefault(row[part.column], len(known))
    if part.role:
        for name in index.reach[part.role]:
            known.setdefault(str(name), len(known))
    return known


def _table(index: Index, words: list[dict[str, int]]) -> "NDArray[np.bool_]":
    numpy = _numpy()
    none = len(index.rows)
    ranks = numpy.full([len(one) + 1 for one in words], none, dtype=numpy.int32)
    keys = index.branches[0].keys
    columns = [
        numpy.fromiter((words[at][row[part.column]] for row in index.rows), numpy.int32)
        for at, part in enumerate(keys)
    ]
    if index.rows:
        # Backwards, so that the smallest rank is the one that stays.
        backwards = tuple(column[::-1] for column in columns)
        ranks[backwards] = numpy.arange(none - 1, -1, -1, dtype=numpy.int32)
    for at, part in enumerate(keys):
        if part.role:
            ranks = _joined(numpy, ranks, at, words[at], index.reach[part.role])
    answers = numpy.array([*index.allows, index.default])
    return answers[ranks]  # type: ignore[no-any-return]


def _joined(
    numpy: Any, ranks: Any, at: int, words: dict[str, int], reach: Mapping[Any, tuple[str, ...]]
) -> Any:
    """Each name's slice is the smallest rank over all that it reaches."""
    before = numpy.moveaxis(ranks, at, 0)
    after = before.copy()
    for name, reached in reach.items():
        ids = [words[one] for one in reached if one in words]
        after[words[str(name)]] = before[ids].min(axis=0)
    return numpy.ascontiguousarray(numpy.moveaxis(after, 0, at))


def decide_many(
    snapshot: Snapshot, columns: tuple[Sequence[Any], ...], one: Callable[..., bool]
) -> Any:
    """A bool array: the answers for requests given as columns; `one` is `enforce` of the same
    snapshot, for an index that is not plain."""
    numpy = _numpy()
    index = snapshot.indexes["m"]
    sizes = {len(column) for column in columns}
    if len(columns) != len(index.words.request) or len(sizes) != 1:
        raise InputError(LENGTHS.of(expected=len(index.words.request)))
    batch = Batch.of(snapshot)
    if batch is None:
        answers = (one(*request) for request in zip(*columns, strict=True))
        return numpy.fromiter(answers, dtype=bool, count=len(columns[0]))
    ids = [batch.encode(part, columns[at]) for part, at in enumerate(batch.columns())]
    return batch.decide(*ids)
