"""A request in a process of its own, which can be killed or run out of disk as a real one is.

INVARIANTS
- The child opens its own connections; the parent holds none meanwhile.
- What the child answered counts as answered, whatever happened to it then.
"""

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from acl_engine.domain.errors import ScenarioError
from acl_engine.domain.text import Text
from acl_engine.replay.outcome import Outcome

NO_FORK = Text(
    "scenario.no-fork",
    "此系统不能在子进程中运行步骤：`fault` 步骤需要 Linux 或 macOS",
    "this system cannot run a step in a child process: a `fault` step needs Linux or macOS",
)
BROKE = Text("scenario.child-broke", "子进程出错：{what}", "the child process broke: {what}")


@dataclass(frozen=True, slots=True)
class Doom:
    """What will befall the process: `disk` full, or killed as it enters a number of the line."""

    disk: bool = False
    kill_at: str | None = None


def in_child(work: Callable[[Callable[[str], None]], Outcome], doom: Doom) -> Outcome:
    """The outcome of `work` in a child; of a killed one, the number of the line it had reached.

    `work` is given what to call with each number. Raises ScenarioError where there is no fork.
    """
    if not hasattr(os, "fork"):
        raise ScenarioError(NO_FORK.of())
    out, into = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        # Only this thread goes on in the child, and it takes no lock that another may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(out)
        _live(work, doom, into)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return _heard(said)


def _live(work: Callable[[Callable[[str], None]], Outcome], doom: Doom, into: int) -> None:
    """The child's whole life. Never returns: the parent's clean-up is not the child's to do."""

    def watch(line: str) -> None:
        os.write(into, f"{line}\n".encode())
        if line == doom.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        result: Outcome | str = work(watch)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        result = type(error).__name__
    os.write(into, b"=" + pickle.dumps(result))
    os._exit(0)


def _heard(said: bytes) -> Outcome:
    lines, answered, rest = said.partition(b"=")
    if not answered:
        reached = lines.decode().split()
        return Outcome(False, reached[-1] if reached else "0", reason="killed")
    result = pickle.loads(rest)  # noqa: S301 - written by the child a moment ago
    if isinstance(result, str):
        raise ScenarioError(BROKE.of(what=result))
    assert isinstance(result, Outcome)
    return result
