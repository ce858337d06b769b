"""`acl device adapter` as a branch runs it: a process of its own, before a running service."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.cli import cli
from acl_engine.replay.theatre import SEED, small_world
from acl_engine.replay.world.company import strong_password
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database
from acl_engine.storage.tables import sessions
from tests.integration.serving.people import WORLD_TIME, Person
from tests.line_world import PARCELS, ROOT
from tests.serving import SOURCE, Served, serving

UNTIL, UNIT = "2099-12-31", "ba-xixiang"
NUMBER = Truth(small_world(ROOT), PARCELS).by_name["load-1"].waybill_no


@dataclass(frozen=True)
class Branch:
    """A service, and an adapter's key that a device administrator enrolled for gun-7 and gun-8."""

    served: Served
    url: str
    key: Path

    def words(self, *more: str, until: str = UNTIL) -> list[str]:
        there = ("--service", self.served.url, "--ca", str(self.served.certificate))
        own = ("--key", str(self.key), "--until", until)
        return [sys.executable, "-m", "acl_engine", "device", "adapter", *there, *own, *more]

    def live(self) -> int:
        with Database.open(self.url) as database, database.read() as cx:
            found = cx.execute(sessions.select()).all()
        return sum(one.device == "gun-7" and one.ended_at is None for one in found)


@pytest.fixture(scope="module")
def branch(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Branch]:
    folder = tmp_path_factory.mktemp("branch")
    shutil.copy(world_file, folder / "world.db")
    url = f"sqlite:///{folder / 'world.db'}"
    key = folder / "gate-1.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    public = Ed25519PrivateKey.from_private_bytes(key.read_bytes()).public_key()
    old = ("--class", "legacy_scanner", "--adapter", "gate-1", "--unit", UNIT)
    for words in (
        ("enrol", "gate-1", "--class", "adapter", "--unit", UNIT, "--public-key",
         public.public_bytes_raw().hex()),
        ("bind", "gate-1", "--person", "p-sup-0413"),
        ("lease", "gate-1", "--hours", "12"),
        ("revoke", "pda-88"),
        ("enrol", "gun-7", *old),
        ("bind", "gun-7", "--person", "p-courier-88"),
        ("lease", "gun-7", "--hours", "12"),
        ("enrol", "gun-8", *old),
    ):  # fmt: skip
        by = ("--by", "dev-admin-01", "--database", url)
        done = CliRunner().invoke(cli, ["device", *words, *by], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    with serving(folder, "--database", url, **WORLD_TIME) as served:
        yield Branch(served, url, key)


PERSON = Person("courier-88")


def come_in() -> str:
    return f"IN\tcourier-88\t{strong_password(SEED, 'courier-88')}\t{PERSON.code()}\n"


def test_on_the_standard_input(branch: Branch) -> None:
    """One scanner on one line: a shift, and the session is over with it."""
    said = f"{come_in()}LOOK\t{NUMBER}\nGOT\tNOBODYS-1\nwhat\nLOOK\t{NUMBER}\n"
    done = subprocess.run(
        branch.words("--scanner", "gun-7"), input=said, env=_env(), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [one for one in done.stdout.splitlines() if one != "WIPE"]
    kinds = [one.partition("\t")[0] for one in lines]
    assert kinds == ["OK", "SHOW", "OK", "NO", "BAD", "SHOW", "OK"], done.stderr
    assert lines[1].split("\t")[1].split()[0] == NUMBER
    assert done.stdout.endswith("WIPE\n")  # nothing is left on it
    assert branch.live() == 0
    for secret in (NUMBER, "courier-88", strong_password(SEED, "courier-88")):
        assert secret not in done.stderr


def test_over_tcp_from_where_the_scanner_stands_alone(branch: Branch) -> None:
    """A scanner that comes again takes its older line's place; SIGTERM ends every session."""
    with _listening(branch, "gun-7@127.0.0.7") as (process, port):
        with _line(port, "127.0.0.9") as stranger:
            assert stranger.recv(64) == b""
        first = _line(port, "127.0.0.7")
        assert _ask(first, come_in()) == ["OK"]
        again = _line(port, "127.0.0.7")
        assert _ask(again, come_in()) == ["OK"]
        assert _rest(first).replace(b"WIPE\n", b"") == b""
        assert _ask(again, f"LOOK\t{NUMBER}\n")[-1] == "OK"
        assert branch.live() == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert branch.live() == 0
        again.close()
        first.close()


def test_a_service_that_does_not_answer_shows_nothing(branch: Branch) -> None:
    words = branch.words("--scanner", "gun-7")
    words[words.index(branch.served.url)] = "https://localhost:1"
    done = subprocess.run(
        words, input="IN\tcourier-88\tx y z\t123456\n", env=_env(), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert [one for one in done.stdout.split() if one != "WIPE"] == ["OFF"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--scanner", "gun-7", "--until", "2026-06-30"), "are over"),
        (("--scanner", "gun-7", "--scanner", "gun-8"), "--scanner"),
        (("--scanner", "gun-7@127.0.0.7"), "--scanner"),
        (("--scanner", "gun-7", "--listen", "127.0.0.1:0"), "--scanner"),
        (("--scanner", "gun-7@127.0.0.7", "--listen", "nowhere"), "cannot listen"),
    ],
)
def test_what_is_wrong_stops_the_start(branch: Branch, more: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        branch.words(*more), input="", env=_env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "ACL_LANG": "en"}


@contextmanager
def _listening(branch: Branch, *places: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    words = [word for place in places for word in ("--scanner", place)]
    process = subprocess.Popen(
        branch.words(*words, "--listen", "127.0.0.1:0"), env=_env(), stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "listening at" in said, said
        yield process, int(said.split("127.0.0.1:")[1].split(",")[0])
    finally:
        process.kill()
        process.communicate()


def _line(port: int, own: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(own, 0))


def _ask(line: socket.socket, words: str) -> list[str]:
    """What is answered to one line, but for the orders to wipe."""
    line.sendall(words.encode())
    found: list[str] = []
    reader = line.makefile("r", encoding="utf-8")
    while True:
        said = reader.readline().rstrip("\n")
        if said != "WIPE":
            found.append(said)
        if said.partition("\t")[0] in ("OK", "NO", "BAD", "OFF", "END", ""):
            return found


def _rest(line: socket.socket) -> bytes:
    found = b""
    while more := line.recv(4096):
        found += more
    return found
