"""Decisions alone are answered from what was read before only while nothing has changed since."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from tests import api_world
from tests.api_world import Api
from tests.line_world import PARCELS, ROOT

# What is written by somebody else, past the service, and must count at once.
TAKEN = {
    "account": "UPDATE accounts SET status = 'disabled' WHERE login = 'courier-88'",
    "role": "UPDATE accounts SET role = 'claims' WHERE login = 'courier-88'",
    "person": "UPDATE persons SET status = 'left' WHERE id = 'p-courier-88'",
    "session": "UPDATE sessions SET ended_at = 1 WHERE login = 'courier-88'",
    "hold": "UPDATE sessions SET held_at = 1 WHERE login = 'courier-88'",
    "device": "UPDATE devices SET status = 'revoked' WHERE id = 'pda-88'",
    "shift": "DELETE FROM shifts WHERE person = 'p-courier-88'",
    "parcel": "UPDATE waybills SET assignee = 'p-courier-89'",
    "stage": "UPDATE waybills SET stage = 'DELIVERED'",
}
SERVICE = {
    "token": "UPDATE service_tokens SET revoked_at = 1",
    "account": "UPDATE accounts SET status = 'disabled' WHERE login = 'svc-route'",
    "owner": "UPDATE persons SET status = 'left' WHERE id ="
    " (SELECT person FROM accounts WHERE login = 'svc-route')",
}


@pytest.fixture
def own(world_file: Path, tmp_path: Path) -> Iterator[Api]:
    """The application over a world of this test's own."""
    url = api_world.copied(world_file, tmp_path)
    made = api_world.api(url, Truth(small_world(ROOT), PARCELS))
    yield made
    made.service.close()


def question(api: Api, parcel: str = "load-1") -> dict[str, Any]:
    return {
        "subject": {"type": "account", "id": "courier-88"},
        "action": {"name": "read"},
        "resource": {"type": "waybill", "id": api.key(parcel)},
    }


def asked(api: Api, service: str, parcel: str = "load-1") -> Any:
    return api.post("/access/v1/evaluation", question(api, parcel), service)


def write(api: Api, statement: str) -> None:
    with closing(sqlite3.connect(api.service.database.path)) as elsewhere, elsewhere:
        assert elsewhere.execute(statement).rowcount > 0, "nothing was changed"


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_taken_away_elsewhere_counts_at_the_next_evaluation(own: Api, what: str) -> None:
    """Allowed again and again, then changed past the service: the next answer is no."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    for _ in range(3):
        assert asked(own, service).json() == {"decision": True}
    write(own, TAKEN[what])
    assert asked(own, service).json() == {"decision": False}


@pytest.mark.parametrize("what", SERVICE)
def test_a_service_that_is_over_elsewhere_gets_no_further_answer(own: Api, what: str) -> None:
    """The application's own credential is as live as the person's session."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    for _ in range(3):
        assert asked(own, service).status == 200
    write(own, SERVICE[what])
    assert asked(own, service).status == 401


def test_what_is_given_elsewhere_counts_as_well(own: Api) -> None:
    """A refusal is kept no longer than a consent."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    for _ in range(3):
        assert asked(own, service, "load-89").json() == {"decision": False}
    write(own, "UPDATE waybills SET assignee = 'p-courier-88', assignee_sound = 1, stop_seq = 1")
    assert asked(own, service, "load-89").json() == {"decision": True}


def test_time_alone_takes_rights_away(own: Api) -> None:
    """Nothing is written, and the shift ends all the same."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    assert asked(own, service).json() == {"decision": True}
    # Kept young elsewhere, on a lease that goes on: only the shift's end is left.
    end = 12 * 3600
    write(own, f"UPDATE sessions SET seen_at = {own.now + end}, expires_at = {own.now + 2 * end}")
    write(own, f"UPDATE devices SET lease_until = {own.now + 2 * end}")
    assert asked(own, service).json() == {"decision": True}
    own.clock.advance(end)
    assert asked(own, service).json() == {"decision": False}


def test_answers_are_given_without_reading_while_nothing_changes(own: Api) -> None:
    """The second of two equal questions touches no table; one about another parcel reads that."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    asked(own, service)
    database = own.service.database
    kept = dict(database.unchanged._kept[1])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "read", None)
        assert asked(own, service).json() == {"decision": True}
    assert asked(own, service, "load-2").json() == {"decision": True}
    assert len(database.unchanged._kept[1]) == len(kept) + 1


def test_a_scanner_without_a_key_asks_nothing_of_the_log(own: Api) -> None:
    """An auditor's session that turns out to be on one: there it scans, and no more."""
    question = {"account": "courier-88"}
    auditor = own.token("auditor-01")
    assert own.post("/v1/audit/account", question, auditor).status == 200
    write(
        own,
        "INSERT INTO devices (id, device_class, unit, status, lease_until)"
        " SELECT 'gate-1', 'adapter', unit, status, lease_until FROM devices WHERE id = 'pc-21'",
    )
    write(
        own,
        "UPDATE devices SET device_class = 'legacy_scanner', adapter = 'gate-1' WHERE id = 'pc-21'",
    )
    assert own.service.engine.sessions.resolve(auditor).device_class == "legacy_scanner"
    assert own.post("/v1/audit/account", question, auditor).status == 403


RUNS_OUT = {
    "lease": "UPDATE devices SET lease_until = {end} WHERE id = 'pda-88'",
    "session": "UPDATE sessions SET expires_at = {end} WHERE login = 'courier-88'",
    "idle session": "UPDATE sessions SET seen_at = {end} - 30 * 60 WHERE login = 'courier-88'",
    "shift": "UPDATE shifts SET ends_at = {end} WHERE person = 'p-courier-88'",
    "training": "UPDATE persons SET trained_at = {end} - 365 * 86400 WHERE id = 'p-courier-88'",
}


@pytest.mark.parametrize("what", RUNS_OUT)
def test_what_runs_out_is_gone_at_its_second(own: Api, what: str) -> None:
    """Asked in the second before, kept, and nothing committed since."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    write(own, RUNS_OUT[what].format(end=own.now + 10))
    own.clock.advance(9)
    assert asked(own, service).json() == {"decision": True}
    own.clock.advance(1)
    assert asked(own, service).json() == {"decision": False}
