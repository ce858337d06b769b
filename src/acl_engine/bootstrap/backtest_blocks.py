"""A CSV log judged block by block, by as many processes as there are cores.

The processes are forked: the past that was read once is there in each of them.

INVARIANTS
- The reports come in the order of the file, and are those of one process.
- A block that a process could not judge (it died, the block is not plain) is judged here; from the
  first block that is not plain on, the csv module reads all that follows.
"""

import sys
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import SEEK_END
from itertools import tee
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from acl_engine.analysis.backtest import csv_log
from acl_engine.analysis.backtest.access_log import Reading, batch_of, csv_batches
from acl_engine.analysis.backtest.csv_log import (
    Columns,
    Layout,
    blocks,
    careful_columns,
    layout_of,
    plain_columns,
)
from acl_engine.analysis.backtest.judging import Judging
from acl_engine.analysis.backtest.report import Report
from acl_engine.bootstrap import crew


@dataclass(frozen=True, slots=True)
class Judge:
    """What turns columns of a log into a report."""

    reading: Reading
    judging: Judging

    def report(self, columns: Columns) -> Report:
        self.judging.add(batch_of(columns, self.reading))
        return self.judging.take()


# A block of a file: where it begins, its size in bytes, the number of its first line.
_Block = tuple[int, int, int]

# One of each a process, for its whole life.
_judge: Judge
_layout: Layout
_file: BinaryIO


def judged_csv(file: BinaryIO, encoding: str, judge: Judge) -> Iterator[Report]:
    """The reports of a CSV file, which is at its start. Raises InputError, see `csv_log`."""
    layout = layout_of(file, encoding)
    if layout is None:
        for batch in csv_batches(file, encoding, judge.reading):
            judge.judging.add(batch)
            yield judge.judging.take()
        return
    found, asked = tee(_numbered(file, layout))
    for (at, size, number), known in zip(found, _shared(file, layout, judge, asked), strict=True):
        report = known or _judged(file, layout, judge, (at, size, number))
        if report is None:
            file.seek(at)
            yield from map(judge.report, careful_columns(file, layout, number))
            return
        file.seek(at + size)  # so far, for whoever shows progress
        yield report


def _numbered(file: BinaryIO, layout: Layout) -> Iterator[_Block]:
    number = layout.number
    for at, size in blocks(file, layout.start):
        yield at, size, number
        file.seek(at)
        number += file.read(size).count(b"\n")


def _judged(file: BinaryIO, layout: Layout, judge: Judge, block: _Block) -> Report | None:
    """The report of one block; None where it is not plain."""
    at, size, number = block
    file.seek(at)
    columns = plain_columns(file.read(size), layout, number)
    return None if columns is None else judge.report(columns)


def _shared(
    file: BinaryIO, layout: Layout, judge: Judge, found: Iterable[_Block]
) -> Iterator[Report | None]:
    """What other processes say of each block; None for what is left to do here."""
    count = min(crew.cores(), file.seek(0, SEEK_END) // csv_log.BLOCK)
    if count < 2 or sys.platform != "linux":
        yield from (None for _ in found)  # elsewhere a fork is not safe, or not there
        return
    with warnings.catch_warnings():
        # Only the forking thread goes on in a child, and it takes no lock that another may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(
            count, get_context("fork"), _begin, (Path(file.name), layout, judge)
        ) as pool:
            yield from crew.answers(pool, count, _block, ((one,) for one in found))


def _begin(path: Path, layout: Layout, judge: Judge) -> None:
    global _judge, _layout, _file
    _judge, _layout, _file = judge, layout, path.open("rb")


def _block(block: _Block) -> Report | None:
    return _judged(_file, _layout, _judge, block)
