"""The tables of whole-array decisions: for each branch, the smallest rank by class of each key.

INVARIANTS
- A word and a class mean what the key means to `find`: equal, or reached by the roles.
- Class 0 of a key matches no row; what a table cannot hold raises Unsuited.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text
from acl_engine.policy.branches import Branch, KeyPart
from acl_engine.policy.expression import Binary, Expr, Literal, Name
from acl_engine.policy.expression import Sequence as Items
from acl_engine.policy.index import Index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CELLS = 20_000_000

NO_NUMPY = Text(
    "batch.numpy",
    "整批判定需要 numpy",
    "whole-array decisions need numpy",
    "pip install 'acl-engine[batch]'",
    "pip install 'acl-engine[batch]'",
)


class Unsuited(Exception):
    """An index that no table can hold: it is decided row by row."""


@dataclass(frozen=True, slots=True)
class Level:
    """One key or condition: the class of a word of the request's column, or of a name with a
    domain (two columns; `alone` where the name is in no domain)."""

    columns: tuple[int, ...]
    classes: Mapping[Any, int]
    size: int
    other: int = 0
    alone: Mapping[Any, int] = field(default_factory=dict)

    def of(self, *words: str | None) -> int:
        """The class of a word, or of a name and a domain; None is a word that no row knows."""
        if len(words) == 1:
            return self.classes.get(words[0], self.other)
        return self.classes.get(words) or self.alone.get(words[0], 0)


@dataclass(frozen=True, slots=True)
class BranchTable:
    """`ranks` has one axis a level."""

    levels: tuple[Level, ...]
    ranks: "NDArray[np.int32]"


def load_numpy() -> Any:
    """numpy, or a ConfigError that names the extra."""
    try:
        import numpy
    except ImportError:
        raise ConfigError(NO_NUMPY.of()) from None
    return numpy


def branch_table(index: Index, branch: Branch, ranks: Sequence[int]) -> BranchTable:
    """The table of one branch. Raises Unsuited."""
    numpy = load_numpy()
    if branch.head:
        raise Unsuited
    conditions = [_condition(part, index) for part in branch.residual]
    rows = [index.rows[rank] for rank in ranks]
    values = [_numbered(row[key.column] for row in rows) for key in branch.keys]
    _bounded(len(one) + 1 for one in values)
    found = numpy.full([len(one) + 1 for one in values], len(index.rows), dtype=numpy.int32)
    if not branch.keys and rows:
        found[()] = ranks[0]
    elif rows:
        # Backwards, so that the smallest rank is the one that stays.
        place = tuple(
            numpy.fromiter((own[row[key.column]] for row in reversed(rows)), numpy.int32)
            for key, own in zip(branch.keys, values, strict=True)
        )
        found[place] = numpy.array(ranks[::-1], dtype=numpy.int32)
    levels: list[Level] = []
    for axis, (key, own) in enumerate(zip(branch.keys, values, strict=True)):
        columns = tuple(_column(one, index) for one in (key.value, key.domain) if one is not None)
        if not key.role:
            levels.append(Level(columns, own, len(own) + 1))
            continue
        level, reached = _role(key, own, columns, index)
        _bounded([*found.shape[:axis], level.size, *found.shape[axis + 1 :]])
        found = _smallest(numpy, found, axis, reached)
        levels.append(level)
    for _ in conditions:
        found = numpy.stack([numpy.full_like(found, len(index.rows)), found], axis=-1)
    return BranchTable((*levels, *conditions), numpy.ascontiguousarray(found))


def _numbered(words: Iterable[str]) -> dict[str, int]:
    """Each word once, from 1 on."""
    return {word: number for number, word in enumerate(dict.fromkeys(words), 1)}


def _bounded(sizes: Iterable[int]) -> None:
    if prod(sizes) > MAX_CELLS:
        raise Unsuited


def _column(tree: Expr, index: Index) -> int:
    if not isinstance(tree, Name) or len(tree.path) != 2:
        raise Unsuited
    return index.words.request.index(tree.path[1])


def _role(
    key: KeyPart, own: Mapping[str, int], columns: tuple[int, ...], index: Index
) -> tuple[Level, list[list[int]]]:
    """The level of a role key, and for each class the values of the column that it reaches."""
    sets: dict[tuple[int, ...], int] = {}
    alone: dict[Any, int] = {
        word: sets.setdefault((number,), len(sets) + 1) for word, number in own.items()
    }
    classes: dict[Any, int] = {} if key.domain else dict(alone)
    for name, roles in index.reach[key.role].items():
        if reached := tuple(own[role] for role in roles if role in own):
            classes[name] = sets.setdefault(reached, len(sets) + 1)
    reached_by_class = [[], *map(list, sets)]
    return Level(columns, classes, len(sets) + 1, 0, alone), reached_by_class


def _smallest(numpy: Any, ranks: Any, axis: int, reached: list[list[int]]) -> Any:
    """Along one axis, for each class the smallest rank over all values that it reaches."""
    before = numpy.moveaxis(ranks, axis, 0)
    after = numpy.stack([before[own].min(axis=0) if own else before[0] for own in reached])
    return numpy.moveaxis(after, 0, axis)


def _condition(part: Expr, index: Index) -> Level:
    """A comparison of a column of the request with literals: class 1 where it holds."""
    match part:
        case Binary("==" | "!=" as op, Name() as name, Literal(str(word))):
            words = [word]
        case Binary("in" as op, Name() as name, Items(items)):
            words = [one.value for one in items if isinstance(one, Literal)]  # type: ignore[misc]
            if len(words) != len(items) or not all(isinstance(word, str) for word in words):
                raise Unsuited
        case _:
            raise Unsuited
    if name.path[0] != index.words.rtype:
        raise Unsuited
    holds = int(op != "!=")
    classes: dict[Any, int] = dict.fromkeys(words, holds)
    return Level((_column(name, index),), classes, 2, 1 - holds)
