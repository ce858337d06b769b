"""A scope as SQL selects the rows for which `holds` is true: no more, no fewer, on both."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from acl_engine.domain.errors import StoreError
from acl_engine.domain.scope import (
    EVERYTHING,
    NOTHING,
    Always,
    And,
    Compare,
    CompareAttributes,
    Member,
    Not,
    Or,
    Prefix,
    Scope,
    holds,
)
from acl_engine.storage.database import Database
from acl_engine.storage.scope_sql import MAX_MEMBERS, Columns, condition

rows = Table(
    "rows",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("t1", String(20)),
    Column("t2", String(20)),
    Column("n1", BigInteger),
    Column("n2", Integer),
    Column("b1", Boolean),
    Column("b2", Boolean),
)
ATTRIBUTES = ("t1", "t2", "n1", "n2", "b1", "b2")
COLUMNS: Columns = {
    **{name: rows.c[name] for name in ATTRIBUTES},
    "type": "waybill",
    "none": None,
}
TEXTS = ["", "a", "A", "ab", "a%", "a_", "%", "_", "é", "e\u0301", "Z", "z", "１", "1", "欧",
         "😀", "\uffff", "\U0010ffff", "a\U0010ffff", "\ud7ff", "\ue000",
         "'", "\\", "a b", "a "]  # fmt: skip
NUMBERS = [0, 1, 2, -1, 2**31 - 1]
VALUES: dict[str, list[Any]] = {
    "t1": [None, *TEXTS], "t2": [None, *TEXTS], "n1": [None, *NUMBERS], "n2": [None, *NUMBERS],
    "b1": [None, True, False], "b2": [None, True, False],
}  # fmt: skip
ROWS = [
    {name: VALUES[name][(i * step) % len(VALUES[name])] for name, step in
     zip(ATTRIBUTES, (1, 7, 1, 3, 1, 2), strict=True)}
    for i in range(78)
]  # fmt: skip

names = st.sampled_from([*ATTRIBUTES, "type", "none"])
constants = st.one_of(
    st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from([*TEXTS, "waybill"])
)
operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
leaves: st.SearchStrategy[Scope] = st.one_of(
    st.builds(Always, st.booleans()),
    st.builds(Compare, names, operators, constants),
    st.builds(CompareAttributes, names, operators, names),
    st.builds(Member, names, st.frozensets(constants, max_size=4)),
    st.builds(Prefix, names, st.sampled_from(TEXTS)),
)
scopes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@pytest.fixture
def filled(database: Database) -> Database:
    with database.write() as cx:
        rows.create(cx)
        cx.execute(insert(rows), ROWS)
    return database


def selected(database: Database, scope: Scope) -> list[int]:
    with database.read() as cx:
        where = condition(scope, COLUMNS, database.dialect)
        return list(cx.scalars(select(rows.c.id).where(where).order_by(rows.c.id)))


def held(scope: Scope) -> list[int]:
    constant: dict[str, Any] = {"type": "waybill", "none": None}
    return [i for i, row in enumerate(ROWS, 1) if holds(scope, row | constant)]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scope=scopes)
def test_sql_says_what_holds_says(filled: Database, scope: Scope) -> None:
    """Row by row, with NULLs, case, wildcards, full-width digits and mixed kinds."""
    assert selected(filled, scope) == held(scope)


def test_every_leaf_and_its_complement(filled: Database) -> None:
    """All operators over all columns and constants, as written and negated."""
    leaf: Scope
    for name in (*ATTRIBUTES, "type", "none"):
        for op in ("==", "!=", "<", "<=", ">", ">="):
            for constant in (None, True, 0, 1, "a", "１"):
                leaf = Compare(name, op, constant)
                assert selected(filled, leaf) == held(leaf), leaf
                assert selected(filled, Not(leaf)) == held(Not(leaf)), leaf


@pytest.mark.parametrize("prefix", TEXTS)
def test_prefix_is_plain_text(filled: Database, prefix: str) -> None:
    """`%` and `_` are characters, case matters, and the last code point has no successor."""
    for scope in (Prefix("t1", prefix), Not(Prefix("t1", prefix))):
        assert selected(filled, scope) == held(scope)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_single_leaf_is_a_plain_comparison(dialect: str) -> None:
    """An index serves `column = value`; nothing is wrapped around it."""
    spoken: Any = {"sqlite": sqlite, "postgresql": postgresql}[dialect].dialect()
    for scope in (Compare("t1", "==", "a"), Member("t1", frozenset({"a"}))):
        text = str(condition(scope, COLUMNS, dialect).compile(dialect=spoken))
        assert text.startswith("rows.t1 = ")


class Base(DeclarativeBase):
    pass


class Parcel(Base):
    __tablename__ = "parcels"
    no: Mapped[str] = mapped_column(String(20), primary_key=True)
    holder: Mapped[str | None] = mapped_column("held_by", String(20))


def test_mapped_classes(database: Database) -> None:
    """An embedder's own mapped class filters by its attributes."""
    with database.write() as cx:
        Base.metadata.create_all(cx)
        table = Base.metadata.tables["parcels"]
        cx.execute(insert(table), [{"no": "1", "held_by": "x"}, {"no": "2", "held_by": None}])
    columns: Columns = {"holder": Parcel.holder, "no": Parcel.no}
    where = condition(Not(Compare("holder", "==", "x")), columns, database.dialect)
    with database.read() as cx:
        assert list(cx.scalars(select(Parcel.no).where(where))) == ["2"]


class Decorated(TypeDecorator[str]):
    impl = String
    cache_ok = True


@pytest.mark.parametrize(
    "kind",
    [Enum("a", "b"), Decorated(), LargeBinary(), postgresql.CITEXT(), postgresql.CHAR(3)],
    ids=["enum", "decorated", "bytes", "citext", "padded"],
)
def test_types_that_compare_in_their_own_way(kind: Any) -> None:
    """A column whose equality is not ours raises; it never widens."""
    with pytest.raises(StoreError) as caught:
        condition(Compare("x", "==", "a"), {"x": Column("x", kind)}, "postgresql")
    assert caught.value.message.code == "scope.unsayable"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_declared_collation_is_replaced(dialect: str) -> None:
    """A case-insensitive column compares with case all the same."""
    spoken: Any = {"sqlite": sqlite, "postgresql": postgresql}[dialect].dialect()
    column = Column("x", String(collation="NOCASE"))
    text = str(condition(Compare("x", "==", "a"), {"x": column}, dialect).compile(dialect=spoken))
    assert ("BINARY" if dialect == "sqlite" else '"C"') in text


@pytest.mark.parametrize(
    "scope",
    [
        Compare("missing", "==", "a"),
        Compare("t1", "==", "a\0b"),
        Compare("t1", "==", "\ud800"),
        Compare("n1", "==", 2**63),
        Compare("t1", "=~", "a"),
        Prefix("t1", "\0"),
        Member("n1", frozenset(range(MAX_MEMBERS + 1))),
        Not(Compare("missing", "==", "a")),
        And((NOTHING, Compare("missing", "==", "a"))),
        Or((EVERYTHING, Compare("missing", "==", "a"))),
    ],
    ids=str,
)
def test_what_cannot_be_said_raises(scope: Scope) -> None:
    """No error is swallowed, not even beside a part that decides alone."""
    for dialect in ("sqlite", "postgresql"):
        with pytest.raises(StoreError):
            condition(scope, COLUMNS, dialect)


def test_unknown_dialect_raises() -> None:
    """Another database's equality is not known to be ours (MySQL ignores case)."""
    with pytest.raises(StoreError):
        condition(EVERYTHING, COLUMNS, "mysql")
