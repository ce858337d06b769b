"""What the `acl audit` commands refuse, because doing it would find nothing or accuse the wrong."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert
from tests.contract.test_audit_store import entry, store_of

from acl_engine.bootstrap.keys import KEY_FILE, KeyedPseudonyms, Keys
from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.storage.database import Database
from acl_engine.storage.planted import PlantedMarkStore
from acl_engine.storage.tables import waybills

MASTER = b"m" * 32
SEEN, TASK, NOBODYS = "SF0000000001", "SF0000000002", "SF0000000003"


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log in which one waybill was looked at; another is a courier's task, a third nobody's."""
    key = tmp_path / "master"
    key.write_bytes(MASTER)
    key.chmod(0o600)
    monkeypatch.setenv(KEY_FILE, str(key))
    monkeypatch.setenv("ACL_OPERATOR", "auditor-01")
    digest = KeyedPseudonyms(Keys.of(MASTER, MASTER).pseudonym).digest("waybill", SEEN)
    row = {"stage": "ORDERED", "origin_unit": "b", "dest_unit": "b", "dest_path": "/b", "area": "a",
           "custody_sound": True, "route": "r", "city": "c", "assignee_sound": True, "sender": "s",
           "recipient": "r", "cod": False, "ordered_at": 1}  # fmt: skip
    with Database.open(sqlite_url) as database:
        store_of(database).append(entry("q1", subjects=(digest,), fields=("route",), count=1))
        with database.write() as cx:
            cx.execute(insert(waybills), {"waybill_no": TASK, "assignee": "p-1", **row})
            cx.execute(insert(waybills), {"waybill_no": NOBODYS, **row})
    return sqlite_url


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["--lang", "en", "audit", *args])


@pytest.mark.parametrize("number", [SEEN, TASK])
def test_what_honest_work_looks_at_is_no_honey_row(url: str, number: str) -> None:
    """A real parcel planted as honey would accuse whoever carries it."""
    refused = run("honey", NOBODYS, number, "--database", url)
    assert isinstance(refused.exception, InputError)
    assert number in refused.exception.render()
    with Database.open(url) as database:
        assert not PlantedMarkStore(database).honey()


def test_honey_is_planted_as_a_list_is_read(url: str, tmp_path: Path) -> None:
    """Written in small letters it is found all the same; what no list is read for is refused."""
    assert run("honey", NOBODYS.lower(), "--database", url).exit_code == 0
    leak = tmp_path / "leak.txt"
    leak.write_text(f"name,{NOBODYS}\n")
    assert "1 honey rows" in run("trace", str(leak), "--database", url).output
    for word in ("SNHONEY1", "two 1234567 words", ""):
        assert isinstance(run("honey", word, "--database", url).exception, InputError)


def test_nothing_to_compare_with_is_not_sound(url: str, tmp_path: Path) -> None:
    """A copy or a witness's memory that is not there, or was deleted, compares with nothing."""
    copy = tmp_path / "copy"
    assert run("checkpoint", "--database", url, "--copy", str(copy)).exit_code == 0
    assert run("verify", "--database", url, "--copy", str(copy)).exit_code == 0
    shutil.rmtree(copy)
    for option in ("--copy", "--witness"):
        refused = run("verify", "--database", url, option, str(copy))
        assert isinstance(refused.exception, InputError)
        assert not copy.exists()


def test_a_copy_that_is_no_text_is_refused(url: str, tmp_path: Path) -> None:
    """One clear line, whatever the bytes in it."""
    copy = tmp_path / "copy"
    run("checkpoint", "--database", url, "--copy", str(copy))
    (copy / "checkpoints.txt").write_bytes(b"\xff\xfe\x00")
    refused = run("verify", "--database", url, "--copy", str(copy))
    assert isinstance(refused.exception, ConfigError)


@pytest.mark.parametrize(
    "words",
    [
        ("account", "cs-12", "--from", "2026-03-02", "--to", "2026-03-01"),
        ("account", "cs-12", "--to", "2026-03-01", "--from", "2026-03-01"),
        ("hold", ""),
        ("hold", "a\nb"),
        ("hold", "x" * 65),
        ("hold", "case", "--by", " "),
    ],
)
def test_words_that_mean_nothing_are_refused(url: str, words: tuple[str, ...]) -> None:
    """A span without a moment, a case without a name: refused, and nothing was done."""
    assert isinstance(run(*words, "--database", url).exception, InputError)
    assert run("hold", "--list", "--database", url).output == ""


def test_who_saw_nobody_is_refused(url: str) -> None:
    """An empty subject is a slip, not a person whom nobody looked at."""
    assert isinstance(run("who-saw", " ", "--database", url).exception, InputError)


def test_a_receipt_that_cannot_be_written_is_said(url: str, tmp_path: Path) -> None:
    """The path is a folder: one clear line, and nothing of it is left behind."""
    run("checkpoint", "--database", url)
    refused = run("prove", "0", "--out", str(tmp_path), "--database", url)
    assert isinstance(refused.exception, InputError)
    assert str(tmp_path) in refused.exception.render()
    assert not [*tmp_path.parent.glob(f".{tmp_path.name}.*")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_output_that_the_system_refuses_is_one_line(url: str) -> None:
    """Standard output on a full disk."""
    command = [sys.executable, "-m", "acl_engine", "audit", "export", "--database", url]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("acl: the system refused: No space left on device")
    assert done.stderr.count("\n") == 1
