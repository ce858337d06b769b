"""Reading and writing the spreadsheets that `acl mask file` masks: CSV and XLSX, row by row."""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text
from acl_engine.masking.table import TableMask

SAME_FILE = Text(
    "file-same",
    "输入与输出是同一个文件",
    "IN and OUT are the same file",
    "换一个输出文件",
    "name another OUT",
)
EXISTS = Text(
    "file-exists",
    "输出文件已存在",
    "OUT exists already",
    "换一个文件名，或加 --force",
    "name another file, or add --force",
)
UNREADABLE = Text(
    "file-unreadable",
    "无法读取该文件（`{why}`）",
    "the file cannot be read (`{why}`)",
    "检查路径、权限和格式",
    "check path, rights and format",
)
NOT_TEXT = Text(
    "file-encoding",
    "第 {row} 行附近不是 `{encoding}` 编码",
    "near row {row} the text is not `{encoding}`",
    "用 --encoding 指明编码，或另存为 UTF-8",
    "name it with --encoding, or save as UTF-8",
)
BAD_CSV = Text(
    "file-csv",
    "第 {row} 行不是合法的 CSV",
    "row {row} is not well-formed CSV",
    "检查引号和过长的单元格",
    "look for an open quote or an overlong cell",
)
EMPTY = Text("file-empty", "文件为空", "the file is empty", "需要表头行", "a header row is needed")
SHEETS = Text(
    "file-sheets",
    "工作簿有 {count} 个工作表",
    "the workbook has {count} sheets",
    "拆成每个文件一个工作表",
    "split it: one sheet a file",
)
NO_XLSX = Text(
    "file-no-openpyxl",
    "缺少读写 XLSX 的库",
    "XLSX needs a library that is not installed",
    "运行 pip install 'acl-engine[cli]'，或另存为 CSV",
    "run pip install 'acl-engine[cli]', or save as CSV",
)

_SAMPLE = 1 << 20
_CELL_LIMIT = 1 << 20
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
Advance = Callable[[int], None]


def mask_file(
    source: Path,
    target: Path,
    profile: str,
    declared: Mapping[str, str],
    *,
    encoding: str | None = None,
    force: bool = False,
    advance: Advance = lambda done: None,
) -> TableMask:
    """Mask `source` into `target`; returns the columns with their counts. All or nothing.

    `advance` is told how many bytes (CSV) or rows (XLSX) are done. Raises InputError.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(SAME_FILE.of(), Where(str(target)))
    if target.exists() and not force:
        raise InputError(EXISTS.of(), Where(str(target)))
    try:
        with _rows(source, encoding, advance) as rows, _writer(target) as write:
            table: TableMask | None = None
            for number, cells in rows:
                if table is None:
                    table = TableMask.of(cells, declared, profile)
                    write([column.name for column in table.columns])
                elif any(cells):
                    write(table.row(cells, number))
            if table is None:
                raise InputError(EMPTY.of())
            return table
    except InputError as error:
        raise InputError(error.message, error.where or Where(str(source))) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(UNREADABLE.of(why=why), Where(str(source))) from None


def detect_encoding(source: Path) -> str:
    """By byte order mark, else UTF-8 where the first megabyte is UTF-8, else GB18030."""
    with source.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = len(sample) == _SAMPLE and error.start >= len(sample) - 4
        return "utf-8" if cut else "gb18030"
    return "utf-8"


@contextmanager
def _rows(
    source: Path, encoding: str | None, advance: Advance
) -> Iterator[Iterator[tuple[int, list[str]]]]:
    if source.suffix.lower() == ".xlsx":
        with _xlsx_rows(source, advance) as rows:
            yield rows
        return
    encoding = encoding or detect_encoding(source)
    with source.open(encoding=encoding, newline="", errors="strict") as file:
        yield _csv_rows(file, encoding, advance)


def _csv_rows(file: Any, encoding: str, advance: Advance) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(file, strict=True)
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeError:
            raise InputError(NOT_TEXT.of(row=number + 1, encoding=encoding)) from None
        except csv.Error:
            raise InputError(BAD_CSV.of(row=number + 1)) from None
        number += 1
        if number % 2000 == 0:
            advance(file.buffer.tell())
        yield number, cells


@contextmanager
def _xlsx_rows(source: Path, advance: Advance) -> Iterator[Iterator[tuple[int, list[str]]]]:
    from zipfile import BadZipFile

    openpyxl = _openpyxl()
    try:
        book = openpyxl.load_workbook(source, read_only=True, data_only=False)
    except (BadZipFile, KeyError, ValueError):
        raise InputError(UNREADABLE.of(why="xlsx")) from None
    try:
        if len(book.sheetnames) != 1:
            raise InputError(SHEETS.of(count=len(book.sheetnames)))
        yield _sheet_rows(book.worksheets[0], advance)
    finally:
        book.close()


def _sheet_rows(sheet: Any, advance: Advance) -> Iterator[tuple[int, list[str]]]:
    width = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_text(value) for value in values]
        # A sheet's rows end where its formatting ends: empty cells past the header are no cells.
        while len(cells) > width and not cells[-1]:
            cells.pop()
        width = width or len(cells)
        if number % 2000 == 0:
            advance(number)
        yield number, cells + [""] * (width - len(cells))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a phone number that was typed as a number
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


@contextmanager
def _writer(target: Path) -> Iterator[Callable[[Sequence[str]], None]]:
    """Rows go to a file beside the target, which takes its place when all went well."""
    xlsx = target.suffix.lower() == ".xlsx"
    handle, name = tempfile.mkstemp(prefix=".acl-mask-", dir=target.parent)
    os.close(handle)
    try:
        if xlsx:
            book = _openpyxl().Workbook(write_only=True)
            sheet = book.create_sheet()
            yield sheet.append
            book.save(name)
        else:
            # With a byte order mark, so that spreadsheets read the Chinese.
            with open(name, "w", encoding="utf-8-sig", newline="") as file:
                yield csv.writer(file).writerow
                file.flush()
                os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise InputError(NO_XLSX.of()) from None
    return openpyxl


def report_json(table: TableMask) -> str:
    """What was done, column by column."""
    columns = [
        {
            "column": one.name,
            "kind": one.kind or "keep",
            "declared": one.declared,
            "cells": one.cells,
            "hidden_entirely": one.hidden,
            "looked_personal": one.looked_personal,
            "formulas_hidden": one.formulas,
        }
        for one in table.columns
    ]
    document = {"schema": "acl-mask-file/1", "rows": table.rows, "columns": columns}
    return json.dumps(document, ensure_ascii=False, indent=2)
