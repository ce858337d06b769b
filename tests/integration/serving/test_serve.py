"""`acl serve` over TLS: starts, answers, bounds what strangers send, stops gracefully."""

import json
import os
import signal
import socket
import ssl
import time
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError
from tests.serving import Served, serving
from tests.signed_policy import source


def test_it_answers_over_tls_and_its_certificate_is_private(served: Served) -> None:
    assert served.ask("/healthz").text == '{"status":"alive"}'
    assert served.ask("/readyz").text == '{"status":"ready"}'
    key = served.certificate.with_suffix(".key")
    assert key.stat().st_mode & 0o077 == 0


def test_it_knows_where_it_listens_also_on_any_free_port(served: Served) -> None:
    """Else it would send people to port 0, and no application there could be registered."""
    home = f"https://127.0.0.1:{served.port}"
    told = json.loads(served.ask("/.well-known/authzen-configuration").text)
    assert told["policy_decision_point"] == home


@pytest.mark.parametrize(
    "path", ["/cas", "/cas/login/?service=x", "/scanner", "/v1/lookup/", "/enrol/", "/cas/p3/"]
)
def test_no_slash_too_many_or_too_few_leads_to_a_host_of_the_callers(
    served: Served, path: str
) -> None:
    """`Host` is what a caller says; an address made of it led to anybody's site."""
    for method in ("GET", "POST"):
        answer = served.ask(path, method=method, headers={"Host": "evil.example"})
        assert answer.status in (303, 404, 405)
        assert (answer.header("location") or f"{path}/") == f"{path}/"


def test_plain_http_and_old_tls_get_no_answer(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200" not in plain.recv(100)
    old = served.context
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection(("127.0.0.1", served.port))
    with plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 4000 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 20_000, b"431"),
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
        (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"408"),
        (b"", b"408"),
        (b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab", b"408"),
        (b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n", b"413"),
    ],
)  # fmt: skip
def test_what_no_honest_client_sends_is_refused(served: Served, sent: bytes, status: bytes) -> None:
    with served.raw() as connection:
        connection.sendall(sent)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
    assert served.ask("/healthz").status == 200


def test_whoever_holds_connections_open_keeps_nobody_out(world_copy: str, tmp_path: Path) -> None:
    """Ten times as many as are kept, half of them amid a body: the oldest are told and closed, the
    others are served, and the process does not grow with what it turned away."""
    limits = {"CONNECTIONS": 20, "REQUESTS": 16, "HEADER_SECONDS": 60, "BODY_SECONDS": 60}
    more = {f"ACL_LIMITS_{name}": str(value) for name, value in limits.items()}
    body = b"POST /cas/login HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nusername="
    with serving(tmp_path, "--database", world_copy, **more) as served, ExitStack() as stack:
        held = []
        for number in range(200):
            one = stack.enter_context(served.raw())
            if number % 2:
                one.sendall(body)
            held.append(one)
            if number in (60, 130):
                assert served.ask("/readyz").status == 200
        assert served.ask("/readyz").status == 200
        held[0].settimeout(20)
        assert held[0].recv(100).startswith(b"HTTP/1.1 503 ")
        # Those that are kept, those that are just leaving, and the program's own.
        assert files_of(served) < 20 + 64 + 60, "connections beyond the limit were kept"


def test_whoever_says_nothing_before_tls_keeps_nobody_out(world_copy: str, tmp_path: Path) -> None:
    """Of handshakes that are not over half as many as connections are kept, the newest ones."""
    more = {"ACL_LIMITS_CONNECTIONS": "40", "ACL_LIMITS_REQUESTS": "20"}
    with serving(tmp_path, "--database", world_copy, **more) as served, ExitStack() as stack:
        before = files_of(served)
        for _ in range(300):
            plain = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            stack.enter_context(plain)
        assert served.ask("/readyz").status == 200
        assert files_of(served) <= before + 20 + 10
        first = socket.create_connection(("127.0.0.1", served.port), timeout=20)
        stack.enter_context(first)
        first.sendall(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
        assert not first.recv(100).startswith(b"HTTP")
        assert served.ask("/readyz").status == 200
        assert served.stop() == 0


def test_who_was_answered_and_does_not_hang_up_makes_room(world_copy: str, tmp_path: Path) -> None:
    """A body that never ends is answered in time; TLS would wait half a minute for a good-bye."""
    limits = {"CONNECTIONS": 20, "REQUESTS": 16, "BODY_SECONDS": 1}
    more = {f"ACL_LIMITS_{name}": str(value) for name, value in limits.items()}
    body = b"POST /cas/login HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nusername="
    with serving(tmp_path, "--database", world_copy, **more) as served, ExitStack() as stack:
        before = files_of(served)
        for _ in range(4):
            for _ in range(16):
                stack.enter_context(served.raw()).sendall(body)
            time.sleep(1.5)
        assert files_of(served) <= before + 2 * 20
        assert served.ask("/readyz").status == 200


def test_who_asked_to_close_and_says_no_good_bye_makes_room(
    world_copy: str, tmp_path: Path
) -> None:
    """One whole request each, then silence: over TLS the service waits for the other side."""
    more = {"ACL_LIMITS_CONNECTIONS": "20", "ACL_LIMITS_REQUESTS": "16"}
    with serving(tmp_path, "--database", world_copy, **more) as served, ExitStack() as stack:
        for _ in range(60):
            one = stack.enter_context(served.raw())
            one.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert one.recv(100).startswith(b"HTTP/1.1 200 ")
        assert served.ask("/readyz").status == 200


def test_what_comes_behind_a_refused_request_is_not_carried_out(
    world_copy: str, tmp_path: Path
) -> None:
    """Both in one TLS record, so that the service reads them together."""
    refused = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 5_000 + b"\r\n\r\n"
    behind = b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"
    more = {"ACL_LIMITS_HEADER_BYTES": "4096"}
    with serving(tmp_path, "--database", world_copy, **more) as served:
        with served.raw() as connection:
            connection.sendall(refused + behind)
            assert connection.recv(100).startswith(b"HTTP/1.1 431 ")
        assert served.ask("/healthz").status == 200
        assert served.stop() == 0
    assert any("/healthz" in line for line in served.log)
    assert not any("/readyz" in line for line in served.log), served.log


def files_of(served: Served) -> int:
    return len(os.listdir(f"/proc/{served.process.pid}/fd"))


def test_ctrl_c_ends_well_and_is_no_failure(world_copy: str, tmp_path: Path) -> None:
    """As SIGTERM does, which every other test of a process sends."""
    with serving(tmp_path, "--database", world_copy) as one:
        assert one.ask("/readyz").status == 200
        assert one.stop(signal.SIGINT) == 0
    assert not [line for line in one.log if "Traceback" in line], one.log


def refused(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What the command says when it will not start: one line, exit code 2."""
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    done = CliRunner().invoke(cli, ["serve", "--port", "0", *arguments])
    assert isinstance(done.exception, ConfigError), done.output
    assert done.exception.exit_code == 2
    said = done.exception.render("en")
    assert "\n" not in said
    return said


def test_what_stops_the_start(
    world_copy: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--database", world_copy)
    assert "no database was named" in refused(monkeypatch)
    assert "no TLS certificate" in refused(monkeypatch, *given, "--host", "0.0.0.0")
    assert "one without the other" in refused(monkeypatch, *given, "--cert", "c.pem")
    assert "certificate cannot be used" in refused(monkeypatch, *given)  # nowhere to write one
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "key").chmod(0o600)
    swapped = ("--cert", str(tmp_path / "key"), "--key", str(tmp_path / "key"))
    assert "no certificate in PEM" in refused(monkeypatch, *given, *swapped)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(tmp_path / "key"))
    real = ("--database", sqlite_url)
    assert "no policy was named" in refused(monkeypatch, *real)
    policy = source(tmp_path)
    monkeypatch.setenv("ACL_POLICY_TRUST", str(policy.trust))
    assert "no TLS certificate" in refused(monkeypatch, *real, "--policy", str(policy.path))


def test_a_taken_port_is_said(
    world_copy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(cli, ["serve", "--database", world_copy, "--port", port])
    assert "cannot listen on 127.0.0.1" in str(done.exception)


def test_check_prints_every_setting_and_starts_nothing(
    world_copy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "XDG_STATE_HOME": str(tmp_path),
        "ACL_DATABASE": world_copy,
        "ACL_SERVE_PORT": "9",
    }.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(cli, ["serve", "--check", "--format", "json"])
    assert done.exit_code == 0, done.output
    rows = {one["key"]: one for one in json.loads(done.stdout)["settings"]}
    assert rows["serve.port"]["value"] == 9
    assert rows["serve.port"]["origin"] == "environment"
    assert rows["limits.body_bytes"]["default"] == 65_536
