"""Decisions alone are answered from what was read before only while nothing has changed since."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from acl_engine.bootstrap import evaluations
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import create_or_upgrade
from tests import api_world
from tests.api_world import Api
from tests.line_world import PARCELS, ROOT

PATH = "/access/v1/evaluation"
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
    return api.post(PATH, question(api, parcel), service)


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
        other = {**question(own), "context": {"any": "thing"}}  # decided anew, from what was read
        assert own.post(PATH, other, service).json() == {"decision": True}
    assert asked(own, service, "load-2").json() == {"decision": True}
    assert len(database.unchanged._kept[1]) == len(kept) + 1


def test_an_answer_is_nobody_elses(own: Api) -> None:
    """It is given again to the same bytes alone: not without the credential, nor with another's,
    nor to another question."""
    service, metrics = own.credential("evaluation"), own.credential("metrics")
    own.log_in("courier-88")
    for _ in range(2):
        assert asked(own, service).json() == {"decision": True}
        assert asked(own, metrics).status == 401
        assert own.post(PATH, question(own)).status == 401
        assert own.post(PATH, question(own), service, headers=()).status == 415
        assert own.post(PATH, question(own, "load-89"), service).json() == {"decision": False}
        other = {**question(own), "subject": {"type": "account", "id": "courier-89"}}
        assert own.post(PATH, other, service).json() == {"decision": False}


def test_answers_that_are_kept_are_bounded_and_hold_no_question(
    own: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many different questions come within a second."""
    monkeypatch.setattr(evaluations, "MOST_ANSWERS", 10)
    service = own.credential("evaluation")
    own.log_in("courier-88")
    for number in range(50):
        body = {**question(own), "context": {"n": number}}
        assert own.post(PATH, body, service).json() == {"decision": True}
    second, answers = own.service.database.unchanged._kept[1][evaluations._ANSWERS]
    assert second == own.now
    assert len(answers) <= 10
    assert {len(one) for one in answers} == {32}


def test_a_clock_set_back_finds_no_answer_of_another_second(own: Api) -> None:
    """Within one state, an answer of a later second is none for an earlier one."""
    service = own.credential("evaluation")
    own.log_in("courier-88")
    write(own, f"UPDATE devices SET lease_until = {own.now + 10} WHERE id = 'pda-88'")
    assert asked(own, service).json() == {"decision": True}
    own.clock.advance(10)
    assert asked(own, service).json() == {"decision": False}
    own.clock.set_back(10)
    assert asked(own, service).json() == {"decision": True}


@pytest.mark.postgres
def test_on_a_server_what_is_taken_away_counts_for_all_who_ask_afterwards(
    postgres_server: Any, postgres_admin: Any
) -> None:
    """Requests share their looks at the state: none shares one that began before it came."""
    postgres_admin.execute("CREATE DATABASE acl_asked TEMPLATE acl_template STRATEGY file_copy")
    url = postgres_server.get_uri("acl_asked")
    with create_or_upgrade(url) as database:
        build_world(database, small_world(ROOT), PARCELS, synthetic_sealing(SEED))
    made = api_world.api(url, Truth(small_world(ROOT), PARCELS))
    service = made.credential("evaluation")
    made.log_in("courier-88")

    async def run() -> None:
        async def flood() -> None:
            while not over.is_set():
                await acall(made, service)

        over = asyncio.Event()
        around = [asyncio.create_task(flood()) for _ in range(8)]
        with psycopg.connect(url, autocommit=True) as elsewhere:
            for held in (1, 0) * 20:
                changed = elsewhere.execute(
                    "UPDATE sessions SET held_at = %s WHERE login = 'courier-88'", [held]
                )
                assert changed.rowcount
                found = await asyncio.gather(*(acall(made, service) for _ in range(4)))
                assert set(found) == {b'{"decision":%s}' % (b"false" if held else b"true")}
        over.set()
        await asyncio.gather(*around)

    try:
        asyncio.run(run())
    finally:
        made.service.close()
        postgres_admin.execute("DROP DATABASE acl_asked WITH (FORCE)")


async def acall(api: Api, service: str) -> bytes:
    """The question on the loop that runs; the body of its answer."""
    sent: list[bytes] = []
    body = json.dumps(question(api)).encode()
    heads = {"content-type": "application/json", "authorization": f"Bearer {service}"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    await api.app(
        {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"content-length", str(len(body)).encode()),
                *((name.encode(), value.encode()) for name, value in heads.items()),
            ],
        },
        receive,
        send,
    )
    return b"".join(sent)


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
    for _ in range(3):
        assert asked(own, service).json() == {"decision": True}
    own.clock.advance(1)
    assert asked(own, service).json() == {"decision": False}
