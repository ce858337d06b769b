"""A bar on stderr over work that says how much of it was done at each step."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import Progress


def counting(steps: Iterable[int], total: int, name: str) -> int:
    """Walk the steps; how much they did together."""
    console = Console(stderr=True)
    done = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=total or None)
        for step in steps:
            done += step
            bar.update(task, completed=done)
    return done
