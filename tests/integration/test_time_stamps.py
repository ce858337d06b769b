"""Trusted time stamps on checkpoints, by an authority that OpenSSL makes for the test."""

import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from acl_engine.audit import timestamp
from acl_engine.cli import cli
from acl_engine.domain.errors import AclError, ConfigError, InputError
from acl_engine.storage.database import Database
from tests.contract.test_audit_store import entry, store_of
from tests.local_tsa import Authority

if shutil.which("openssl") is None:
    pytest.skip("no openssl: it makes the test's own authority", allow_module_level=True)
pytest.importorskip("rfc3161_client", reason="pip install 'acl-engine[timestamps]'")

TEXT = "log.example/audit\n9\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, whom nobody here believes."""
    return Authority(tmp_path_factory.mktemp("stranger"))


def roots(authority: Authority):  # type: ignore[no-untyped-def]
    return timestamp.roots(authority.root.read_bytes())


def test_stamp_holds_for_its_text_size_and_authority(authority: Authority) -> None:
    """The answer of the authority proves when the text was there."""
    asked = timestamp.request(TEXT)
    answer = authority.stamp(asked.der)
    stamp = timestamp.check(answer, TEXT, roots(authority), 9, asked.nonce)
    assert stamp.size == 9
    assert abs(stamp.at - time.time() * 1000) < 120_000


def test_stamps_that_prove_nothing(authority: Authority, stranger: Authority) -> None:
    """Another text, another nonce, another authority, a changed byte, no answer at all."""
    asked = timestamp.request(TEXT)
    answer = authority.stamp(asked.der)
    broken = bytearray(answer)
    broken[-10] ^= 1
    cases = [
        (answer, TEXT.replace("9", "8"), roots(authority), asked.nonce),
        (answer, TEXT, roots(authority), asked.nonce + 1),
        (answer, TEXT, roots(stranger), asked.nonce),
        (bytes(broken), TEXT, roots(authority), asked.nonce),
        (answer[:100], TEXT, roots(authority), asked.nonce),
        (b"", TEXT, roots(authority), asked.nonce),
    ]
    for given, said, believed, nonce in cases:
        with pytest.raises(InputError):
            timestamp.check(given, said, believed, 9, nonce)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["audit", *args])


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A signed log of four looks of now."""
    (tmp_path / "master").write_bytes(b"m" * 32)
    (tmp_path / "master").chmod(0o600)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(tmp_path / "master"))
    with Database.open(sqlite_url) as database:
        for number in range(4):
            store_of(database).append(entry(f"q{number}", at=int(time.time() * 1000)))
    assert run("checkpoint", "--database", sqlite_url).exit_code == 0
    return sqlite_url


def test_command_over_http(url: str, authority: Authority) -> None:
    """One call: asked, verified, kept; `verify` then says how far the time is proven."""
    with authority.serving() as address:
        done = run("stamp", "--tsa", address, "--tsa-root", str(authority.root), "--database", url)
    assert (done.exit_code, "the first 4 records were there at" in done.output) == (0, True)
    found = run("verify", "--tsa-root", str(authority.root), "--database", url)
    assert found.exit_code == 0
    assert "under a trusted time stamp: 0-4" in found.output


def test_command_offline(url: str, authority: Authority, tmp_path: Path) -> None:
    """A request carried out, an answer brought back, though a newer checkpoint was made since."""
    query, answer = tmp_path / "q.tsq", tmp_path / "a.tsr"
    assert run("stamp", "--request", str(query), "--database", url).exit_code == 0
    assert run("checkpoint", "--database", url).exit_code == 0
    answer.write_bytes(authority.stamp(query.read_bytes()))
    back = (
        "stamp",
        "--response",
        str(answer),
        "--tsa-root",
        str(authority.root),
        "--database",
        url,
    )
    assert "the first 4 records" in run(*back).output


def test_clock_set_back_after_a_stamp_is_found(url: str, authority: Authority) -> None:
    """The stamp is mentioned in the log: a record after it cannot be older than it is."""
    with authority.serving() as address:
        run("stamp", "--tsa", address, "--tsa-root", str(authority.root), "--database", url)
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("DELETE FROM audit_checkpoints WHERE size > 4"))
    with Database.open(url) as database:
        store_of(database).append(entry("night", at=int(time.time() * 1000) - 7_200_000))
    found = run("verify", "--tsa-root", str(authority.root), "--database", url)
    assert found.exit_code == 1
    assert "earlier than the time stamp before it" in found.output


def test_exchanged_stamp_is_found(url: str, authority: Authority, stranger: Authority) -> None:
    """A stamp that somebody put into the database is named by `verify`, and not believed."""
    with authority.serving() as address:
        run("stamp", "--tsa", address, "--tsa-root", str(authority.root), "--database", url)
    forged = stranger.stamp(timestamp.request(TEXT).der)
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("UPDATE audit_stamps SET token=:t"), {"t": forged})
    found = run("verify", "--tsa-root", str(authority.root), "--database", url)
    assert (found.exit_code, "the time stamp at 4 records" in found.output) == (1, True)


def test_authority_that_does_not_answer(
    url: str, authority: Authority, stranger: Authority
) -> None:
    """No server, no such scheme, a stranger's answer: one clear line, and nothing is kept."""
    root = ("--tsa-root", str(authority.root), "--database", url)
    for address in ("http://127.0.0.1:9/tsr", "file:///etc/passwd", "nonsense"):
        assert isinstance(run("stamp", "--tsa", address, *root).exception, ConfigError)
    with stranger.serving() as address:
        assert isinstance(run("stamp", "--tsa", address, *root).exception, InputError)
    assert run("stamp", "--tsa", "http://127.0.0.1:9/tsr", "--database", url).exit_code == 2
    assert run("stamp", *root).exit_code == 2
    assert "time stamp" not in run("verify", *root).output
    bad = run("verify", "--tsa-root", __file__, "--database", url).exception
    assert isinstance(bad, AclError)
