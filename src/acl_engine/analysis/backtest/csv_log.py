"""The columns of an old system's log: a CSV of time, account, action, waybill, maybe more.

Nearly every such file is plain: no quotes, and the same number of fields in each line. A block of
a plain file is split at once, which makes no list for each line; the first block that is not goes
to the csv module, and so does all that follows.

INVARIANTS
- Every line that is not blank comes out, in order; a short one with empty fields. None is lost in
  a cell of another: where a quote stays open the file is refused.
- What is split at once is what the csv module would make of it; a test compares them.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_END, TextIOWrapper
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from acl_engine.analysis.backtest.columns import Array
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

NO_COLUMN = Text(
    "backtest.column",
    "日志缺少列 `{name}`",
    "the log has no column `{name}`",
    "首行写 time,account,action,waybill（或 时间,账号,操作,运单号）",
    "name time,account,action,waybill in the first line",
)
BROKEN = Text(
    "backtest.broken",
    "日志在第 {number} 行之后不再是 CSV",
    "the log is no CSV any more after line {number}",
    "检查引号与编码（`--encoding`）",
    "check its quotes and its encoding (`--encoding`)",
)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "at", "timestamp", "时间", "操作时间", "查询时间"),
    "account": ("account", "user", "login", "账号", "帐号", "工号", "用户"),
    "action": ("action", "operation", "操作", "动作", "操作类型"),
    "waybill": ("waybill", "waybill_no", "record", "key", "运单号", "单号", "记录"),
    "device": ("device", "设备", "设备号"),
    "purpose": ("purpose", "用途"),
}
NEEDED = ("time", "account", "action", "waybill")
# Bytes split at once, and lines read at once by the csv module.
BLOCK, PART = 1 << 24, 1 << 17
_COMMA, _NEWLINE = b",\n"
# Where a comma or the end of a line is no byte of its own.
_WIDE = ("utf-16", "utf-32")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out: where its lines begin (bytes), the number of the first of them (from
    1), the place of each column among `width` cells, and the encoding."""

    start: int
    number: int
    places: Mapping[str, int]
    width: int
    encoding: str


class Columns(NamedTuple):
    """Some lines, column by column; `device`, `purpose`: None where the log has none.
    `number`: from 1."""

    time: Sequence[str]
    account: Sequence[str]
    action: Sequence[str]
    waybill: Sequence[str]
    device: Sequence[str] | None
    purpose: Sequence[str] | None
    number: Array


def csv_columns(file: BinaryIO, encoding: str) -> Iterator[Columns]:
    """The log from its first line on. Raises InputError for a header that lacks a column, or
    where it is no CSV."""
    layout = layout_of(file, encoding)
    if layout is None:
        with _text(file, encoding) as lines:
            yield from _rows(lines, None, 1)
        return
    number = layout.number
    for at, size in blocks(file, layout.start):
        file.seek(at)
        columns = plain_columns(file.read(size), layout, number)
        if columns is None:
            file.seek(at)
            yield from careful_columns(file, layout, number)
            return
        number += len(columns.number)
        yield columns


def layout_of(file: BinaryIO, encoding: str) -> Layout | None:
    """What the first line says; None where the file cannot be read by blocks. The file is at its
    start. Raises InputError."""
    if encoding.startswith(_WIDE):
        return None
    first = file.readline()
    cells = _first(first, encoding)
    if not cells:
        file.seek(0)
        return None
    places = _header(cells)
    if places is not None:
        return Layout(len(first), 2, places, len(cells), encoding)
    mark = len(codecs.BOM_UTF8) if first.startswith(codecs.BOM_UTF8) else 0
    return Layout(mark, 1, _in_order(cells), len(cells), encoding)


def blocks(file: BinaryIO, start: int) -> Iterator[tuple[int, int]]:
    """Where each stretch of whole lines begins, and its size in bytes."""
    end = file.seek(0, SEEK_END)
    while start < end:
        file.seek(min(start + BLOCK, end))
        file.readline()
        after = file.tell()
        yield start, after - start
        start = after


def plain_columns(block: bytes, layout: Layout, number: int) -> Columns | None:
    """The lines of a block that is split at once; None where the csv module must read it.
    `number` is that of its first line."""
    flat = _split(block, layout.width, layout.encoding)
    if flat is None:
        return None
    numbers = np.arange(number, number + len(flat) // layout.width)
    return _columns(
        [flat[at :: layout.width] for at in range(layout.width)], layout.places, numbers
    )


def careful_columns(file: BinaryIO, layout: Layout, number: int) -> Iterator[Columns]:
    """All that follows in the file, by the csv module. Raises InputError."""
    with _text(file, layout.encoding) as lines:
        yield from _rows(lines, layout.places, number)


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[TextIOWrapper]:
    """The file as text from where it stands; it stays open for whoever opened it."""
    wrapper = TextIOWrapper(file, encoding, newline="")
    try:
        yield wrapper
    finally:
        if not wrapper.closed:
            wrapper.detach()


def _first(line: bytes, encoding: str) -> list[str]:
    try:
        return next(csv.reader([line.decode(encoding)]), [])
    except (UnicodeDecodeError, csv.Error):
        raise InputError(BROKEN.of(number=0)) from None


def _header(cells: Sequence[str]) -> dict[str, int] | None:
    """Where each column stands; None where the first line is a line of the log."""
    plain = [cell.strip().lower().removeprefix("\ufeff") for cell in cells]
    found = {
        name: plain.index(word)
        for name, words in COLUMNS.items()
        for word in reversed(words)
        if word in plain
    }
    if not found:
        return None
    for name in NEEDED:
        if name not in found:
            raise InputError(NO_COLUMN.of(name=name))
    return found


def _in_order(cells: Sequence[str]) -> dict[str, int]:
    """The columns of a log without a header: as they are named in `NEEDED`."""
    if len(cells) < len(NEEDED):
        raise InputError(NO_COLUMN.of(name=NEEDED[len(cells)]))
    return {name: place for place, name in enumerate(NEEDED)}


def _split(block: bytes, width: int, encoding: str) -> list[str] | None:
    """The fields of a plain block one after the other; None where it is not plain."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if b'"' in block or b"\r" in block:
        return None
    # The csv module is told to skip a space at the start of a field, a line's first included.
    if b", " in block or b"\n " in block or block.startswith(b" "):
        return None
    if not block.endswith(b"\n"):
        block += b"\n"
    data = np.frombuffer(block, np.uint8)
    ends = data[np.flatnonzero((data == _COMMA) | (data == _NEWLINE))]
    lines = len(ends) // width
    if len(ends) % width or np.count_nonzero(ends == _NEWLINE) != lines:
        return None
    if not (ends[width - 1 :: width] == _NEWLINE).all():
        return None
    try:
        return block[:-1].decode(encoding).replace("\n", ",").split(",")
    except UnicodeDecodeError:
        return None  # told, with its line, by the way that goes line by line


def _rows(lines: Iterable[str], places: Mapping[str, int] | None, number: int) -> Iterator[Columns]:
    """The careful way: the csv module, line by line."""
    rows = csv.reader(lines, skipinitialspace=True)
    try:
        if places is None:
            first = next(rows, [])
            if not first:
                return
            places, number = _header(first), 2
            if places is None:
                places = _in_order(first)
                yield _of_rows([first], places, 1)
        at = rows.line_num
        while part := list(islice(rows, PART)):
            if rows.line_num - at > len(part):
                _refuse_swallowed(part, places, number)
            yield _of_rows(part, places, number)
            number, at = number + len(part), rows.line_num
    except (csv.Error, UnicodeDecodeError):
        raise InputError(BROKEN.of(number=number + rows.line_num)) from None


def _refuse_swallowed(part: list[list[str]], places: Mapping[str, int], number: int) -> None:
    """A quote that nothing closes makes one cell of the lines up to the next quote. A remark may
    have several lines; what is judged has one."""
    needed = [places[name] for name in NEEDED]
    for place, row in enumerate(part):
        cells = (row[at] for at in needed if at < len(row))
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise InputError(BROKEN.of(number=number + place - 1))


def _of_rows(part: list[list[str]], places: Mapping[str, int], number: int) -> Columns:
    width = max(places.values()) + 1
    filled = [place for place, row in enumerate(part) if row]  # a blank line is none
    rows = [(part[place] + [""] * width)[:width] for place in filled]
    columns = list(zip(*rows, strict=True)) or [()] * width
    return _columns(columns, places, number + np.array(filled, dtype=np.int64))


def _columns(
    columns: Sequence[Sequence[str]], places: Mapping[str, int], numbers: Array
) -> Columns:
    time, account, action, waybill = (columns[places[name]] for name in NEEDED)
    device, purpose = (
        columns[places[name]] if name in places else None for name in ("device", "purpose")
    )
    return Columns(time, account, action, waybill, device, purpose, numbers)
