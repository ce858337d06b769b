"""Which words of the policy could be the answer to "who may" or "what may be reached".

A superset, found through the rows that the rest of the request leads to; `questions` asks `find`
about each, so that a list cannot differ from a decision.

INVARIANTS
- No word that is allowed is left out: every allowing row is under the words of its other keys.
- Made once for each field and kept with the snapshot; nothing grows with what is asked.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import merge
from itertools import product
from operator import itemgetter

from acl_engine.policy.branches import Branch, KeyPart
from acl_engine.policy.expression import Expr, Name
from acl_engine.policy.index import Index, Row
from acl_engine.policy.role_links import Key

Words = list[str]


class Candidates:
    """The words of one field of the request."""

    def __init__(self, index: Index, field: str) -> None:
        self._index = index
        self._field = field
        self._members: dict[str, dict[Key, Words]] = {}
        keys = [key for branch in index.branches for key in self._own(branch)]
        self.all: Words = sorted({word for key in keys for word in self._words(key)})
        self._tables = [
            self._table(branch, ranks)
            for branch, ranks in zip(index.branches, index.ranks, strict=True)
        ]

    def of(self, fixed: Mapping[str, object], after: str) -> Iterable[str]:
        """Words after `after`, in order, each once; `fixed` are the other fields of the request."""
        lists = [self.all]
        if not self._index.default and None not in self._tables:
            lists = [one for table in self._tables if table for one in table.under(fixed)]
        rest = [one[bisect_right(one, after) :] for one in lists]
        rest = [one for one in rest if one]
        return rest[0] if len(rest) == 1 else _once(merge(*rest))

    def members(self, role: str) -> dict[Key, Words]:
        """By role name (or name and domain), everyone who reaches it, in order."""
        if role not in self._members:
            found: dict[Key, Words] = {}
            for key, roles in self._index.reach[role].items():
                name, *domain = (key,) if isinstance(key, str) else key
                for reached in roles:
                    found.setdefault((reached, domain[0]) if domain else reached, []).append(name)
            for names in found.values():
                names.sort()
            self._members[role] = found
        return self._members[role]

    def _own(self, branch: Branch) -> list[KeyPart]:
        keys = (*branch.keys, *branch.tested_keys)
        return [key for key in keys if _field(key.value) == self._field]

    def _words(self, key: KeyPart) -> Iterable[str]:
        yield from {row[key.column] for row in self._index.rows}
        if key.role:
            for name in self._index.reach[key.role]:
                yield name if isinstance(name, str) else name[0]

    def _table(self, branch: Branch, ranks: list[int]) -> "_Table | None":
        """None for a branch that does not look the field up: any word may pass it."""
        own = next(iter(self._own(branch)), None)
        if own is None or (own.domain is not None and _field(own.domain) in (None, self._field)):
            return None
        return _Table(self, self._index, branch, ranks, own)


class _Table:
    """The words of one branch's own column, by the columns that the other fields lead to."""

    def __init__(
        self, of: Candidates, index: Index, branch: Branch, ranks: list[int], own: KeyPart
    ) -> None:
        self._of = of
        self._reach = index.reach
        self._own = own
        self._others = [key for key in branch.keys if key.column != own.column and self._plain(key)]
        sets: dict[tuple[str, ...], set[str]] = defaultdict(set)
        rows, allows, at = index.rows, index.allows, own.column
        under = _picker([key.column for key in self._others])
        for rank in ranks:
            if allows[rank]:
                row = rows[rank]
                sets[under(row)].add(row[at])
        self._words = {under: sorted(words) for under, words in sets.items()}

    def _plain(self, key: KeyPart) -> bool:
        """Whether the key reads whole fields that are not the one asked about."""
        read = {_field(one) for one in (key.value, key.domain) if one is not None}
        return not read & {None, _field(self._own.value)}

    def under(self, fixed: Mapping[str, object]) -> Iterator[Words]:
        """Lists of words, each in order."""
        reached = [self._reached(key, fixed) for key in self._others]
        for under in product(*reached):
            words = self._words.get(under, [])
            yield words
            if self._own.role:
                yield from self._people(words, fixed)

    def _people(self, roles: Words, fixed: Mapping[str, object]) -> Iterator[Words]:
        members = self._of.members(self._own.role)
        domain = self._own.domain
        for role in roles:
            known: Key = role if domain is None else (role, str(fixed.get(str(_field(domain)), "")))
            yield members.get(known, [])

    def _reached(self, key: KeyPart, fixed: Mapping[str, object]) -> tuple[str, ...]:
        value = fixed.get(str(_field(key.value)), "")
        if not isinstance(value, str):
            return ()
        if not key.role:
            return (value,)
        domain = None if key.domain is None else fixed.get(str(_field(key.domain)), "")
        known: Key = value if domain is None else (value, str(domain))
        return self._reach[key.role].get(known, (value,))


def _picker(columns: list[int]) -> Callable[[Row], tuple[str, ...]]:
    """These columns of a row; `itemgetter` gives a tuple only for two or more."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple([row[column] for column in columns])


def _once(words: Iterable[str]) -> Iterator[str]:
    """Words in order, each once."""
    last = None
    for word in words:
        if word != last:
            last = word
            yield word


def _field(tree: Expr) -> str | None:
    """The field of the request that the tree is, if it is one as a whole."""
    return tree.path[1] if isinstance(tree, Name) and len(tree.path) == 2 else None
