"""Scope of a casbin policy: subject and action known, the record not; which records are allowed.

The reading follows `policy/index.py` step by step: branch by branch, role by role, row by row in
the order of their ranks, up to the first that matches. A row of the policy that the search would
reach and that would raise at a record takes that record out, as it denies it in `decide`.

INVARIANTS
- A record is in the scope if and only if `enforce` allows it.
- What a row filter cannot say raises PolicyError with the place in the policy; it never widens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from acl_engine.decision.leaves import Truth
from acl_engine.decision.partial import Reader, Rows, Trees
from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain import scope as s
from acl_engine.domain.errors import InputError, PolicyError, Where
from acl_engine.domain.text import Text
from acl_engine.policy.branches import Branch, KeyPart, reads_rows
from acl_engine.policy.expression import Name
from acl_engine.policy.index import Index

ORDER = Text(
    "rows.order",
    "角色由记录决定时，行条件里不能有大小比较",
    "where a role depends on the record, a row's condition cannot compare with < or >",
    "改写匹配式，或逐条判定（decide）",
    "rewrite the matcher, or decide record by record",
)
ONE_UNKNOWN = Text(
    "rows.one-unknown",
    "请求须有这些值，其中恰有一个是 Rows：{fields}",
    "the request needs these values, exactly one of them a Rows: {fields}",
)


@dataclass(frozen=True, slots=True)
class _Tried:
    """One row of the policy, as one walk of the search comes by it."""

    rank: int
    truth: Truth


class RowReader:
    """Reads one index with one field of the request unknown. Made once per policy and field."""

    def __init__(self, index: Index, unknown: str, file: str, *, strict: bool) -> None:
        self._index = index
        self._unknown = unknown
        self._file = file
        self._strict = strict
        self._trees = Trees(index, unknown)
        self._tables = [
            self._table(branch, ranks)
            for branch, ranks in zip(index.branches, index.ranks, strict=True)
        ]

    def scope(self, request: tuple[Any, ...], rows: Rows) -> s.Scope:
        """The records that are allowed. The value of the unknown field in `request` is not read."""
        reader = Reader(self._index, self._trees, request, rows, self._file)
        matches: dict[int, list[s.Scope]] = {}
        doubts: list[s.Scope] = []
        earlier: list[_Tried] = []
        for branch, table in zip(self._index.branches, self._tables, strict=True):
            entered = reader.all(self._first(branch), (), 0)
            doubts.append(entered.doubt)
            if entered.yes == s.NOTHING:
                continue
            for walk in self._walks(reader, branch, table, entered):
                doubts += _doubts(walk, earlier)
                earlier += walk
                for one in walk:
                    matches.setdefault(one.rank, []).append(one.truth.yes)
        allowed = self._decided(matches, self._unmatched(request, rows))
        return s.all_of(allowed, *(s.negate(one) for one in doubts))

    # --- the search, as `find` makes it --------------------------------------------------------

    def _first(self, branch: Branch) -> Iterator[Any]:
        return (one for one in branch.residual if not reads_rows(one, self._index.words.ptype))

    def _rest(self, branch: Branch) -> tuple[Any, ...]:
        return tuple(one for one in branch.residual if reads_rows(one, self._index.words.ptype))

    def _known(self, branch: Branch) -> list[KeyPart]:
        return [part for part in branch.keys if not self._reads_record(part)]

    def _reads_record(self, part: KeyPart) -> bool:
        trees = [part.value] if part.domain is None else [part.value, part.domain]
        return any(self._trees.mentions(tree, ()) for tree in trees)

    def _table(self, branch: Branch, ranks: list[int]) -> dict[tuple[str, ...], list[int]]:
        """Ranks by the columns that the known part of a request looks up."""
        columns = [part.column for part in self._known(branch)]
        table: dict[tuple[str, ...], list[int]] = {}
        for rank in ranks:
            row = self._index.rows[rank]
            table.setdefault(tuple(row[at] for at in columns), []).append(rank)
        return table

    def _walks(
        self,
        reader: Reader,
        branch: Branch,
        table: dict[tuple[str, ...], list[int]],
        entered: Truth,
    ) -> Iterator[list[_Tried]]:
        """Each list of rows that the search goes through, one after the other."""
        parts = self._known(branch)
        unknown = [part for part in branch.keys if part not in parts]
        for part in unknown:  # `find` reads it whether or not there is a row for it
            reader.under(part, "", 0)
        try:
            wanted = [_names(reader, self._index, part) for part in parts]
            hash(tuple(one for names in wanted for one in names))
        except Exception:  # noqa: BLE001 - a value that `find` would raise at
            yield [_Tried(-1, Truth(s.NOTHING, entered.yes))]
            return
        rest = self._rest(branch)
        for key in product(*wanted):
            ranks = table.get(key, ())
            walk = [self._tried(reader, rank, unknown, rest, entered) for rank in ranks]
            if any(part.role for part in unknown) and any(
                one.truth.doubt != s.NOTHING for one in walk
            ):
                raise PolicyError(ORDER.of(), Where(self._file))
            yield [one for one in walk if one.truth != Truth(s.NOTHING)]

    def _tried(
        self,
        reader: Reader,
        rank: int,
        unknown: list[KeyPart],
        rest: tuple[Any, ...],
        entered: Truth,
    ) -> _Tried:
        row, line = self._index.rows[rank], self._index.lines[rank]
        under = s.all_of(
            entered.yes, *(reader.under(part, row[part.column], line) for part in unknown)
        )
        if under == s.NOTHING:
            return _Tried(rank, Truth(s.NOTHING))
        found = reader.all(rest, row, line)
        return _Tried(rank, Truth(s.all_of(under, found.yes), s.all_of(under, found.doubt)))

    # --- what the matching rows decide ----------------------------------------------------------

    def _unmatched(self, request: tuple[Any, ...], rows: Rows) -> s.Scope:
        """The records that are allowed where no row matches.

        With a value that is looked up and is no text, `decide` then raises InputError.
        """
        if not self._index.default:
            return s.NOTHING
        if not self._strict:
            return s.EVERYTHING
        keys = (part.value for branch in self._index.branches for part in branch.keys)
        whole = {key.path[1] for key in keys if isinstance(key, Name) and len(key.path) == 2}
        fields = dict(zip(self._index.words.request, request, strict=True))
        if any(not isinstance(fields[one], str) for one in whole - {self._unknown}):
            return s.NOTHING
        if self._unknown not in whole or rows.text is None:
            return s.EVERYTHING
        return s.Compare(rows.text, "!=", None)

    def _decided(self, matches: dict[int, list[s.Scope]], unmatched: s.Scope) -> s.Scope:
        """The smallest matching rank decides: read from the last to the first, alike together."""
        found = unmatched
        together: list[list[s.Scope]] = []  # from the last rank to the first
        effect = True
        for rank in sorted(matches, reverse=True):
            if rank < 0:
                continue
            if self._index.allows[rank] is not effect and together:
                found = _joined(effect, together, found)
                together = []
            effect = self._index.allows[rank]
            together.append(matches[rank])
        return _joined(effect, together, found)


def _joined(allows: bool, together: list[list[s.Scope]], found: s.Scope) -> s.Scope:
    matched = _merged([one for same in reversed(together) for one in same])
    if allows:
        return s.any_of(*matched, found)
    return s.all_of(found, *(s.negate(one) for one in matched))


def _merged(scopes: list[s.Scope]) -> list[s.Scope]:
    """What differs in one value alone as one list: thousands of rows are one condition."""
    values: dict[tuple[str, tuple[s.Scope, ...]], dict[s.Scalar, None]] = {}
    found: dict[object, s.Scope] = {}
    for one in scopes:
        parts = one.parts if isinstance(one, s.And) else (one,)
        at = next((i for i, part in enumerate(parts) if _equality(part)), None)
        if at is None:
            found[one] = one
            continue
        part = parts[at]
        assert isinstance(part, s.Compare)
        key = (part.attribute, parts[:at] + parts[at + 1 :])
        same = values.setdefault(key, {})
        same[part.constant] = None
        if len(same) == 1:
            found[key] = one
        elif len(same) == 2:
            found[key] = s.EVERYTHING  # filled in below, in the place of the first
    for key, same in values.items():
        if len(same) > 1:
            found[key] = s.all_of(s.Member(key[0], frozenset(same)), *key[1])
    return list(found.values())


def _equality(part: s.Scope) -> bool:
    return isinstance(part, s.Compare) and part.op == "==" and isinstance(part.constant, str)


def _doubts(walk: list[_Tried], earlier: list[_Tried]) -> Iterator[s.Scope]:
    """The records at which a row of this walk raises, and which the search brings so far."""
    for at, one in enumerate(walk):
        if one.truth.doubt == s.NOTHING:
            continue
        before = [other.truth.yes for other in walk[:at]]
        before += [other.truth.yes for other in earlier if other.rank <= one.rank]
        yield s.all_of(one.truth.doubt, *(s.negate(other) for other in before))


def _names(reader: Reader, index: Index, part: KeyPart) -> tuple[Any, ...]:
    """What a known part of the key looks up: a value, or each name that it reaches."""
    value = reader.known(part.value)
    if not part.role:
        return (value,)
    key = value if part.domain is None else (value, str(reader.known(part.domain)))
    return index.reach[part.role].get(key) or (value,)


def scope_of(snapshot: Snapshot, request: tuple[Any, ...]) -> s.Scope:
    """The records that a request with a `Rows` in the place of one value allows."""
    index = snapshot.indexes["m"]
    fields = index.words.request
    unknown = [at for at, one in enumerate(request) if isinstance(one, Rows)]
    if len(request) != len(fields) or len(unknown) != 1:
        raise InputError(ONE_UNKNOWN.of(fields=", ".join(fields)))
    field, rows = fields[unknown[0]], request[unknown[0]]
    reader = snapshot.readers.get(field)
    if reader is None:
        reader = RowReader(index, field, snapshot.file, strict=snapshot.strict)
        snapshot.readers[field] = reader
    assert isinstance(reader, RowReader)
    return reader.scope(request, rows)
