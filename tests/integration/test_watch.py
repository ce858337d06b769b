"""Watching a real log: alerts go on record once, reactions are called and their failure is kept."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.bootstrap.watch import ALERT, REACTION, Watch, detector
from acl_engine.cli import cli
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Alert
from acl_engine.domain.errors import AuditUnavailable, ConfigError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.scan_feed import ScanFeed
from tests.contract.test_audit_store import entry, store_of

RULES = Path(__file__).parents[2] / "policies" / "courier" / "detection"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = int(NOW.timestamp() * 1000)


@dataclass
class Desk:
    """What is done about alerts, written down; or it fails."""

    done: list[Alert] = field(default_factory=list)
    broken: bool = False
    killed: bool = False

    def react(self, alert: Alert) -> None:
        if self.killed:
            raise SystemExit
        if self.broken:
            raise ConfigError(Text("test.broken", "坏", "broken").of())
        self.done.append(alert)


def watch_of(
    database: Database, desk: Desk | None = None, clock: SteppedClock | None = None
) -> Watch:
    keys = KeyedPseudonyms(Keys.synthetic("t").pseudonym)
    found, _ = detector(RULES)
    at = clock or SteppedClock(NOW)
    return Watch(found, store_of(database), ScanFeed(database), keys, at, desk)


def tries(database: Database, device: str = "pda-stolen", count: int = 3) -> None:
    store = store_of(database)
    for number in range(count):
        who = {"account": f"c{number}", "device": device, "effect": "deny", "kind": "event"}
        store.append(entry(f"{device}-{number}", at=AT + number, action="login", **who))


def recorded(database: Database, action: str) -> list[AuditEntry]:
    return [one for _, one in store_of(database).entries() if one.action == action]


def test_alert_is_on_record_with_its_evidence_before_the_reaction(database: Database) -> None:
    """Three accounts on one device: an alert that names the records, and then the freeze."""
    tries(database)
    desk = Desk()
    found = watch_of(database, desk).catch_up()
    assert [alert.rule for alert in found] == ["device-of-many"]
    assert desk.done == found
    alert, reaction = recorded(database, ALERT)[0], recorded(database, REACTION)[0]
    assert (alert.resource, alert.evidence, alert.device) == (
        "device-of-many", (0, 1, 2), "pda-stolen",
    )  # fmt: skip
    assert (reaction.effect, reaction.reason) == ("allow", "freeze")


def test_what_is_said_is_not_said_again(database: Database) -> None:
    """Neither by the same watch, nor by another one after a restart; what is new is."""
    tries(database)
    watch = watch_of(database)
    assert len(watch.catch_up()) == 1
    assert watch.catch_up() == []
    assert watch_of(database).catch_up() == []
    tries(database, "pda-other")
    assert len(watch.catch_up()) == 1
    assert len(recorded(database, ALERT)) == 2


def test_what_a_killed_watch_owed_is_made_good_once(database: Database) -> None:
    """Killed between the alert's record and the freeze: the next watch acts, the third not."""
    tries(database)
    dying = Desk(killed=True)
    with pytest.raises(SystemExit):
        watch_of(database, dying).catch_up()
    desk = Desk()
    assert watch_of(database, desk).catch_up() == []
    assert [one.rule for one in desk.done] == ["device-of-many"]
    assert watch_of(database, desk).catch_up() == []
    assert len(desk.done) == 1
    assert len(recorded(database, ALERT)) == 1


def test_failed_reaction_is_on_record(database: Database) -> None:
    """Who could not be frozen is not taken for frozen."""
    tries(database)
    assert len(watch_of(database, Desk(broken=True)).catch_up()) == 1
    assert [(one.effect, one.reason) for one in recorded(database, REACTION)] == [
        ("error", "test.broken")
    ]


def test_a_failed_reaction_is_tried_again(database: Database) -> None:
    """Whoever keeps the database busy at that moment does not escape: the same watch does it a
    minute later, the next one at its start, and none twice. The failure is on record once."""
    tries(database)
    desk, clock = Desk(broken=True), SteppedClock(NOW)
    watch = watch_of(database, desk, clock)
    watch.catch_up()
    for _ in range(3):
        clock.advance(60)
        watch.catch_up()
    restarted = Desk()
    assert watch_of(database, restarted, clock).catch_up() == []
    assert len(restarted.done) == 1
    desk.broken = False
    watch.catch_up()
    assert desk.done == []  # not before a minute has passed
    clock.advance(60)
    watch.catch_up()
    watch.catch_up()
    assert len(desk.done) == 1
    assert [one.effect for one in recorded(database, REACTION)] == ["error", "allow", "allow"]


def test_alert_that_cannot_be_written_waits(sqlite_url: str) -> None:
    """No reaction without its record; when the store takes records again, nothing was lost."""
    with Database.open(sqlite_url) as database:
        tries(database)
        desk = Desk()
        watch = watch_of(database, desk)
        down = (
            "CREATE TRIGGER down BEFORE INSERT ON audit_records BEGIN SELECT RAISE(ABORT,'x'); END"
        )
        with database.write() as cx:
            cx.execute(text(down))
        with pytest.raises(AuditUnavailable):
            watch.catch_up()
        assert desk.done == []
        with database.write() as cx:
            cx.execute(text("DROP TRIGGER down"))
        assert len(watch.catch_up()) == 1
        assert len(desk.done) == 1


def run(*args: str, code: int | None = None) -> str:
    result = CliRunner().invoke(cli, ["audit", "detect", *args], catch_exceptions=False)
    assert code is None or result.exit_code == code, result.output
    return result.output


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "master").write_bytes(b"m" * 32)
    (tmp_path / "master").chmod(0o600)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(tmp_path / "master"))
    return sqlite_url


def test_command_over_history(url: str) -> None:
    """Nothing found: exit 0. An alert: exit 1, its evidence, in both languages and as JSON."""
    assert "0 alerts" in run("--database", url, code=0)
    with Database.open(url) as database:
        tries(database)
    found = run("--database", url, code=1)
    assert "Many accounts on one device: c0 c1 c2 (device=pda-stolen), 3 in all" in found
    zh = CliRunner().invoke(cli, ["--lang", "zh", "audit", "detect", "--database", url])
    assert "一台设备上多个账号" in zh.output
    document = json.loads(run("--database", url, "--format", "json", code=1))
    assert document["alerts"][0]["evidence"] == [1, 2, 3]  # 0 is the record of the first question
    assert "0 alerts" in run("--database", url, "--from", "2026-03-03", code=0)
    with Database.open(url) as database:
        assert recorded(database, ALERT) == []  # history is read, nothing is said


def test_command_follows(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts come out as they are put on record; Ctrl-C ends it without a word."""
    with Database.open(url) as database:
        tries(database)
    monkeypatch.setattr("acl_engine.bootstrap.world_clock.SystemClock", lambda: SteppedClock(NOW))

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("acl_engine.cli.audit_detect.time.sleep", interrupted)
    lines = run("--follow", "--format", "json", "--database", url, code=0).splitlines()
    assert json.loads(lines[-1])["rule"] == "device-of-many"
    with Database.open(url) as database:
        assert len(recorded(database, ALERT)) == 1


def test_command_lists_its_rules(url: str) -> None:
    """All eight, with their level and response."""
    listed = run("--list", "--database", url, code=0).splitlines()
    assert len(listed) == 8
    assert any("look-without-scan  [medium]" in one for one in listed)
