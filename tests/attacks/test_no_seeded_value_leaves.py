"""After a busy day every phone, name, address and ID of the seed is looked for, in every written
form, wherever a role without the right can reach: answers, errors, the program's log, the files of
the database, its log of changes, a backup, what auditors print.

What may be clear, and why, stands in docs/threat-model.md.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.attacks.test_nothing_clear_in_the_log import Heard, a_busy_day
from tests.line_world import ROOT, Line
from tests.seeded import ADDRESSES, DISTINCTIVE, NAMES, found, personal

from acl_engine.bootstrap.alarms import LOGGER
from acl_engine.cli import cli
from acl_engine.policy.pack import load_pack
from acl_engine.replay.stage import Stage
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.backup import backup
from acl_engine.storage.database import Database

# Who may see which of them: of their own stop a courier the door, of a claim its clerk the names.
MAY_SEE = {"courier-88": {"unit"}, "claims-03": set(NAMES)}


@dataclass
class Day:
    truth: Truth
    heard: Heard
    said: str  # in the program's own log
    files: dict[str, bytes]
    url: str


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage() + repr(record.args) + str(record.exc_info))


@pytest.fixture(scope="module")
def day(
    line_template: tuple[Database, Truth], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Day]:
    """The day on disk; the files are read while the engine has them open, as a thief would."""
    folder, kept = tmp_path_factory.mktemp("day"), _Kept()
    database, truth = line_template
    pack = load_pack(ROOT / "policies" / "courier" / "after")
    stage = Stage.open(database, pack, truth, weak=False, folder=folder)
    every = logging.getLogger()
    level = every.level
    every.addHandler(kept)
    every.setLevel(logging.DEBUG)
    try:
        heard = a_busy_day(Line(stage, [], {}))
        logging.getLogger(LOGGER).warning("the end of the day")
    finally:
        every.removeHandler(kept)
        every.setLevel(level)
    url = f"sqlite:///{stage.database.path}"
    backup(url, folder / "backup.db")
    files = {one.name: one.read_bytes() for one in sorted(folder.iterdir())}
    yield Day(truth, heard, "\n".join(kept.lines), files, url)
    stage.close()


def test_the_files_hold_none(day: Day) -> None:
    """File, log of changes and backup: not in clear, not escaped, in no encoding."""
    values = personal(day.truth)
    assert len(values) > 400
    assert {"stage.db", "stage.db-wal", "backup.db"} <= set(day.files)
    assert len(day.files["stage.db-wal"]) > 100_000
    for name, held in day.files.items():
        assert found(held, values) == set(), name
    for name in ("stage.db", "backup.db"):  # the search finds what is there
        assert day.truth.by_name["load-1"].waybill_no.encode() in day.files[name]


def test_answers_hold_what_their_role_may_see(day: Day) -> None:
    """Nobody is shown a phone or an ID; a name or a door only who may see it."""
    told = day.heard.answers
    assert sum(map(len, told.values())) > 12
    for login, answers in told.items():
        hidden = set(DISTINCTIVE) - MAY_SEE.get(login, set())
        held = "\n".join(answers).encode()
        assert found(held, personal(day.truth, *hidden)) == set(), login
    shown = "\n".join(told["courier-88"]).encode()
    assert found(shown, personal(day.truth, *ADDRESSES)) == {"unit"}  # it does find


def test_errors_hold_none(day: Day) -> None:
    """Whatever was typed, no error repeats it: neither its text nor its hint."""
    assert len(day.heard.errors) > 200
    held = "\n".join(day.heard.errors).encode()
    assert found(held, personal(day.truth)) == set()


def test_the_programs_log_holds_none(day: Day) -> None:
    """No logger of any library said a value, not even with everything turned on."""
    assert "the end of the day" in day.said
    assert found(day.said.encode(), personal(day.truth)) == set()


def test_what_auditors_print_holds_none(day: Day, tmp_path: Path) -> None:
    """Who saw what, exports, findings, budgets and retention, as their commands print them."""
    parcel, url = day.truth.by_name["load-1"], ("--database", day.url)
    by = ("--by", "auditor-01")
    phone = parcel.fields["recipient_phone"]
    asked = [
        ("audit", "who-saw", parcel.waybill_no, *by),
        ("audit", "who-saw", parcel.waybill_no, "--format", "json", *by),
        ("audit", "who-saw", phone, "--copy", *by),
        ("audit", "export", *by),
        ("audit", "detect"),
        ("budget", "--account", "courier-88", "--format", "json"),
        ("account", "reach", "courier-88"),
        ("account", "audit"),
        ("retention", "run", "--dry-run", "--by", "dpo-01"),
    ]
    printed = []
    for words in asked:
        done = CliRunner().invoke(cli, [*words, *url])
        assert (done.exit_code in (0, 1), bool(done.output)) == (True, True), words
        printed.append(done.output)
    held = "\n".join(printed).encode()
    assert parcel.fields["recipient_phone"] == phone
    assert found(held, personal(day.truth)) == set()
