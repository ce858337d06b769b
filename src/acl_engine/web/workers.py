"""Several processes behind one socket: started, replaced when they die, stopped together."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

# The metrics library's own name for a folder that processes share; see `metrics`, not loaded here.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
log = logging.getLogger("acl.web")

# One that dies again and again is not started more often than this.
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    since: float


class Workers:
    """`count` copies of this program with the same arguments, on an inherited socket."""

    def __init__(self, arguments: Sequence[str], sock: socket.socket, count: int) -> None:
        self._command = [sys.executable, "-m", "acl_engine", *arguments]
        self._command += ["--listen-fd", str(sock.fileno())]
        self._fd = sock.fileno()
        self._count = count
        self._running: dict[int, _Worker] = {}
        self._environment: dict[str, str] = {}
        self._stopping = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT. 0: stopped when asked; 1: a worker could not go on."""
        # Whoever is asked for metrics adds up what all of them have counted.
        with tempfile.TemporaryDirectory(prefix="acl-metrics-") as shared:
            self._environment = {**os.environ, SHARED: shared}
            return self._watch()

    def _watch(self) -> int:
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        for _ in range(self._count):
            self._start()
        failed = False
        while self._running:
            pid, status = os.wait()
            since = self._running.pop(pid).since
            if self._stopping:
                continue
            if os.WIFEXITED(status):
                # It ended by itself: what it could not start with, the next one cannot either.
                log.error("a worker could not go on: all stop")
                failed = True
                self._stop()
            else:
                log.warning("a worker was killed by signal %d: replaced", os.WTERMSIG(status))
                time.sleep(max(0.0, _PAUSE_SECONDS - (time.monotonic() - since)))
                self._start()
        return 1 if failed else 0

    def _start(self) -> None:
        if self._asked():
            return
        given = self._environment
        worker = subprocess.Popen(self._command, pass_fds=(self._fd,), env=given)  # noqa: S603
        self._running[worker.pid] = _Worker(worker, time.monotonic())
        if self._asked():  # while this one was not among those who are told
            worker.send_signal(signal.SIGTERM)

    def _asked(self) -> bool:
        """Whether to stop: a signal can change it between any two lines."""
        return self._stopping

    def _stop(self, *_: object) -> None:
        self._stopping = True
        self._pass_on(signal.SIGTERM)

    def _pass_on(self, sig: int, *_: object) -> None:
        for worker in list(self._running.values()):
            worker.process.send_signal(sig)
