"""acl account and acl device, on a database of real keys: from joining to leaving."""

import os
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests import signed_policy
from tests.identity_world import SEED, fill

from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.identity.totp import Totp, code_at
from acl_engine.storage.database import Database


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    key = tmp_path / "master.key"
    key.write_bytes(os.urandom(32))
    key.chmod(stat.S_IRUSR | stat.S_IWUSR)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(key))
    monkeypatch.setenv("ACL_DATABASE", sqlite_url)
    with Database.open(sqlite_url) as database:
        fill(database)
        signed_policy.loaded(database, tmp_path)
    signed_policy.in_environment(tmp_path, monkeypatch)
    return sqlite_url


def run(*words: str, typed: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(cli, words, input=typed, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def refused(code: str, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        run(*words)
    assert caught.value.message.code == code


@pytest.mark.usefixtures("url")
def test_a_new_courier_from_joining_to_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    by = ("--by", "admin")
    role = ("--role", "courier", "--unit", "u1", "--pack", "policies/courier/after")
    person = ("--person", "p9", "--name", "新人", "--superior", "p1")
    run("account", "create", "--login", "courier-9", *person, *role, *by)
    run("device", "enrol", "pda-9", "--unit", "u1", "--public-key", "ab" * 32, *by)
    run("device", "bind", "pda-9", "--person", "p9", *by)
    run("device", "lease", "pda-9", "--until", "2099-01-01T06:00:00", *by)
    monkeypatch.setattr(Totp, "new_seed", staticmethod(lambda: SEED))
    run("account", "enrol-totp", "courier-9", typed=code_at(SEED, int(time.time())) + "\n")
    password = "five loud geese fly\n"
    run("account", "set-password", "courier-9", typed=password * 2)
    out = run("account", "responsibility", "courier-9").output
    for part in ("p9", "p1", "courier @ u1", "pda-9 (app, active)", "enrolled"):
        assert part in out
    assert "geese" not in out
    refused("account-no-undertaking", "account", "resume", "courier-9", *by)
    today = datetime.now(UTC).date().isoformat()
    text = ("--file", "policies/courier/after/undertaking.md")
    run("account", "undertaking", "p9", "--signed", today, *text, *by)
    course = ("--course", "privacy-2026", "--on", today)
    assert "courier-9" in run("account", "training", "p9", *course, *by).output
    card = run("account", "responsibility", "p9").output
    for part in ("(active)", "2026-1", "privacy-2026", "granted by: admin", "courier.stop"):
        assert part in card
    run("device", "revoke", "pda-9", "--lost", *by)
    run("account", "move", "courier-9", "--role", "cs_agent", *by)
    run("account", "suspend", "courier-9", *by)
    run("account", "resume", "courier-9", *by)
    run("account", "leave", "p9", *by)
    assert "(left)" in run("account", "responsibility", "courier-9").output


@pytest.mark.usefixtures("url")
def test_the_audit_exits_1_and_names_what_it_found() -> None:
    done = run("--lang", "zh", "account", "audit", code=1)
    assert "account-no-superior" in done.output


@pytest.mark.usefixtures("url")
def test_bad_words_are_one_error_each() -> None:
    with pytest.raises(InputError):
        run("account", "suspend", "nobody", "--by", "admin")
    run("account", "suspend", "courier-1", code=2)
    run("device", "enrol", "x", "--unit", "u1", "--public-key", "zz", "--by", "a", code=2)
    run("account", "move", "courier-1", "--by", "admin", code=2)
    words = ("--person", "p1", "--role", "typo", "--unit", "u1", "--by", "a")
    refused("account-unknown-role", "account", "create", "--login", "x", *words)


def test_without_a_master_key_nothing_is_changed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACL_MASTER_KEY_FILE")
    with pytest.raises(ConfigError):
        run("account", "suspend", "courier-1", "--by", "admin")


@pytest.mark.usefixtures("url")
def test_a_company_from_an_empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units, two first administrators, temporary staff in one command; then no outsider acts."""
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    monkeypatch.setenv("ACL_DATABASE", fresh)
    run("database", "create")
    file = tmp_path / "units.csv"
    file.write_text("id,parent,kind,zh,en\nb-1,hq,branch,一部,Branch 1\nhq,,hq,总部,HQ\n")
    setup = ("--by", "setup")
    words = ("--parent", "hq", "--kind", "branch", "--zh", "x", "--en", "x")
    assert "to add: 2" in run("unit", "import", str(file), "--dry-run", *setup).output
    assert "added: 2" in run("unit", "import", str(file), *setup).output
    assert run("unit", "list").output == "hq  hq  HQ\n  b-1  branch  Branch 1\n"
    run("unit", "add", "b-2", *words, *setup)
    today = datetime.now(UTC).date().isoformat()
    for name in ("adm-01", "adm-02"):
        who = ("--login", name, "--person", f"p-{name}", "--name", "管理员")
        run("account", "create", *who, "--role", "account_admin", "--area", "hq", *setup)
    for name in ("adm-01", "adm-02"):
        run("account", "undertaking", f"p-{name}", "--signed", today, *setup)
    run("account", "training", "p-adm-01", "--course", "c", "--on", today, *setup)
    refused("administration-not-allowed", "unit", "add", "b-3", *words, *setup)
    by = ("--by", "adm-01")
    run("account", "training", "p-adm-02", "--course", "c", "--on", today, *by)
    term = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    started = time.monotonic()
    run(
        *("account", "create-temporary", "--login", "tmp-1", "--person", "p-t1", "--name", "临时"),
        *("--sponsor", "p-adm-01", "--role", "courier", "--area", "b-1", "--until", term),
        *("--course", "first-day", *by),
    )
    assert time.monotonic() - started < 120
    card = run("account", "responsibility", "tmp-1").output
    for part in ("tmp-1 (active)", "superior: p-adm-01", "first-day", term):
        assert part in card
    assert "due within 14 days: 0" in run("account", "recertify", "--due", *by).output


@pytest.mark.usefixtures("url")
def test_old_scanners_are_counted_until_they_are_gone() -> None:
    """Enrolled behind their branch's adapter alone; the report counts them, and says when."""
    by, pack = ("--by", "admin"), ("--pack", "policies/courier/after")
    old = ("device", "enrol", "gun-1", "--class", "legacy_scanner", "--unit", "u1")
    none = run("device", "report")
    assert "0 in all" in none.output
    run(*old, *by, code=2)
    run(*old, "--adapter", "gate-1", "--public-key", "ab" * 32, *by, code=2)
    refused("staff-missing-device", *old, "--adapter", "gate-1", *by)
    refused("administration-no-adapter", *old, "--adapter", "pda-1", *by)
    gate = ("device", "enrol", "gate-1", "--class", "adapter", "--unit", "u1")
    run(*gate, "--public-key", "ab" * 32, *by)
    run(*old, "--adapter", "gate-1", *by)
    left = run("device", "report", *pack, code=1).output
    assert "u1: 1 enrolled, 0 bound, 0 leased now" in left
    refused("administration-second-device", "device", "bind", "gun-1", "--person", "p1", *by)
    run("device", "revoke", "gun-1", *by)
    assert "0 in all" in run("device", "report").output
