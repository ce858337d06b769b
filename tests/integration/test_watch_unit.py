"""The watch's systemd unit, run as it says: over real keys and a signed policy, until stopped."""

import os
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from acl_engine.storage.database import Database
from tests import signed_policy
from tests.contract.test_audit_store import store_of
from tests.identity_world import fill
from tests.serving import SOURCE

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = (DEPLOY / "acl-engine-watch.service").read_text(encoding="utf-8")


def told(key: str) -> str:
    """What the unit says of a key that stands in it once."""
    return next(one[len(key) + 1 :] for one in UNIT.splitlines() if one.startswith(f"{key}="))


@pytest.fixture
def environment(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the file of variables names, and what the unit adds."""
    key = tmp_path / "master.key"
    key.write_bytes(os.urandom(32))
    key.chmod(stat.S_IRUSR | stat.S_IWUSR)
    before = set(os.environ)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(key))
    monkeypatch.setenv("ACL_DATABASE", sqlite_url)
    with Database.open(sqlite_url) as database:
        fill(database)
        signed_policy.loaded(database, tmp_path)
    signed_policy.in_environment(tmp_path, monkeypatch)
    needed = set(os.environ) - before
    assert needed
    assert all(one in UNIT for one in needed), needed
    own = dict(one.split("=", 1) for one in shlex.split(told("Environment")))
    return {**os.environ, **own, "ACL_HOME": str(DEPLOY.parent), "PYTHONPATH": str(SOURCE)}


def test_it_watches_and_stops_when_told(environment: dict[str, str], sqlite_url: str) -> None:
    """As the unit starts it; that it began stands in the log under its name."""
    program, *words = shlex.split(told("ExecStart"))
    assert program.endswith("/acl")
    process = subprocess.Popen(
        [sys.executable, "-m", "acl_engine", "--lang", "en", *words], env=environment,
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "watching new records" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()
    with Database.open(sqlite_url) as database:
        begun = [one for _, one in store_of(database).entries() if one.action == "audit.detect"]
    assert [one.account for one in begun] == ["acl-engine-watch"]


def test_it_runs_with_no_more_rights_than_the_service() -> None:
    """What holds the service in holds the watch in."""
    service = (DEPLOY / "acl-engine.service").read_text(encoding="utf-8")
    hardened = service[service.index("NoNewPrivileges=") :]
    assert hardened in UNIT
    for key in ("User", "Group"):
        assert f"{key}=acl-engine" in UNIT
