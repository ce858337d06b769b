"""One-click dial under attack: the number never leaves, and a capability is worth one call."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from tests.line_world import Line

from acl_engine.bootstrap.telephony import Rounds
from acl_engine.domain.calls import Ends
from acl_engine.domain.errors import AccessDenied, AclError
from acl_engine.domain.request import Query
from acl_engine.storage import dials
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


def test_a_failing_call_is_an_attempt_too(line: Line) -> None:
    """Ringing a number that the network refuses tells that it is dead: no ringing without end."""
    token = line.token("courier-88", "pda-88")
    line.fails["provider.call"] = RuntimeError("19012345678 is not in service")
    for _ in range(line.engine._door.pack.settings.dial.attempts_per_day):
        refused(line, lambda: line.engine.call(token, dialled(line, token)))
    assert refused(line, lambda: dialled(line, token)).reason == "dial.attempts"
    assert outcomes(line) == ["failed"] * 6


def test_many_at_once_get_no_more(line: Line) -> None:
    token = line.token("courier-88", "pda-88")

    def tried(_: int) -> str:
        try:
            return dialled(line, token)
        except AccessDenied:
            return ""

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(tried, range(24)))
    assert sum(map(bool, got)) == line.engine._door.pack.settings.dial.attempts_per_day


def test_redial_to_learn_who_is_off(line: Line) -> None:
    """The switchboard says off: six words a day is all that anybody learns of a number."""
    token = line.token("courier-88", "pda-88")
    line.engine._door.provider.line_is(contact(line, "load-1"), "off")
    heard = [line.engine.call(token, dialled(line, token)).outcome for _ in range(6)]
    assert heard == ["off"] * 6
    assert refused(line, lambda: dialled(line, token)).line == "4"


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


# --- the way back: the contact rings the intermediate number ------------------------------------


def contact(line: Line, parcel: str) -> str:
    return line.stage.truth.by_name[parcel].fields["recipient_phone"]


def reference(line: Line) -> str:
    with line.stage.database.read() as cx:
        query = "SELECT provider_ref FROM dial_bindings ORDER BY expires_at DESC, rowid DESC"
        return str(cx.execute(text(query)).scalars().first())


def outcomes(line: Line) -> list[str]:
    with line.stage.database.read() as cx:
        return list(cx.execute(text("SELECT outcome FROM call_records ORDER BY id")).scalars())


def set_parcel(line: Line, **values: str) -> None:
    what = ", ".join(f"{name} = :{name}" for name in values)
    with line.stage.database.write() as cx:
        cx.execute(
            text(f"UPDATE waybills SET {what} WHERE waybill_no = :key"),
            {**values, "key": line.key("load-1")},
        )


def rings(line: Line, caller: str | None = None) -> str:
    provider = line.engine._door.provider
    return str(provider.ring_back(caller or contact(line, "load-1"), reference(line)).to)


@pytest.fixture
def called(line: Line) -> Line:
    """courier-88 has called the contact of load-1."""
    token = line.token("courier-88", "pda-88")
    line.engine.call(token, dialled(line, token))
    return line


def test_the_contact_reaches_the_bound_courier(called: Line) -> None:
    assert rings(called) == "pda-88"
    assert outcomes(called) == ["answered", "callback"]
    assert called.engine.hang_up() == 0


def test_a_stranger_reaches_the_hotline(called: Line) -> None:
    """Whoever learnt the intermediate number is nobody to it, and leaves no call record."""
    assert rings(called, contact(called, "load-2")) == "hotline"
    assert outcomes(called) == ["answered"]


def ends_by_delivery(line: Line) -> None:
    set_parcel(line, stage="DELIVERED")


def ends_by_another_assignee(line: Line) -> None:
    set_parcel(line, assignee=line.stage.person("courier-89").person)


def ends_with_the_account(line: Line) -> None:
    person = line.stage.person("courier-88").person
    assert line.stage.administer(lambda desk: desk.leave(person, "acct-admin-01")).allowed


def ends_with_the_device(line: Line) -> None:
    assert line.stage.administer(
        lambda d: d.devices.revoke("pda-88", "lost", "dev-admin-01")
    ).allowed


def ends_with_the_shift(line: Line) -> None:
    with line.stage.database.write() as cx:
        now = {"now": line.stage.now, "who": line.stage.person("courier-88").person}
        cx.execute(text("UPDATE shifts SET ends_at = :now WHERE person = :who"), now)


def ends_by_expiry(line: Line) -> None:
    line.stage.clock.advance(61 * 60)


ENDS = (
    ends_by_delivery,
    ends_by_another_assignee,
    ends_with_the_account,
    ends_with_the_device,
    ends_with_the_shift,
    ends_by_expiry,
)


@pytest.mark.parametrize("end", ENDS)
def test_a_callback_ends_with_its_reason(called: Line, end: Callable[[Line], None]) -> None:
    """At once for a provider that asks; for the others a round of hanging up later."""
    end(called)
    assert rings(called) == "hotline"
    ref = reference(called)
    assert called.engine.hang_up() == 1
    assert called.engine._door.provider._bound.get(ref) is None
    assert called.engine.hang_up() == 0


def test_a_provider_that_fails_is_told_again(called: Line) -> None:
    ends_by_delivery(called)
    called.fails["provider.unbind"] = RuntimeError(contact(called, "load-1"))
    assert called.engine.hang_up() == 0
    del called.fails["provider.unbind"]
    assert called.engine.hang_up() == 1


def test_bindings_that_stand_hide_none_that_is_over(
    called: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a page of calls in progress, and a leaver's after them: a round reaches it, also
    while the provider fails with another."""
    monkeypatch.setattr(dials, "_AT_ONCE", 2)
    with called.stage.database.write() as cx:
        table = dials.dial_bindings
        row = dict(cx.execute(select(table)).mappings().one())
        for number in range(5):
            same = {"id": f"b-{number}", "provider_ref": f"axb-{number}"}
            cx.execute(insert(table).values({**row, **same}))
        over = {"id": "z", "provider_ref": "axb-z", "expires_at": row["expires_at"] + 60}
        cx.execute(insert(table).values({**row, **over, "person": "p-nobody"}))
    assert called.engine.hang_up() == 1
    assert called.engine.hang_up() == 0


def test_reassigning_hangs_up_at_once(called: Line) -> None:
    """The act itself ends the first courier's binding: no round has to come."""
    manager = called.token("sup-0413", "pc-22")
    params = {"to_person": called.stage.person("courier-91").person}
    query = Query("reassign", "waybill", key=called.key("load-1"), params=params)
    called.engine.act(manager, query)
    assert called.calls.count("provider.unbind") == 1
    assert rings(called) == "hotline"


def test_no_callback_where_the_pack_says_none(called: Line) -> None:
    door = called.engine._door
    settings = replace(door.pack.settings, dial=replace(door.pack.settings.dial, callback=False))
    called.engine._door = replace(door, pack=replace(door.pack, settings=settings))
    assert not called.engine.calls_back(reference(called))


def test_the_number_is_nowhere(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an answer, an error, a log, an audit record or a row of the dial tables."""
    caplog.set_level(logging.DEBUG)
    parcel = line.stage.truth.by_name["load-1"]
    numbers = {parcel.fields["recipient_phone"], parcel.fields["sender_phone"]}
    token = line.token("courier-88", "pda-88")

    class Talkative:
        """A provider whose errors quote what it was given."""

        def bind(self, ends: Ends) -> str:
            raise RuntimeError(f"no route to {ends.number}")

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


@pytest.mark.parametrize("broken", [RuntimeError("13800138000"), ValueError("x")])
def test_one_binding_that_cannot_be_decided_stops_no_round(
    called: Line, broken: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be decided is over; and whatever a round stumbles over, the next one comes."""
    called.fails["directory.facts"] = broken
    assert called.engine.hang_up() == 1
    called.fails["dials.kept"] = broken
    assert Rounds(called.engine).round() == 0
    assert str(broken) not in caplog.text
