"""A stop that comes while a worker is being started reaches that worker too."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from acl_engine.web.workers import SHARED, Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Two that would sleep for a minute, and the test's own signal handlers afterwards."""
    kept = {sig: signal.getsignal(sig) for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    with socket.socket() as sock:
        made = Workers((), sock, 2)
        made._command = [sys.executable, "-c", "import time; time.sleep(60)"]
        yield made
    for sig, handler in kept.items():
        signal.signal(sig, handler)


@pytest.mark.parametrize("asked", ["before the first", "while the second starts"])
def test_a_stop_in_the_middle_of_a_start(
    workers: Workers, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = subprocess.Popen, list[Any]()

    def popen(*args: Any, **more: Any) -> Any:
        started.append(real(*args, **more))
        if len(started) == 2:
            signal.raise_signal(signal.SIGTERM)  # the handler runs before it is registered
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    if asked == "before the first":
        workers._stop()
    begun = time.monotonic()
    assert workers.run() == 0
    assert SHARED not in os.environ  # what this process starts afterwards is no worker
    assert len(started) == (0 if asked == "before the first" else 2)
    for one in started:
        one.wait(timeout=5)  # `run` has reaped it: only this object does not know
    assert time.monotonic() - begun < 30  # each was told: none slept to its end
