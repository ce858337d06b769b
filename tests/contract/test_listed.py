"""Lists as one value each: every text is found, whatever is in it, by the table's own key."""

from typing import Any

import pytest
from sqlalchemy import Select, insert, select, text
from sqlalchemy.dialects import sqlite

from acl_engine.storage.budget_changes import known
from acl_engine.storage.database import Database
from acl_engine.storage.listed import Lists, on_both, paired
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import budget_seen

_s = budget_seen.c
ODD = (
    "",
    "a",
    "A",
    "a'b",
    'a"b',
    "a\\b",
    "a%s?:x",
    "a,b",
    "[1]",
    "{}",
    "null",
    "1",
    "运单",
    "😀",
    "\n",
)


@pytest.fixture
def seen(database: Database) -> Database:
    """Each odd text as the subject of each, as a counter."""
    pairs = [(counter, subject) for counter in ODD for subject in ODD]
    with database.write() as cx:
        rows = [
            {"counter": counter, "subject": subject, "day": place, "weight": 1}
            for place, (counter, subject) in enumerate(pairs)
        ]
        cx.execute(insert(budget_seen), rows)
    return database


@pytest.mark.parametrize("wanted", [(), ODD[:1], ODD[1:4], ODD, (*ODD, "none", "a", "a")])
def test_one_of_a_list(seen: Database, wanted: tuple[str, ...]) -> None:
    """As many rows as the list has different texts that are there; an empty list has none."""

    def found(lists: Lists) -> Select[Any]:
        return select(_s.subject).where(_s.counter == "a", lists.has(_s.subject, "wanted"))

    with seen.read() as cx:
        rows = Prepared(on_both(found)).all(cx, {"wanted": list(wanted)})
    assert sorted(row["subject"] for row in rows) == sorted(set(wanted) & set(ODD))


def test_pairs_are_not_mixed(seen: Database) -> None:
    """Of a pair both have to fit: not the counter of one and the subject of another."""
    wanted = [(one, two) for one, two in zip(ODD, reversed(ODD), strict=True)]
    with seen.read() as cx:
        assert set(known(cx, [*wanted, ("none", "a")])) == set(wanted)
        assert known(cx, []) == {}


def test_pairs_are_found_by_the_key(seen: Database) -> None:
    """SQLite looked for pairs in every row: a look grew dearer with each person ever seen."""
    if seen.dialect != "sqlite":
        pytest.skip("PostgreSQL's planner goes by the table's size")

    def found(lists: Lists) -> Select[Any]:
        pairs = lists.pairs()
        both = (_s.counter == pairs.c.first) & (_s.subject == pairs.c.second)
        return select(_s.day).join_from(pairs, budget_seen, both)

    made: Any = on_both(found)["sqlite"].compile(dialect=sqlite.dialect())
    asked = str(made).replace("?", ":pairs")
    values = {"pairs": str(paired([("a", "b")])["pairs"]).replace("'", '"')}
    with seen.read() as cx:
        plan = [str(row[-1]) for row in cx.execute(text(f"EXPLAIN QUERY PLAN {asked}"), values)]
    assert any("SEARCH budget_seen USING" in step and "subject=?" in step for step in plan), plan
