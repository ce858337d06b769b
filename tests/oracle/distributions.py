"""Both distributions of casbin, each in an environment of its own, asked at the same time.

pycasbin 2.8 is in the environment of the tests. casbin 1.43 would overwrite it there, so `make`
gives it one of its own and names its interpreter in `ACL_CASBIN_143`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("server.py")
EXPECTED = {"pycasbin": "2.8", "casbin": "1.43"}
OTHER = os.environ.get("ACL_CASBIN_143", "")
Answers = list[bool | None]


class Distribution:
    """One casbin in a process of its own."""

    def __init__(self, name: str, interpreter: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [interpreter, "-W", "ignore", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"},
        )
        assert self._process.stdin
        assert self._process.stdout
        self._asked, self._answers = self._process.stdin, self._process.stdout
        versions = json.loads(self._answers.readline())
        assert versions.keys() == {name}, f"{interpreter} holds {versions}, not only {name}"
        assert versions[name].startswith(EXPECTED[name]), versions

    def ask(self, model: str, policy: str, requests: Sequence[Any]) -> None:
        """Send a case; `answers` waits for what it says."""
        line = json.dumps({"model": model, "policy": policy, "requests": requests})
        self._asked.write(line + "\n")
        self._asked.flush()

    def answers(self) -> Answers:
        """One answer a request of the case that was sent first."""
        found: Answers = json.loads(self._answers.readline())
        return found

    def close(self) -> None:
        self._asked.close()
        self._answers.close()
        self._process.wait()


@contextmanager
def distributions() -> Iterator[tuple[Distribution, ...]]:
    """Both of them, or pycasbin alone where the other has no environment (`OTHER` is empty)."""
    found = [Distribution("pycasbin", sys.executable)]
    if OTHER:
        found.append(Distribution("casbin", OTHER))
    try:
        yield tuple(found)
    finally:
        for one in found:
            one.close()
