"""What a bench gives back: tables of one run, and the targets that the run was held to."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """One promise, what was measured, and whether it was kept in this run."""

    promise: str
    measured: str
    met: bool

    def line(self) -> str:
        return f"- {'met' if self.met else '**missed**'}: {self.promise}; measured {self.measured}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table, with a caption if a bench has several, and the targets that it speaks to."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    targets: Sequence[Target] = field(default=())

    def markdown(self) -> str:
        lines = [self.caption, ""] if self.caption else []
        lines += [_row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows)]
        if self.targets:
            lines += ["", *(target.line() for target in self.targets)]
        return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def progress(what: str) -> None:
    """Say on stderr what is being measured; the table itself comes at the end."""
    print(f"  {what}", file=sys.stderr, flush=True)
