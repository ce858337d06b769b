"""`acl audit rotate`, `retain`, `hold` and `witness`: a log that is believed over the years."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from tests.contract.test_audit_store import entry, store_of

from acl_engine.bootstrap.keys import KEY_FILE
from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.storage.database import Database

DAY = 86_400_000
NOW = int(time.time() * 1000)


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log with looks of four years: one for each hundred days, the oldest first."""
    (tmp_path / "master").write_bytes(b"m" * 32)
    (tmp_path / "master").chmod(0o600)
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "master"))
    monkeypatch.setenv("ACL_OPERATOR", "auditor-01")
    with Database.open(sqlite_url) as database:
        for age in range(1400, -1, -100):
            subject = {"subjects": (f"s{age}",), "count": 1}
            store_of(database).append(entry(f"q{age}", at=NOW - age * DAY, **subject))
    return sqlite_url


def run(*args: str, lang: str = "en") -> Result:
    return CliRunner().invoke(cli, ["--lang", lang, "audit", *args])


# --- the signing key ---------------------------------------------------------------------------


def test_rotation_is_followed_and_ends_the_old_key(url: str, tmp_path: Path) -> None:
    """After a change of keys the log goes on, old checkpoints hold, and the old key ends."""
    run("checkpoint", "--database", url)
    before = run("key", "--database", url).output
    trust = tmp_path / "trust"
    done = run("rotate", "--database", url, "--by", "admin-01")
    assert done.exit_code == 0
    trust.write_text(run("key", "--database", url).output)
    first, second = trust.read_text().splitlines()
    assert first == f"{before.strip()} until 16"  # fifteen looks and the act itself
    assert second.startswith("log ")
    assert second not in before
    run("checkpoint", "--database", url)
    for believed in ((), ("--trust", str(trust))):
        found = run("verify", *believed, "--database", url)
        assert (found.exit_code, "0-16 signed" in found.output) == (0, True)
    old = tmp_path / "old-trust"
    old.write_text(before)  # whoever missed the change still follows up to it
    missed = run("verify", "--trust", str(old), "--database", url)
    assert "is not signed by a trusted key" in missed.output
    with Database.open(url) as database:
        *_, (_, last) = store_of(database).entries()
        assert (last.action, last.account, len(last.ticket or "")) == (
            "audit.rotate",
            "admin-01",
            8,
        )


def test_rotation_with_key_files(url: str, tmp_path: Path) -> None:
    """Keys kept elsewhere are changed alike; the printed trust file is the one to hand out."""
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(name[:1].encode() * 32)
    run("checkpoint", "--database", url, "--key", str(tmp_path / "old"))
    keys = ("--old", str(tmp_path / "old"), "--new", str(tmp_path / "new"))
    done = run("rotate", *keys, "--database", url)
    lines = [line for line in done.output.splitlines() if line.startswith("log ")]
    trust = tmp_path / "trust"
    trust.write_text("\n".join(lines))
    assert any(line.endswith("until 16") for line in lines)
    assert run("verify", "--trust", str(trust), "--database", url).exit_code == 0
    late = ("--key", str(tmp_path / "old"), "--trust", str(trust), "--database", url)
    with Database.open(url) as database:
        store_of(database).append(entry("more", at=NOW))
    assert isinstance(run("checkpoint", *late).exception, InputError)
    assert run("rotate", "--old", str(tmp_path / "old"), "--database", url).exit_code == 2
    short = tmp_path / "short"
    short.write_bytes(b"x")
    bad = ("--old", str(tmp_path / "new"), "--new", str(short), "--database", url)
    assert isinstance(run("rotate", *bad).exception, ConfigError)


# --- retention and holds -----------------------------------------------------------------------


def test_retention_says_first_and_empties_only_what_is_old(url: str) -> None:
    """Three years are kept; a dry run changes nothing; afterwards the log still verifies."""
    run("checkpoint", "--database", url)
    plan = run("retain", "--database", url)
    assert "4 records are older than 1095 days and may be emptied (0-4)" in plan.output
    assert "nothing was changed" in plan.output
    with Database.open(url) as database:
        assert len(list(store_of(database).raw())) == 15
    done = run("retain", "--erase", "--by", "dpo-01", "--database", url)
    assert (done.exit_code, "4 records were emptied" in done.output) == (0, True)
    run("checkpoint", "--database", url)
    found = json.loads(run("verify", "--format", "json", "--database", url).output)
    assert (found["sound"], found["erased"], found["signed_to"]) == (True, 4, 16)
    with Database.open(url) as database:
        store = store_of(database)
        whole = [one for _, one in store.entries()]
        assert whole[0].request == "q1000"
        assert whole[-1].action == "audit.retention"
        assert store.of_request("q1400") == []
        assert len(list(store.rows())) == 16  # their hashes stay
    again = run("retain", "--erase", "--database", url)
    assert "0 records were emptied" in again.output


def test_questions_go_on_after_retention(url: str, tmp_path: Path) -> None:
    """What is emptied is in no answer, and stops none; a kept record is still proven by it."""
    run("checkpoint", "--database", url)
    run("retain", "--erase", "--database", url)
    assert "11 looks answered" in run("account", "cs-12", "--database", url).output
    assert run("export", "--database", url).exit_code == 0
    assert run("detect", "--database", url).exit_code in (0, 1)
    trust, out = tmp_path / "trust", tmp_path / "proof"
    trust.write_text(run("key", "--database", url).output)
    assert run("prove", "10", "--database", url, "--out", str(out)).exit_code == 0
    assert run("receipt-check", str(out), "--trust", str(trust)).exit_code == 0
    assert isinstance(run("prove", "2", "--database", url).exception, InputError)


def test_nothing_is_emptied_under_six_months(url: str) -> None:
    """Whoever asks for less than the law allows is told so, and nothing is done."""
    run("checkpoint", "--database", url)
    refused = run("retain", "--keep-days", "90", "--erase", "--database", url).exception
    assert isinstance(refused, InputError)
    assert "183 days at least" in refused.render()


def test_nothing_is_emptied_without_a_checkpoint(url: str) -> None:
    """What nothing proves is not thrown away."""
    plan = run("retain", "--erase", "--database", url).output
    assert "0 records are older" in plan
    assert "4 more are under no checkpoint" in plan
    with Database.open(url) as database:
        assert len(list(store_of(database).raw())) == 15


def test_column_that_was_aged_does_not_empty_a_young_record(url: str) -> None:
    """Whoever ages the searchable time of a look does not get it emptied: its own time counts."""
    run("checkpoint", "--database", url)
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("UPDATE audit_records SET at = 5"))
    run("retain", "--erase", "--database", url)
    with Database.open(url) as database:
        assert next(one.request for _, one in store_of(database).entries()) == "q1000"


def test_a_hold_stops_retention_until_it_is_released(url: str) -> None:
    """While a case is held nothing is emptied, whoever asks; the error names the case."""
    run("checkpoint", "--database", url)
    run("hold", "case-7", "--database", url, "--by", "legal-01")
    refused = run("retain", "--erase", "--database", url).exception
    assert isinstance(refused, InputError)
    assert "case-7" in refused.render()
    with Database.open(url) as database:
        assert store_of(database).of_request("q1400")
    run("hold", "case-7", "--release", "--database", url)
    assert "4 records were emptied" in run("retain", "--erase", "--database", url).output


# --- a witness elsewhere -----------------------------------------------------------------------


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    return tmp_path / "witness.example.org"


@pytest.fixture
def trust(url: str, witness: Path, tmp_path: Path) -> Path:
    """A signed log, a witness that was made, and a trust file that names both."""
    made = run("witness", "init", str(witness))
    assert made.exit_code == 0
    run("checkpoint", "--database", url)
    file = tmp_path / "trust"
    file.write_text(run("key", "--database", url).output + made.output)
    return file


def exchange(url: str, witness: Path, trust: Path, folder: Path, *options: str) -> Result:
    """Request, signature, and back, each as a file."""
    asked, line = folder / "asked", folder / "line"
    common = ("--trust", str(trust))
    run("witness", "request", *options, "--out", str(asked), *common, "--database", url)
    signed = run("witness", "sign", str(witness), str(asked), "--out", str(line), *common)
    if signed.exception is not None and not isinstance(signed.exception, SystemExit):
        return signed
    return run("witness", "add", str(line), *common, "--database", url)


def test_witness_on_another_machine(url: str, witness: Path, trust: Path, tmp_path: Path) -> None:
    """Twice, with the log growing in between: the second continues the first."""
    first = exchange(url, witness, trust, tmp_path)
    assert "15 records (enough witnesses)" in first.output
    with Database.open(url) as database:
        store_of(database).append(entry("more", at=NOW))
    run("checkpoint", "--database", url, "--trust", str(trust))
    assert "16 records (enough witnesses)" in exchange(url, witness, trust, tmp_path).output
    found = run("verify", "--trust", str(trust), "--witness", str(witness), "--database", url)
    assert (found.exit_code, "0-16 witnessed" in found.output) == (0, True)


def test_witness_does_not_sign_a_rewritten_log(
    url: str, witness: Path, trust: Path, tmp_path: Path
) -> None:
    """A past that was changed, and signed anew by the log's own key, does not get its signature."""
    exchange(url, witness, trust, tmp_path)
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text('DELETE FROM audit_records WHERE "index" >= 3'))
        cx.execute(text("DELETE FROM audit_checkpoints"))
    with Database.open(url) as database:
        for number in range(20):
            store_of(database).append(entry(f"invented-{number}", at=NOW))
    run("checkpoint", "--database", url, "--trust", str(trust))
    refused = exchange(url, witness, trust, tmp_path, "--old", "15")
    assert isinstance(refused.exception, InputError)


def test_signature_of_a_stranger_is_not_added(
    url: str, trust: Path, witness: Path, tmp_path: Path
) -> None:
    """Only a witness of the trust file counts; the same signature is not added twice."""
    stranger = tmp_path / "stranger.example.org"
    run("witness", "init", str(stranger))
    assert isinstance(exchange(url, stranger, trust, tmp_path).exception, InputError)
    assert exchange(url, witness, trust, tmp_path).exit_code == 0
    again = run("witness", "add", str(tmp_path / "line"), "--trust", str(trust), "--database", url)
    assert isinstance(again.exception, InputError)


def test_witness_key_is_made_once_and_privately(witness: Path, tmp_path: Path) -> None:
    """A second `init` does not overwrite the key; a folder without a name of its own is refused."""
    run("witness", "init", str(witness))
    assert (witness / "key").stat().st_mode & 0o077 == 0
    assert isinstance(run("witness", "init", str(witness)).exception, InputError)
    assert isinstance(run("witness", "init", str(tmp_path / "a+b")).exception, InputError)
