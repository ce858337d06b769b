"""Whether anybody watches the log: said by the service, to whoever runs it, and to nobody else."""

import logging
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from acl_engine.bootstrap.lookout import MARK_SECONDS, NEVER, Lookout, Marker
from acl_engine.cli import cli
from acl_engine.storage.database import Database
from acl_engine.storage.watch_marks import WatchMarks
from tests.api_world import Api
from tests.asgi import call
from tests.serving import command, environment, serving

NOBODY = "nobody watches the log"
AGAIN = "the log is watched again"


@dataclass
class Hand:
    """A clock that is set."""

    at: float = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def test_silence_is_told_once_and_so_is_its_end(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """On both databases: a watch that never was, one that comes, one that goes."""
    hand, marks = Hand(), WatchMarks(database)
    lookout, marker = Lookout(marks, 60, hand), Marker(marks, hand)
    caplog.set_level(logging.WARNING, "acl.web")

    def told(seconds: float) -> list[str]:
        caplog.clear()
        hand.at += seconds
        lookout.look()
        lookout.look()
        return [record.message[: len(NOBODY)] for record in caplog.records]

    assert lookout.age() == NEVER
    assert told(59) == []  # it may start after the service
    assert told(2) == [NOBODY]
    marker.at_work()
    assert (lookout.age(), told(0)) == (0, [AGAIN[: len(NOBODY)]])
    assert told(59) == []
    assert told(2) == [NOBODY]


def test_a_mark_is_made_every_few_seconds_and_not_more_often(database: Database) -> None:
    """Each commit sends decisions to the tables again: a look a second must not."""
    hand, marks = Hand(), WatchMarks(database)
    marker = Marker(marks, hand)
    seen = []
    for _ in range(40):
        marker.at_work()
        seen.append(marks.last())
        hand.at += MARK_SECONDS / 20
    assert seen[0] == 1_000_000_000
    assert len(set(seen)) == 2


def test_a_clock_that_went_wrong_neither_stills_the_marks_nor_keeps_one_fresh(
    database: Database,
) -> None:
    hand, marks = Hand(), WatchMarks(database)
    marker, lookout = Marker(marks, hand), Lookout(marks, 60, hand)
    marker.at_work()
    hand.at -= 3600
    assert lookout.age() == NEVER
    marker.at_work()
    assert lookout.age() == 0


def test_a_watch_that_would_look_too_seldom_is_refused() -> None:
    asked = [
        "audit",
        "detect",
        "--follow",
        "--react",
        "--every",
        "6",
        "--database",
        "sqlite:///x.db",
    ]
    result = CliRunner().invoke(cli, asked)
    assert result.exit_code == 2
    assert "at least every 5 seconds" in result.output


def test_the_metric_says_so_and_no_stranger_is_told(api: Api) -> None:
    bearer = (("authorization", f"Bearer {api.credential('metrics')}"),)
    assert "acl_watch_age_seconds +Inf" in call(api.app, "/metrics", headers=bearer).text
    Marker(WatchMarks(api.service.database)).at_work()
    told = call(api.app, "/metrics", headers=bearer).text
    age = next(line for line in told.splitlines() if line.startswith("acl_watch_age_seconds "))
    assert 0 <= float(age.split()[1]) < 60
    for path in ("/readyz", "/healthz"):
        assert "watch" not in call(api.app, path).text


def test_a_service_and_a_watch_in_processes_of_their_own(world_copy: str, tmp_path: Path) -> None:
    """Nobody watches, somebody comes, is killed, and each is a line of the service's log."""
    watch = command("audit", "detect", "--follow", "--react", "--every", "0.2")
    with serving(tmp_path, "--database", world_copy, ACL_WATCH_SILENCE_SECONDS="10") as served:
        wait_for(NOBODY, served.log)
        process = subprocess.Popen(
            watch,
            env=environment(tmp_path, ACL_DATABASE=world_copy, ACL_OPERATOR="auditor-01"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(AGAIN, served.log)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
        assert served.ask("/readyz").status == 200


def wait_for(words: str, log: list[str]) -> None:
    until = time.monotonic() + 60
    while not any(words in line for line in log):
        assert time.monotonic() < until, log
        time.sleep(0.1)
