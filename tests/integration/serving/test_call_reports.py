"""What the telephone vendor reports of calls that have ended: to an address that this company made,
once a call, a word of it alone."""

import base64
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from acl_engine.identity.devices import message
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.world.company import device_key, strong_password
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database
from tests import api_world
from tests.api_world import ADDRESS, Api
from tests.asgi import Answer, call
from tests.integration.serving.people import WORLD_TIME, Person
from tests.line_world import PARCELS, ROOT
from tests.local_npp import APP, ID, KEY, Vendor, vendor
from tests.serving import serving

OURS, THEIRS = "008619012340001", "008619000000009"
RECORD = {"appId": APP, "callId": "c-1", "src": THEIRS, "dst": OURS, "callEndStatus": "1"}
DETAILS = {
    "1": "callback",
    "2": "busy",
    "3": "no-answer",
    "7": "off",
    "12": "failed",
    "x": "failed",
}


def settings(folder: Path, there: Vendor) -> dict[str, str]:
    account = {"schema": "acl-telephony/1", "app_id": APP, "secret_id": ID, "secret_key": KEY}
    file = folder / "telephony.yaml"
    file.write_text(json.dumps({**account, "lines": {"pda-88": OURS[4:]}}), "utf-8")
    file.chmod(0o600)
    named = {"vendor": "tencent-npp", "account_file": str(file), "endpoint": there.url}
    return {f"telephony__{name}": value for name, value in named.items()}


@dataclass
class Ringing:
    """A service with a vendor; a courier has called once."""

    api: Api
    there: Vendor

    def path(self, action: str) -> str:
        said = [body for name, body in self.there.asked if name == action][-1]
        return said["HangupUrl"].removeprefix(ADDRESS)

    def push(self, path: str, **changed: Any) -> Answer:
        return self.api.post(path, RECORD | changed)

    def records(self) -> list[str]:
        with self.api.service.database.read() as cx:
            return list(cx.execute(text("SELECT outcome FROM call_records ORDER BY id")).scalars())


@pytest.fixture
def ringing(world_file: Path, tmp_path: Path) -> Iterator[Ringing]:
    with vendor() as there:
        url = api_world.copied(world_file, tmp_path)
        api = api_world.api(url, Truth(small_world(ROOT), PARCELS), **settings(tmp_path, there))
        token = api.token("courier-88")
        right = api.post("/v1/dial", {"key": api.key("load-1")}, token).json()
        assert api.post("/v1/call", {"capability": right["capability"]}, token).status == 200
        yield Ringing(api, there)
        api.service.close()


def test_a_report_completes_the_call_it_is_about(ringing: Ringing) -> None:
    """Once: what is said of it again, or otherwise, changes nothing."""
    assert ringing.records() == ["placed"]
    path = ringing.path("CreateCallBack")
    for status in ("3", "3", "1"):
        answer = ringing.push(path, callEndStatus=status)
        assert (answer.status, answer.body) == (200, b"")
        assert ringing.records() == ["no-answer"]


@pytest.mark.parametrize("detail", DETAILS)
def test_who_rings_the_number_is_on_record(ringing: Ringing, detail: str) -> None:
    """A call back is a record of its own, one for each call."""
    path = ringing.path("GetVirtualNum")
    for name in ("c-1", "c-1", "c-2"):
        assert ringing.push(path, callId=name, callEndStatusDetail=detail).status == 200
    assert ringing.records() == ["placed", DETAILS[detail], DETAILS[detail]]


def test_a_courier_who_dials_the_number_is_no_callback(ringing: Ringing) -> None:
    path = ringing.path("GetVirtualNum")
    ringing.push(path, src=OURS, callEndStatusDetail="1")
    assert ringing.records()[-1] == "answered"


def test_ringing_by_hand_spends_the_attempts(ringing: Ringing) -> None:
    """Out of a handset's call list: the next attempt through the engine is refused, and one more by
    hand loses the intermediate number. The contact's own calls spend nothing."""
    api, path = ringing.api, ringing.path("GetVirtualNum")
    asked, token = {"key": api.key("load-1")}, api.token("courier-88")
    most = api.service.pack.settings.dial.attempts_per_day
    for number in range(most):
        ringing.push(path, callId=f"back-{number}")
    assert api.post("/v1/dial", asked, token).status == 200
    for number in range(most - 2):
        ringing.push(path, src=OURS, callId=f"hand-{number}", callEndStatusDetail="2")
    assert api.post("/v1/dial", asked, token).status == 403
    assert api.service.engine.hang_up() == 0
    ringing.push(path, src=OURS, callId="once-more", callEndStatusDetail="2")
    assert api.service.engine.hang_up() == 1
    assert "DelVirtualNum" in [name for name, _ in ringing.there.asked]


def forged(path: str) -> list[str]:
    """Addresses that this company did not make."""
    *said, end, code = path.rpartition("/")[2].split(".")
    head = path.rpartition("/")[0]
    other = ("0" if code[0] != "0" else "1") + code[1:]
    return [
        f"{head}/{'.'.join([*said, end, other])}",
        f"{head}/{'.'.join([*said, str(int(end) + 1), code])}",
        f"{head}/{'.'.join(['0' * 24, *said[1:], end, code])}",
        f"{head}/{'.'.join([said[0], '0' * 16, end, code])}",
        f"{head}/{'.'.join([*said, end])}",
        f"{head}/x",
    ]


def test_an_address_that_nobody_made_is_none(ringing: Ringing) -> None:
    """The same answer as where there is nothing at all; the body is not read."""
    nothing = ringing.api.post("/nothing/npp/x", RECORD)
    for path in forged(ringing.path("CreateCallBack")):
        answer = ringing.push(path)
        assert answer.status == 404
        assert {**answer.json(), "request": ""} == {**nothing.json(), "request": ""}
    assert ringing.records() == ["placed"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_tells_an_address_from_none(ringing: Ringing, method: str) -> None:
    """A true address, a false one, and where there is nothing at all: not even which methods."""
    true = ringing.path("GetVirtualNum")
    said = []
    for path in (true, forged(true)[0], "/telephony/npp/x", "/nothing/npp/x"):
        answer = call(ringing.api.app, path, method=method)
        number = answer.header("x-request-id") or "?"
        headers = [one for one in answer.headers if one[0] != "x-request-id"]
        said.append((answer.status, answer.text.replace(number, ""), headers))
    assert said[0][0] == 404
    assert said == [said[0]] * 4
    assert ringing.records() == ["placed"]


def test_an_address_runs_out(ringing: Ringing) -> None:
    """A record that turns up a day after its binding ended is not believed."""
    ringing.api.clock.advance(26 * 3600)
    assert ringing.push(ringing.path("CreateCallBack")).status == 404
    assert ringing.records() == ["placed"]


WRONG: dict[str, tuple[Any, int]] = {
    "another application": (RECORD | {"appId": "another"}, 400),
    "no name": (RECORD | {"callId": ""}, 400),
    "a number for a text": (RECORD | {"callEndStatus": 1}, 400),
    "no status": ({k: v for k, v in RECORD.items() if k != "callEndStatus"}, 400),
    "a long name": (RECORD | {"callId": "c" * 200}, 400),
    "a list": ([RECORD], 400),
    "too much": (RECORD | {"more": "x" * 5000}, 413),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_record_is_refused(ringing: Ringing, name: str) -> None:
    """And quoted nowhere: a record holds both numbers."""
    body, status = WRONG[name]
    answer = ringing.api.post(ringing.path("CreateCallBack"), body)
    assert answer.status == status
    assert THEIRS not in answer.text
    assert ringing.records() == ["placed"]


def test_a_flood_fills_no_table(ringing: Ringing) -> None:
    path = ringing.path("GetVirtualNum")
    for number in range(220):
        assert ringing.push(path, callId=f"c-{number}").status == 200
    assert len(ringing.records()) == 200


def test_nothing_of_a_record_is_kept_or_logged(
    ringing: Ringing, caplog: pytest.LogCaptureFixture
) -> None:
    """No number, no name that the vendor gave, no address."""
    caplog.set_level(logging.DEBUG)
    paths = [ringing.path("CreateCallBack"), ringing.path("GetVirtualNum")]
    for path in paths:
        ringing.push(path, callId=f"call-of-{THEIRS}")
        ringing.push(path, appId=THEIRS)
    database = ringing.api.service.database
    with database.read() as cx:
        tables = ("call_records", "dial_bindings", "audit_records")
        kept = "".join(
            str(row) for name in tables for row in cx.execute(text(f"SELECT * FROM {name}"))
        )
    codes = [path.rpartition(".")[2] for path in paths]
    for secret in (THEIRS, THEIRS[4:], OURS[4:], *codes):
        assert secret not in caplog.text
        assert secret not in kept


def test_without_a_vendor_there_is_no_address(api: Api) -> None:
    assert api.post("/telephony/npp/x", RECORD).status == 404


# --- over the wire ------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_vendor_reports_over_tls(world_copy: str, tmp_path: Path) -> None:
    """`acl serve`, a vendor on this machine that is called and calls back, and one number: none."""
    port = free_port()
    with vendor() as there:
        told = {
            f"ACL_{name.replace('__', '_').upper()}": value
            for name, value in settings(tmp_path, there).items()
        }
        public = {"ACL_SERVE_PUBLIC_URL": f"https://localhost:{port}"}
        environ = {**told, **public, **WORLD_TIME}
        with serving(tmp_path, "--database", world_copy, port=port, **environ) as served:

            def post(path: str, body: dict[str, Any], token: str = "") -> Any:
                headers = {"Content-Type": "application/json"}
                bearer = {"Authorization": f"Bearer {token}"} if token else {}
                sent = json.dumps(body).encode()
                answer = served.ask(path, method="POST", body=sent, headers=headers | bearer)
                assert answer.status == 200, answer.text
                return json.loads(answer.body)

            challenge = post("/v1/challenge", {"device": "pda-88"})["challenge"]
            key = Ed25519PrivateKey.from_private_bytes(device_key(SEED, "pda-88"))
            signed = base64.urlsafe_b64encode(key.sign(message("pda-88", challenge))).decode()
            device = {"id": "pda-88", "challenge": challenge, "signature": signed.rstrip("=")}
            secrets = {"password": strong_password(SEED, "courier-88"), "device": device}
            person = {"login": "courier-88", "code": Person("courier-88").code(), **secrets}
            token = post("/v1/login", person)["token"]
            parcel = Truth(small_world(ROOT), PARCELS).by_name["load-1"]
            right = post("/v1/dial", {"key": parcel.waybill_no}, token)
            post("/v1/call", {"capability": right["capability"]}, token)
            rung = dict(there.asked)["CreateCallBack"]["HangupUrl"]
            bound = dict(there.asked)["GetVirtualNum"]["HangupUrl"]
            there_too = served.context
            assert there.report(rung, there_too, callId="c-1", callEndStatus="5") == 200
            assert there.report(rung[:-1] + "x", there_too, callId="c-1", callEndStatus="1") == 404
            back = {"callId": "c-2", "callEndStatus": "1", "callEndStatusDetail": "1"}
            assert there.report(bound, there_too, **back) == 200
            said = "\n".join(served.log)
    with Database.open(world_copy) as kept, kept.read() as cx:
        rows = [str(row) for row in cx.execute(text("SELECT * FROM call_records ORDER BY id"))]
        outcomes = list(cx.execute(text("SELECT outcome FROM call_records ORDER BY id")).scalars())
    assert outcomes == ["off", "callback"]
    for secret in (parcel.fields["recipient_phone"], OURS[4:], rung.rpartition("/")[2]):
        assert secret not in said + "".join(rows)
