"""Scanners that hold no key: what the adapter opens, what nothing opens, and what is seen there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert
from tests.cas_world import OTHER, Browser, portal
from tests.identity_world import KEYS, NOW, STRICT, Hand, fill
from tests.line_world import Line

from acl_engine import Engine as Embedded
from acl_engine.bootstrap.remote_service import RemoteService
from acl_engine.bootstrap.scanner_adapter import ScannerAdapter
from acl_engine.bootstrap.scanner_lines import ScannerLines, _Screen
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AccessDenied, LoginRefused, SessionDead
from acl_engine.domain.request import Query
from acl_engine.identity.devices import sign
from acl_engine.identity.old_scanners import cut_off
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, devices, units

# NOW is 2026-03-01T21:20Z, which is the second of March in China.
OPEN = replace(STRICT, legacy_until="2026-03-02")
ADAPTER_KEY = KEYS["pda-stray"]


class Branch(Hand):
    """courier-1 with the old scanner gun-1 behind the adapter gate-1."""

    def signed(self, key: Ed25519PrivateKey = ADAPTER_KEY, device: str = "gun-1") -> DeviceProof:
        return sign(key, device, self.logins.challenge(device))

    def enter(self, proof: DeviceProof | None) -> str:
        code, password = self.code(), "four quiet herons wade"
        return self.logins.login("courier-1", password, totp=code, device=proof).token

    def device(self, name: str, **values: Any) -> None:
        self.change(devices, devices.c.id == name, **values)


@pytest.fixture
def branch(database: Database) -> Branch:
    fill(database)
    public = ADAPTER_KEY.public_key().public_bytes_raw()
    there = {"unit": "u1", "status": "active", "lease_until": NOW + 40 * 3600}
    rows = (
        {"id": "gate-1", "device_class": "adapter", "person": "p2", "public_key": public},
        {"id": "gun-1", "device_class": "legacy_scanner", "person": "p1", "adapter": "gate-1"},
    )
    with database.write() as cx:
        unit = dict.fromkeys(("kind", "path", "name_zh", "name_en", "city", "district"), "x")
        cx.execute(insert(units).values(id="u2", franchise=False, **unit))
        for row in rows:
            cx.execute(insert(devices).values(**row, **there))
    return Branch(database, OPEN)


def test_the_adapter_opens_a_session_on_the_scanner(branch: Branch) -> None:
    """Password and code of the person, the scanner of the inventory, the adapter's signature."""
    who = branch.sessions.resolve(branch.enter(branch.signed()))
    assert (who.device, who.device_class) == ("gun-1", "legacy_scanner")


STRANGERS: dict[str, Callable[[Branch], DeviceProof | None]] = {
    "nobody signs": lambda b: None,
    "the person's own app signs": lambda b: b.signed(KEYS["pda-1"]),
    "the adapter signs for itself": lambda b: b.signed(device="gate-1"),
    "the adapter signs for the app": lambda b: b.signed(device="pda-1"),
    "a scanner of no inventory": lambda b: b.signed(device="gun-9"),
}


@pytest.mark.parametrize("how", STRANGERS)
def test_nothing_else_opens_one(branch: Branch, how: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        branch.enter(STRANGERS[how](branch))
    assert "device-binding" in refused.value.attempt.refusal.controls


TAKEN: dict[str, Callable[[Branch], None]] = {
    "scanner lost": lambda b: b.device("gun-1", status="lost"),
    "scanner's lease over": lambda b: b.device("gun-1", lease_until=NOW),
    "scanner to another": lambda b: b.device("gun-1", person="p2"),
    "scanner of another branch": lambda b: b.device("gun-1", unit="u2"),
    "adapter lost": lambda b: b.device("gate-1", status="lost"),
    "adapter's lease over": lambda b: b.device("gate-1", lease_until=NOW),
    "adapter of another branch": lambda b: b.device("gate-1", unit="u2"),
    "adapter gone": lambda b: b.device("gun-1", adapter=None),
    "adapter that is none": lambda b: b.device("gate-1", device_class="pc"),
    "person of another branch": lambda b: b.change(
        accounts, accounts.c.login == "courier-1", unit="u2"
    ),
    "the day after the last": lambda b: b.later(hours=20),
    "no last day": lambda b: b.rewire(STRICT),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_taken_away_ends_it_at_the_next_look(branch: Branch, what: str) -> None:
    """Inventory, branch, lease and date are read live; and nobody comes in again."""
    branch.rewire(replace(OPEN, idle_minutes=2000, absolute_hours=40))
    token = branch.enter(branch.signed())
    TAKEN[what](branch)
    with pytest.raises(SessionDead):
        branch.sessions.resolve(token)
    branch.later(seconds=30)
    with pytest.raises(LoginRefused):
        branch.enter(branch.signed())


def test_the_last_day_ends_in_china() -> None:
    """Midnight of Shenzhen, wherever the server stands."""
    assert cut_off(OPEN) == 1_772_467_200  # 2026-03-02T16:00:00Z
    assert cut_off(STRICT) == 0


# --- what is seen on one ---------------------------------------------------------------------


@dataclass
class Screen:
    """What stands in the scanner's memory, and how often it was emptied."""

    held: list[str] = field(default_factory=list)
    wiped: int = 0

    def show(self, line: str) -> None:
        self.held.append(line)

    def wipe(self) -> None:
        self.held.clear()
        self.wiped += 1


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def adapter(line: Line, screen: Screen) -> ScannerAdapter:
    """courier-88 at the old scanner, as the device administrator set it up."""
    stage = line.stage
    key = Ed25519PrivateKey.from_private_bytes(stage.truth.device_key("gate-1"))
    with line.stage.database.write() as cx:
        line_of = {"unit": "ba-xixiang", "status": "active", "lease_until": stage.now + 36_000}
        public = key.public_key().public_bytes_raw()
        gate = {"id": "gate-1", "device_class": "adapter", "public_key": public}
        gun = {"id": "gun-7", "device_class": "legacy_scanner", "person": "p-courier-88"}
        cx.execute(insert(devices).values(**gate, **line_of))
        cx.execute(insert(devices).values(**gun, adapter="gate-1", **line_of))
    made = ScannerAdapter(line.engine, key, "gun-7", screen)
    password = stage.truth.password("courier-88", weak=False)
    made.login("courier-88", password, stage.code("courier-88"))
    return made


def test_number_and_route_and_nothing_else(
    line: Line, adapter: ScannerAdapter, screen: Screen
) -> None:
    adapter.look(line.key("load-1"))
    first = list(screen.held)
    assert len(first) == 1
    assert first[0].split()[0] == line.key("load-1")
    adapter.look(line.key("load-2"))
    assert len(screen.held) == 1
    assert screen.held != first  # the one before is gone


def test_scans_pass(line: Line, adapter: ScannerAdapter, screen: Screen) -> None:
    adapter.look(line.key("load-1"))
    adapter.scan("scan_out", line.key("load-1"), "ba-xixiang")
    assert screen.held == []


FIELDS = ("recipient_name", "recipient_phone", "unit", "area", "trace")
ASKED = {
    "field": [Query("read", "waybill", fields=("route", name)) for name in FIELDS],
    "act": [
        Query("dial", "waybill", key="load-1"),
        Query("trace", "waybill", key="load-1"),
        Query("reassign", "waybill", key="load-1", params={"to_person": "p-courier-89"}),
        Query("ask", "waybill", key="load-1", purpose="recontact"),
    ],
}


@pytest.mark.parametrize("query", [*ASKED["field"], *ASKED["act"]], ids=str)
def test_the_session_itself_asks_for_no_more(
    line: Line, adapter: ScannerAdapter, query: Query
) -> None:
    """Whoever takes the token out of the adapter and asks in its stead."""
    token = adapter._token or ""
    query = replace(query, key=line.key("load-1"))
    doors = {"dial": line.engine.dial, "reassign": line.engine.act, "ask": line.engine.act}
    with pytest.raises(AccessDenied) as denied:
        doors.get(query.action, line.engine.ask)(token, query)
    assert line.entries(denied.value.request_id)[-1].effect == "deny"


def test_a_list_shows_number_and_route(line: Line, adapter: ScannerAdapter) -> None:
    """A search without naming fields, too; and what is not shown does not choose."""
    token = adapter._token or ""
    listed = line.engine.ask(token, Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"}))
    shown = {name for view in listed.views for name in view.fields}
    assert shown == {"waybill_no", "route"}
    assert not line.engine.permits(line.engine.sessions.resolve(token), line.read("load-1"))


def test_nothing_is_left_on_it(line: Line, adapter: ScannerAdapter, screen: Screen) -> None:
    """After a refusal, and after the session."""
    adapter.look(line.key("load-1"))
    with pytest.raises(AccessDenied):
        adapter.look(line.key("victim-out"))
    assert screen.held == []
    adapter.look(line.key("load-1"))
    adapter.close()
    assert screen.held == []
    with pytest.raises(AccessDenied):
        adapter.look(line.key("load-1"))


def test_no_application_and_no_log_is_entered_from_one(database: Database) -> None:
    """The session's token, taken out of the adapter and carried to a browser: an application that
    trusts the central login would show there whatever its person may see."""
    home = portal(database)
    browser = Browser(home)
    browser.log_in()
    token = browser.session.removeprefix("TGT-")
    gate = {"id": "gate-1", "device_class": "adapter", "unit": "u1", "status": "active"}
    with database.write() as cx:
        cx.execute(insert(devices).values(**gate, lease_until=NOW + 36_000))
    old = {"device_class": "legacy_scanner", "adapter": "gate-1", "public_key": None}
    home.change(devices, devices.c.id == "pda-1", **old)
    who = home.central.login.sessions.resolve(token)
    assert who.device_class == "legacy_scanner"
    answer = browser.open(OTHER)
    assert answer.status == 403
    assert "ticket=" not in browser.location
    last = [entry for _, entry in home.engine.audit.entries()][-1]
    assert (last.action, last.effect, last.controls) == ("cas.ticket", "deny", ("legacy-scope",))
    embedded = Embedded(home.pack, {}, sessions=home.central.login.sessions)
    with pytest.raises(AccessDenied):
        embedded.principal(token)


# --- the line format -------------------------------------------------------------------------


@dataclass
class Talk:
    """What was said to a scanner, line by line."""

    lines: ScannerLines
    said: list[str]

    def __call__(self, *words: str) -> list[str]:
        self.said.clear()
        self.lines.take("\t".join(words).encode() + b"\r\n")
        return list(self.said)


@pytest.fixture
def talk(line: Line, adapter: ScannerAdapter) -> Talk:
    """A scanner whose person has come in by the line format, at an adapter over the engine."""
    adapter.close()
    key = Ed25519PrivateKey.from_private_bytes(line.stage.truth.device_key("gate-1"))
    said: list[str] = []
    made = Talk(ScannerLines(line.engine, key, "gun-7", said.append, 2**40), said)
    password = line.stage.truth.password("courier-88", weak=False)
    assert made("IN", "courier-88", password, line.stage.code("courier-88")) == ["WIPE", "OK"]
    return made


def test_a_shift_at_an_old_scanner(line: Line, talk: Talk) -> None:
    """In, a look, a scan, out: each line is answered, and nothing personal is said or logged."""
    number = line.key("load-1")
    wiped, shown, done = talk("LOOK", number)
    assert (wiped, done) == ("WIPE", "OK")
    assert re.fullmatch(rf"SHOW\t{number} \S+", shown)
    assert talk("OUT", number, "ba-xixiang") == ["WIPE", "OK"]
    assert talk("BYE") == ["WIPE", "OK"]
    assert [one.partition("\t")[0] for one in talk("LOOK", number)] == ["WIPE", "NO"]


def test_a_denial_is_its_request_id(line: Line, talk: Talk) -> None:
    wiped, denied = talk("LOOK", line.key("victim-out"))
    assert wiped == "WIPE"
    assert line.entries(denied.removeprefix("NO\t"))[-1].effect == "deny"


def test_the_log_names_no_parcel_and_no_person(
    line: Line, talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "acl.adapter"):
        talk("LOOK", line.key("load-1"))
        talk("IN", "courier-88", "a wrong password", "000000")
    assert caplog.messages[0].startswith("scanner=gun-7 verb=LOOK outcome=OK ms=")
    assert line.key("load-1") not in caplog.text
    assert "courier-88" not in caplog.text
    assert "wrong password" not in caplog.text


@pytest.mark.parametrize(
    "raw",
    [b"\n", b"look\tX1\n", b"LOOK\n", b"LOOK\tX1\tY\n", b"LOOK\t1 or 1=1\n", b"IN\ta\t\t1\n",
     b"\xff\xfe\n", b"LOOK\t" + b"9" * 2000, b"OUT\tX1\tno unit\n", b"GOT\tX\x001\n"],
)  # fmt: skip
def test_what_is_no_line_does_nothing(line: Line, talk: Talk, raw: bytes) -> None:
    talk.said.clear()
    assert talk.lines.take(raw)
    assert len(talk.said) == 1
    assert re.fullmatch(r"BAD\t[a-z0-9-]+", talk.said[0])
    assert talk("LOOK", line.key("load-1"))[-1] == "OK"


def test_a_line_that_was_cut_off_does_nothing(line: Line, talk: Talk) -> None:
    """The line broke in the middle of a number: what came of it is another parcel's."""
    number = line.key("load-1")
    before = len(list(line.engine.audit.entries()))
    for raw in (f"OUT\t{number}\tba-xixiang", f"LOOK\t{number}", f"GOT\t{number}\r", "BYE"):
        talk.said.clear()
        assert talk.lines.take(raw.encode())
        assert talk.said == ["BAD\tcut"]
    assert len(list(line.engine.audit.entries())) == before
    assert talk("LOOK", number)[-1] == "OK"


@dataclass
class Gateway:
    """Something that stands in the service's place, and answers every request alike."""

    status: int
    body: bytes

    def exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        return self.status, self.body


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"ok"', b"7", b"{}", b'{"views": 7, "request": "r"}', b'{"views": [{}]}',
     b'{"views": ["x"], "request": "r"}', b'{"views": [{"handle": 1, "fields": 7}]}', b"<html>",
     b"\xff", b"[" * 200_000, b'{"request": "r"}'],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 204, 403, 302, 500])
def test_an_answer_of_another_shape_is_none(status: int, body: bytes) -> None:
    """Nothing is shown, the scanner is told, and the adapter goes on."""
    said: list[str] = []
    service = RemoteService("https://acl.example", Gateway(status, body))
    lines = ScannerLines(service, ADAPTER_KEY, "gun-1", said.append, 2**40)
    for raw in (b"IN\ta\tb\t1\n", b"LOOK\tX1\n"):
        said.clear()
        assert lines.take(raw)
        refused = "NO\tr" if status == 403 and b'"request": "r"' in body else "OFF"
        assert [one for one in said if one != "WIPE"] == [refused]


def test_after_the_last_day_there_is_end_and_nothing_else(line: Line, talk: Talk) -> None:
    """The process's own date, whatever the service's policy says."""
    token = talk.lines._adapter._token or ""
    talk.lines._ends = 0
    talk.said.clear()
    assert not talk.lines.take(f"LOOK\t{line.key('load-1')}\n".encode())
    assert talk.said == ["WIPE", "END"]
    with pytest.raises(AccessDenied):
        line.engine.ask(token, line_query(line))


def test_a_scanner_that_was_unplugged_ends_its_session(line: Line, talk: Talk) -> None:
    token = talk.lines._adapter._token or ""

    def gone(text: str) -> None:
        raise BrokenPipeError

    talk.lines._adapter._wire = _Screen(gone)
    with pytest.raises(BrokenPipeError):
        talk.lines.close()
    with pytest.raises(AccessDenied):
        line.engine.ask(token, line_query(line))


def line_query(line: Line) -> Query:
    return Query("read", "waybill", key=line.key("load-1"), fields=("route",))
