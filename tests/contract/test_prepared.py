"""Prepared statements give what SQLAlchemy gives, on both databases, and fail as it does."""

from typing import Any

import pytest
from sqlalchemy import (
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)

from acl_engine.domain.errors import StoreError
from acl_engine.storage import tables as t
from acl_engine.storage.database import Database
from acl_engine.storage.prepared import Prepared

_w = t.waybills.c
_ABOUT: Select[Any] = select(
    *t.waybills.columns, literal("50%").label("a % sign"), (_w.cod & True).label("paid")
).where(_w.waybill_no == bindparam("key"))
STATEMENTS: dict[str, Any] = {
    "every kind of column": _ABOUT,
    "sealed bytes": select(t.waybill_people).where(t.waybill_people.c.waybill == bindparam("id")),
    "a fact": select(exists().where(_w.stop_seq > bindparam("id")).label("one")),
    "a union": union_all(
        select(literal("mine").label("whose"), _w.waybill_no).where(_w.id == bindparam("id")),
        select(literal("none"), _w.waybill_no).where(_w.stage == "NO SUCH"),
    ),
    "a limit": select(_w.waybill_no).order_by(_w.waybill_no.desc()).limit(2),
    "a sum": select(func.count().label("many")).where(_w.stage.not_in([bindparam("key"), "x"])),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_same_rows(company: Database, name: str) -> None:
    """Values, kinds and names; a value that nothing asks for is no matter."""
    asked = {"key": "SF0001", "id": 1, "else": object()}
    prepared = Prepared(STATEMENTS[name])
    with company.read() as cx:
        wanted = [dict(row) for row in cx.execute(STATEMENTS[name], asked).mappings()]
        for _ in range(2):
            found = prepared.all(cx, asked)
            assert found == wanted
            assert found
            assert [list(map(type, one.values())) for one in found] == [
                list(map(type, one.values())) for one in wanted
            ]
            assert prepared.first(cx, asked) == wanted[0]


def test_none_is_none(company: Database) -> None:
    """No row; and a value that is None is like nothing, as in SQL."""
    prepared = Prepared(_ABOUT)
    with company.read() as cx:
        assert prepared.first(cx, {"key": "SF9999"}) is None
        assert prepared.all(cx, {"key": None}) == []
        with pytest.raises(KeyError):
            prepared.all(cx, {})


def test_a_value_is_no_text(company: Database) -> None:
    """What is given cannot become SQL."""
    with company.read() as cx:
        assert Prepared(_ABOUT).all(cx, {"key": "x' OR '1'='1"}) == []


def test_each_change_tells_how_many_rows_it_changed(company: Database) -> None:
    """In the order in which they were given; what is given cannot become SQL here either."""
    mine = update(t.waybills).where(_w.waybill_no == bindparam("key"), _w.id > 0)
    prepared = Prepared(mine.values(stage=bindparam("to")))
    rows = [{"key": key, "to": f"'{key}"} for key in ("SF0001", "SF9999", "SF0002", "x' OR 1=1 --")]
    with company.write() as cx:
        assert prepared.each(cx, rows) == [1, 0, 1, 0]
        assert prepared.each(cx, []) == []
    with company.read() as cx:
        found = cx.execute(select(_w.waybill_no).where(_w.stage.like("'%"), _w.stage != "'"))
        assert sorted(found.scalars()) == ["SF0001", "SF0002"]


def test_many_rows_at_once(company: Database) -> None:
    """Each is written with its own values, also of statements that differ by database."""
    row = {"counter": "'c", "window": "day", "starts_at": 0}
    added = insert(t.budget_counters)
    prepared = Prepared({"sqlite": added, "postgresql": added})
    with company.write() as cx:
        prepared.many(cx, [{**row, "starts_at": day, "used": day * 2} for day in range(3)])
        prepared.many(cx, [])
    with company.read() as cx:
        found = cx.execute(select(t.budget_counters.c.used).order_by(t.budget_counters.c.used))
        assert found.scalars().all() == [0, 2, 4]


def test_a_change_that_fails_is_the_stores_error(company: Database) -> None:
    """And nothing of its transaction stays."""
    taken = Prepared(update(t.waybills).values(waybill_no=bindparam("no")))
    with pytest.raises(StoreError) as caught, company.write() as cx:
        taken.each(cx, [{"no": "p-secret"}])
    assert caught.value.message.code == "store.failed"
    assert "p-secret" not in caught.value.render()


def test_another_constant_is_another_statement(company: Database) -> None:
    """Statements that differ in a constant alone do not answer for each other."""
    first, second = (Prepared(select(literal(one).label("said"))) for one in ("a", "b"))
    truth, one = (Prepared(select(literal(value).label("said"))) for value in (True, 1))
    with company.read() as cx:
        for _ in range(2):
            assert [first.first(cx, {}), second.first(cx, {})] == [{"said": "a"}, {"said": "b"}]
            found = [truth.first(cx, {}), one.first(cx, {})]
            assert repr(found) == "[{'said': True}, {'said': 1}]"


def test_lists_and_double_names_are_refused(company: Database) -> None:
    """A list has no fixed number of places, and of two columns of one name one would be lost."""
    listed = Prepared(select(_w.id).where(_w.id.in_(bindparam("ids", expanding=True))))
    twice = Prepared(select(_w.id, t.waybill_people.c.waybill.label("id")))
    with company.read() as cx:
        for one in (listed, twice):
            with pytest.raises(ValueError, match=r"list|name"):
                one.all(cx, {"ids": [1]})


def test_an_error_of_the_driver_is_the_stores(company: Database) -> None:
    """A table that is gone: one line, no statement, no value."""
    prepared = Prepared(select(t.shifts).where(t.shifts.c.person == bindparam("person")))
    with company.write() as cx:
        cx.execute(text("ALTER TABLE shifts RENAME TO shifts_away"))
    with pytest.raises(StoreError) as caught, company.read() as cx:
        prepared.all(cx, {"person": "p-secret"})
    assert caught.value.message.code == "store.failed"
    assert "p-secret" not in repr(caught.value.__context__)
    assert "p-secret" not in caught.value.render()
