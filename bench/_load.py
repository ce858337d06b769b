"""A closed-loop HTTP client that costs little, and a server in a process of its own."""

import asyncio
import multiprocessing
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from acl_engine.bootstrap.settings import Limits
from acl_engine.web.connections import bounded
from acl_engine.web.log_lines import log_to


class Server(int):
    """A server's port; `pid` is its process."""

    pid: int

    def spent(self) -> float:
        """Seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """What one run gave: answers a second, how long each took, and the server's processor time for
    one, which other work on the machine changes least. `wrong`: what was answered otherwise."""

    rate: float
    times: Sequence[float]
    good: int
    cpu: float
    wrong: Mapping[str, int]

    def of(self, wanted: int) -> str:
        """How many were good of those wanted, and what the others were."""
        others = dict(self.wrong)
        if silent := wanted - len(self.times):
            others["no answer"] = silent
        said = ", ".join(f"{count:,} {what}" for what, count in sorted(others.items()))
        return f"{self.good:,} of {wanted:,}" + (f" ({said})" if said else "")

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)]


class _Caller(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._held = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = self._run.take()
        if request is None:
            self._transport.close()
            return
        wait = self._run.wait()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send, request)
        else:
            self._send(request)

    def _send(self, request: bytes) -> None:
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._run.answered(time.perf_counter() - self._sent, head, body)
            self._held = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.leave()


class _Run:
    def __init__(self, requests: Sequence[bytes], mark: bytes, rate: float | None) -> None:
        self._requests = iter(requests)
        self._mark, self._rate = mark, rate
        self._begun = time.perf_counter()
        self._sent = 0
        self.times: list[float] = []
        self.good = 0
        self.wrong: Counter[str] = Counter()
        self.left = asyncio.Event()
        self.callers = 0

    def take(self) -> bytes | None:
        return next(self._requests, None)

    def wait(self) -> float:
        """Seconds until the next request is due, at a rate; 0 without one."""
        if self._rate is None:
            return 0.0
        due = self._begun + self._sent / self._rate
        self._sent += 1
        return due - time.perf_counter()

    def answered(self, seconds: float, head: bytes, body: bytes) -> None:
        self.times.append(seconds)
        if self._mark in body:
            self.good += 1
        else:
            code = re.search(rb'code="([A-Z_]+)"', body)
            self.wrong[(head[9:12] + b" " + (code[1] if code else b"")).decode().strip()] += 1

    def leave(self) -> None:
        self.callers -= 1
        if self.callers <= 0:
            self.left.set()


def load(
    port: Server, requests: Sequence[bytes], mark: bytes, callers: int, rate: float | None = None
) -> Load:
    """Send the requests over `callers` connections; `rate`: so many a second, not more."""

    async def run() -> Load:
        state = _Run(requests, mark, rate)
        state.callers = callers
        started, spent = time.perf_counter(), port.spent()
        loop = asyncio.get_running_loop()
        for _ in range(callers):
            await loop.create_connection(lambda: _Caller(state), "127.0.0.1", port)
        await asyncio.wait_for(state.left.wait(), 300)
        answered = len(state.times)
        reached = answered / (time.perf_counter() - started)
        cpu = (port.spent() - spent) / max(answered, 1)
        return Load(reached, state.times, state.good, cpu, state.wrong)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


@contextmanager
def served(
    make: Callable[..., Any], *arguments: object, limits: Limits | None = None
) -> Iterator[Server]:
    """A plain-HTTP server of `make(*arguments)` (an ASGI application) on one core; its port.

    `limits`: with what `acl serve` adds to it, its bounds on connections and its log's lines.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, arguments, limits), daemon=True)
    process.start()
    try:
        server = Server(mine.recv())
        server.pid = process.pid or 0
        yield server
    finally:
        process.terminate()
        process.join()


def _serve(
    pipe: Any, make: Callable[..., Any], arguments: tuple[object, ...], limits: Limits | None
) -> None:
    import socket

    import uvicorn

    os.sched_setaffinity(0, {0})
    sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
    if limits is not None:
        log_to(open(os.devnull, "w"))  # noqa: SIM115 - as long as the process
    config = uvicorn.Config(
        make(*arguments), loop="uvloop", http=bounded(limits) if limits else "httptools",
        ws="none", lifespan="off",
        log_level="error", log_config=None, access_log=False,
        # At a low rate a caller is idle for longer than a server waits by itself.
        timeout_keep_alive=300,
    )  # fmt: skip
    pipe.send(sock.getsockname()[1])
    uvicorn.Server(config).run(sockets=[sock])
