"""`acl serve` as an operator runs it: a process of its own, over TLS, stopped at the end."""

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from acl_engine.bootstrap.service_desk import ServiceDesk
from acl_engine.policy.pack import load_pack

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Served:
    """A running service. `log` grows as the process writes."""

    process: subprocess.Popen[str]
    port: int
    certificate: Path
    reader: threading.Thread
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def connect(self, timeout: float = 20) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self.port, context=self.context, timeout=timeout
        )

    def raw(self, timeout: float = 20) -> ssl.SSLSocket:
        """A TLS connection to write bytes on that no HTTP library would."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def ask(
        self,
        path: str,
        *,
        method: str | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own."""
        more = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            more["Content-Type"] = "application/x-www-form-urlencoded"
        connection = self.connect()
        try:
            connection.request(method or ("POST" if body is not None else "GET"), path, body, more)
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """Stop it; its exit code."""
        self.process.send_signal(sig)
        self.process.wait(timeout=30)
        self.reader.join(timeout=30)
        return self.process.returncode


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "acl_engine", *arguments]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of the process: the development certificate goes below `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACL_")}
    return {**kept, "PYTHONPATH": str(SOURCE), "XDG_STATE_HOME": str(folder), **more}


@contextmanager
def serving(folder: Path, *arguments: str, port: int = 0, **environ: str) -> Iterator[Served]:
    """`acl serve ARGUMENTS` on a free port, ready when this yields."""
    process = subprocess.Popen(
        command("serve", "--port", str(port), *arguments),
        env=environment(folder, **environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    log: list[str] = []
    try:
        port = _port(process, log)
        # A pipe that nobody reads fills up after some hundred requests, and the process waits.
        reader = threading.Thread(target=_read, args=(process, log), daemon=True)
        reader.start()
        yield Served(process, port, _certificate(folder, arguments), reader, log)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _read(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stderr is not None
    log.extend(line.rstrip() for line in process.stderr)


def _port(process: subprocess.Popen[str], log: list[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line.rstrip())
        if found := re.search(r"listening on https://\S+:(\d+)", line):
            return int(found[1])
    raise AssertionError("it did not start: " + "\n".join(log))


def _certificate(folder: Path, arguments: tuple[str, ...]) -> Path:
    if "--cert" in arguments:
        return Path(arguments[arguments.index("--cert") + 1])
    return folder / "acl-engine" / "development.pem"


def service_desk(url: str) -> ServiceDesk:
    """Where applications are registered, under the rules of the company after 2020."""
    return ServiceDesk.open(url, load_pack(ROOT / "policies" / "courier" / "after"))
