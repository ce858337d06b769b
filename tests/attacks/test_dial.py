"""One-click dial under attack: the number never leaves, and a capability is worth one call."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from tests.line_world import Line

from acl_engine.domain.errors import AccessDenied, AclError
from acl_engine.domain.request import Query
from acl_engine.storage.database import Database


def dialled(line: Line, token: str, parcel: str = "load-1") -> str:
    return line.engine.dial(token, query(line, parcel)).token


def query(line: Line, parcel: str) -> Query:
    return Query("dial", "waybill", key=line.key(parcel))


def refused(line: Line, attack: Any) -> Any:
    with pytest.raises(AccessDenied) as caught:
        attack()
    return line.entries(caught.value.request_id)[-1]


def test_a_capability_works_once(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    capability = dialled(line, token)
    assert line.engine.call(token, capability).outcome == "answered"
    entry = refused(line, lambda: line.engine.call(token, capability))
    assert entry.controls == ("dial-broker",)
    assert line.calls.count("provider.call") == 1


def test_anothers_session_cannot_use_it(line: Line) -> None:
    capability = dialled(line, line.token("courier-88", "pda-88"))
    other = line.token("courier-89", "pda-89")
    entry = refused(line, lambda: line.engine.call(other, capability))
    assert (entry.account, entry.controls) == ("courier-89", ("dial-broker",))
    assert "provider.call" not in line.calls


def test_it_dies_with_the_session(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    capability = dialled(line, token)
    line.engine.logout(token)
    assert refused(line, lambda: line.engine.call(token, capability)).line == "0"


def test_it_expires_in_minutes(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    capability = dialled(line, token)
    line.stage.clock.advance(10 * 60)
    entry = refused(line, lambda: line.engine.call(token, capability))
    assert entry.controls == ("dial-broker",)


def test_it_ends_with_the_stage(line: Line) -> None:
    """Delivered a minute ago: the capability and the number behind it are dead."""
    token = line.token("courier-88", "pda-88")
    capability = dialled(line, token)
    with line.stage.database.write() as cx:
        cx.execute(
            text("UPDATE waybills SET stage = 'DELIVERED' WHERE waybill_no = :key"),
            {"key": line.key("load-1")},
        )
    refused(line, lambda: line.engine.call(token, capability))
    refused(line, lambda: line.engine.dial(token, query(line, "load-1")))
    assert "provider.call" not in line.calls


@pytest.mark.parametrize("parcel", ["load-89", "victim-parcel", "done-today", "load-8"])
def test_parcels_of_others_and_later_stops(line: Line, parcel: str) -> None:
    """Another's load, another branch, delivered, or not yet among the next stops."""
    token = line.token("courier-88", "pda-88")
    assert refused(line, lambda: line.engine.dial(token, query(line, parcel))).line == "3"
    assert "provider.bind" not in line.calls


def test_the_outcome_is_an_oracle_so_attempts_are_few(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    for _ in range(line.engine._door.pack.settings.dial.attempts_per_day):
        dialled(line, token)
    entry = refused(line, lambda: dialled(line, token))
    assert (entry.line, entry.reason) == ("4", "dial.attempts")


def test_the_brokers_store_gives_another_parcel(line: Line) -> None:
    """The broker distrusts the store too: no call to a number that was not asked for."""
    token = line.token("courier-88", "pda-88")

    class Swapped:
        def __init__(self, real: Any) -> None:
            self._real = real

        def find(self, request: Any, scope: Any) -> Any:
            return [replace(row, key="SN0") for row in self._real.find(request, scope)]

    line.lie("records", Swapped)
    refused(line, lambda: dialled(line, token))
    assert "provider.bind" not in line.calls


def test_a_binding_that_is_not_kept_is_undone(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    line.fails["dials.bind"] = RuntimeError()
    refused(line, lambda: dialled(line, token))
    assert line.calls.count("provider.bind") == line.calls.count("provider.unbind") == 1


def test_the_number_is_nowhere(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an answer, an error, a log, an audit record or a row of the dial tables."""
    caplog.set_level(logging.DEBUG)
    parcel = line.stage.truth.by_name["load-1"]
    numbers = {parcel.fields["recipient_phone"], parcel.fields["sender_phone"]}
    token = line.token("courier-88", "pda-88")

    class Talkative:
        """A provider whose errors quote what it was given."""

        def bind(self, number: str, expires_at: int) -> str:
            raise RuntimeError(f"no route to {number}")

    real = line.engine._door.provider
    line.lie("provider", lambda _: Talkative())
    said: list[str] = []
    with pytest.raises(AclError) as caught:
        dialled(line, token)
    said.append(repr(caught.value) + str(caught.value) + str(caught.value.__cause__))
    line.lie("provider", lambda _: real)
    capability = line.engine.dial(token, query(line, "load-1"))
    outcome = line.engine.call(token, capability.token)
    said += [repr(capability), capability.token, repr(outcome), caplog.text]
    said.append(rows(line.stage.database))
    assert "axb-" in said[-1]
    for number in numbers:
        assert not any(number in one for one in said)


def rows(database: Database) -> str:
    tables = ("dial_bindings", "dial_capabilities", "call_records", "audit_records", "reservations")
    found = []
    with database.read() as cx:
        known = set(cx.execute(text("SELECT name FROM sqlite_master")).scalars())
        for table in tables:
            if table in known:
                found += [repr(row) for row in cx.execute(text(f"SELECT * FROM {table}"))]
    return "\n".join(found)
