"""An embedder's own table as rows of a policy: its attributes, and a scope as a condition on it.

The condition carries no dialect: what differs is chosen when the statement is compiled, so that it
can be put into any `select`, of any session, beside any other condition.

INVARIANTS
- The condition selects exactly the rows for which `domain.scope.holds` is true. A database whose
  comparisons are not known to be ours (MySQL ignores case) refuses at compile time.
- On SQLite every text is compared by bytes, whatever collation the table was made with.
- A column of a type that compares in its own way cannot be named by a policy. It may stand beside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, Table, func, inspect, select
from sqlalchemy import types as sql
from sqlalchemy.exc import NoInspectionAvailable, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from acl_engine.domain.errors import InputError, StoreError
from acl_engine.domain.facts import Value
from acl_engine.domain.scope import Scalar, Scope
from acl_engine.domain.text import Text
from acl_engine.storage.column_kinds import kind_of
from acl_engine.storage.failures import store_error
from acl_engine.storage.scope_sql import UNSAYABLE, Columns, Writer

NOT_MAPPED = Text(
    "mapped.class",
    "`{name}` 不是已映射的类，也不是 Table",
    "`{name}` is neither a mapped class nor a Table",
    "给出 SQLAlchemy 的映射类",
    "give a class mapped by SQLAlchemy",
)
NO_KEY = Text(
    "mapped.key",
    "`{name}` 没有单列主键，不能分页",
    "`{name}` has no primary key of one column, so it cannot be paged",
    "用 where() 自行查询",
    "select it yourself with where()",
)


NO_VALUE = Text(
    "mapped.value",
    "`{model}` 的记录没有属性 `{name}`",
    "the record of `{model}` has no attribute `{name}`",
    "登记时写明它叫什么（attributes=）",
    "say what it is called there (attributes=)",
)


class RowFilter(FunctionElement[bool]):
    """A condition on an embedder's table, good for any session. Put it into `select(...).where`."""

    name = "acl_row_filter"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        # It brings its own parentheses. SQLAlchemy's `(...) = 1` would keep SQLite from an index.
        return self


class _SameText(FunctionElement[str]):
    """A text column, compared for equality by code points."""

    name = "acl_same_text"
    type = String()
    inherit_cache = True


class _ByCodePoint(FunctionElement[str]):
    """A text column, in the order of code points."""

    name = "acl_by_code_point"
    type = String()
    inherit_cache = True


def _inner(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    (only,) = element.clauses
    return f"({compiler.process(only, **kw)})"


@compiles(RowFilter)
def _refuse_dialect(element: RowFilter, compiler: Any, **kw: Any) -> str:
    raise StoreError(UNSAYABLE.of(what=compiler.dialect.name, attribute="dialect"))


@compiles(RowFilter, "sqlite")
@compiles(RowFilter, "postgresql")
@compiles(_SameText, "postgresql")
def _as_it_is(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return _inner(element, compiler, **kw)


@compiles(_SameText, "sqlite")
@compiles(_ByCodePoint, "sqlite")
def _by_bytes(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return f"{_inner(element, compiler, **kw)} COLLATE BINARY"


@compiles(_ByCodePoint, "postgresql")
def _by_c(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return f'{_inner(element, compiler, **kw)} COLLATE "C"'


class _PortableWriter(Writer):
    """Leaves to the compiler what depends on the dialect."""

    def declared(self, column: Any) -> Any:
        kind = getattr(column, "type", None)
        variants = [kind, *getattr(kind, "_variant_mapping", {}).values()]
        kinds = {kind_of(one) for one in variants}
        return kind if len(kinds) == 1 else sql.NullType()

    def same_text(self, column: Any, collation: str | None) -> Any:
        return _SameText(column) if collation is None else _ByCodePoint(column)

    def by_code_point(self, column: Any) -> Any:
        return _ByCodePoint(column)


@dataclass(frozen=True)
class MappedRows:
    """One mapped class (or Table). `renamed` maps a policy's attribute to one of the class, or to
    a column expression; what it does not name keeps the class's own name."""

    model: Any
    renamed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    constants: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def columns(self) -> dict[str, Any]:
        """Every attribute with its column. Raises InputError for what is not mapped."""
        found = {name: getattr(self._source, name) for name in self._own_names}
        for name, what in self.renamed.items():
            found[name] = found[what] if isinstance(what, str) and what in found else what
        return found

    @cached_property
    def kinds(self) -> dict[str, Any]:
        """What a policy may read: attributes of plain text, whole number or flag."""
        kinds = {name: kind_of(getattr(one, "type", None)) for name, one in self.columns.items()}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    def condition(self, scope: Scope) -> RowFilter:
        """The rows of the scope. Raises StoreError for what SQL cannot say exactly."""
        columns: Columns = {**self.constants, **self.columns}
        return RowFilter(_PortableWriter(columns, "").write(scope, True))

    def attributes(self, record: Any) -> dict[str, Value]:
        """What a policy may read of one record: an instance, or a row of the Table as a mapping."""
        return {**self.constants, **{name: self._value(record, name) for name in self.kinds}}

    def texts(self, record: Any, names: Iterable[str]) -> dict[str, str]:
        """The named attributes of one record as texts; what has no value is left out."""
        values = {name: self._value(record, name) for name in names}
        return {name: str(value) for name, value in values.items() if value is not None}

    @property
    def known(self) -> tuple[str, ...]:
        """The names of all attributes, constants included."""
        return (*self.constants, *self.columns)

    def _value(self, record: Any, name: str) -> Any:
        what = self.renamed.get(name, name)
        own = what if isinstance(what, str) else getattr(what, "key", None) or name
        try:
            return record[own] if isinstance(record, Mapping) else getattr(record, own)
        except (AttributeError, KeyError):
            raise InputError(NO_VALUE.of(name=name, model=self.name)) from None

    def page(self, session: Any, where: ColumnElement[bool], after: Any, limit: int) -> list[Any]:
        """The keys of the next `limit` rows after a key, in the order of the keys."""
        key = self.key
        query = select(key).where(where).order_by(key).limit(limit)
        if after is not None:
            query = query.where(key > after)
        return [row[0] for row in _executed(session, query)]

    def count(self, session: Any, where: ColumnElement[bool], *distinct: str) -> tuple[int, ...]:
        """How many rows, and how many different values of each attribute."""
        each = [func.count(self.columns[name].distinct()) for name in distinct]
        query = select(func.count(), *each).select_from(self.model).where(where)
        return tuple(int(one) for one in _executed(session, query)[0])

    @cached_property
    def key(self) -> Any:
        """The primary key's column."""
        if isinstance(self.model, Table):
            keys = list(self.model.primary_key.columns)
        else:
            keys = [
                self.columns[self._mapper.get_property_by_column(c).key]
                for c in self._mapper.primary_key
            ]
        if len(keys) != 1:
            raise InputError(NO_KEY.of(name=self.name))
        return keys[0]

    @property
    def name(self) -> str:
        return str(getattr(self.model, "__name__", getattr(self.model, "name", "?")))

    @cached_property
    def _mapper(self) -> Any:
        try:
            mapper = inspect(self.model)
        except NoInspectionAvailable:
            mapper = None
        if not hasattr(mapper, "column_attrs"):
            raise InputError(
                NOT_MAPPED.of(name=getattr(self.model, "__name__", type(self.model).__name__))
            )
        return mapper

    @property
    def _source(self) -> Any:
        return self.model.c if isinstance(self.model, Table) else self.model

    @property
    def _own_names(self) -> Sequence[str]:
        if isinstance(self.model, Table):
            return [column.key for column in self.model.columns]
        return [attribute.key for attribute in self._mapper.column_attrs]


def _executed(session: Any, query: Any) -> Sequence[Any]:
    try:
        found: Sequence[Any] = session.execute(query).all()
    except SQLAlchemyError as error:
        raise store_error(error, "of the application") from None
    return found
