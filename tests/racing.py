"""Two real processes that start each round together at a barrier."""

import multiprocessing
from collections.abc import Callable
from typing import Any

ROUNDS = 8


class Runner:
    """One process's side: it waits for the other before it acts, and says what came of it."""

    def __init__(self, name: str, barrier: Any, results: Any) -> None:
        self.name, self._barrier, self._results = name, barrier, results

    def together(self) -> None:
        self._barrier.wait(60)

    def say(self, what: object) -> None:
        self._results.put(str(what))


def race(work: Callable[[str, Runner], None], url: str, said: int = 2 * ROUNDS) -> list[str]:
    """What both processes said, `said` words in all; `work` is a module's own function."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=work, args=(url, Runner(name, barrier, results)), daemon=True)
        for name in ("a", "b")
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for _ in range(said)]
    for worker in workers:
        worker.join(timeout=30)
    return found
