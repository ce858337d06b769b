"""Acts at the gate: recorded before they happen, and a refused one has changed nothing."""

from typing import Any

import pytest
from sqlalchemy import text
from tests.line_world import Line

from acl_engine.domain.errors import AccessDenied, AuditUnavailable, InputError
from acl_engine.domain.request import Query


def reassign(line: Line, parcel: str, to: str) -> Query:
    person = line.stage.truth.world.staff[to].person
    return Query("reassign", "waybill", key=line.key(parcel), params={"to_person": person})


def state(line: Line) -> list[Any]:
    found: list[Any] = []
    with line.stage.database.read() as cx:
        for table in ("waybills", "assignments", "scans", "work_items"):
            found += sorted(map(repr, cx.execute(text(f"SELECT * FROM {table}"))))
    return found


def refused(line: Line, token: str, query: Query) -> Any:
    before = state(line)
    with pytest.raises(AccessDenied) as caught:
        line.engine.act(token, query)
    assert state(line) == before
    return line.entries(caught.value.request_id)[-1]


def test_to_an_accomplice_of_another_branch(line: Line) -> None:
    """The state of the parcel says no, so it is refused after its intent was written."""
    entry = refused(line, line.token("sup-0413", "pc-22"), reassign(line, "load-1", "courier-90"))
    assert (entry.kind, entry.line) == ("outcome", "7")
    assert "rostered-reassign" in entry.controls


def test_by_the_one_who_gains(line: Line) -> None:
    """A courier takes another's parcel: no right to the act at all."""
    token = line.token("courier-88", "pda-88")
    assert refused(line, token, reassign(line, "load-89", "courier-88")).line == "3"


def test_a_ticket_without_a_call(line: Line) -> None:
    """An event that nobody recorded opens nothing."""
    token = line.token("cs-12", "pc-12")
    params = {"source": "call-that-never-was", "caller": "19012345678"}
    key = line.key("keeper-parcel")
    entry = refused(line, token, Query("open_ticket", "waybill", key=key, params=params))
    assert "caller-verification" in entry.controls
    assert "19012345678" not in repr(entry)


def test_an_act_without_its_argument(line: Line) -> None:
    """Told to the caller, recorded, and nothing set aside for it."""
    token = line.token("sup-0413", "pc-22")
    before = state(line)
    with pytest.raises(InputError):
        line.engine.act(token, Query("reassign", "waybill", key=line.key("load-1")))
    assert state(line) == before
    assert line.calls[-2:] == ["budgets.reserve", "audit.append"]
    with line.stage.database.read() as cx:
        assert cx.exec_driver_sql("SELECT count(*) FROM budget_reservations").scalar() == 0


def test_no_audit_no_act(line: Line) -> None:
    token = line.token("sup-0413", "pc-22")
    before = state(line)
    line.fails["audit.append"] = OSError()
    with pytest.raises(AuditUnavailable):
        line.engine.act(token, reassign(line, "load-1", "courier-91"))
    assert state(line) == before


def test_the_wrong_door(line: Line) -> None:
    """An act cannot be asked as a look, nor a look as an act."""
    token = line.token("sup-0413", "pc-22")
    with pytest.raises(AccessDenied):
        line.engine.ask(token, reassign(line, "load-1", "courier-91"))
    assert refused(line, token, line.read("load-1")).reason == "query.wrong-door"
