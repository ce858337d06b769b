"""Reading and writing spreadsheets, CSV and XLSX, row by row, whatever their size.

INVARIANTS
- Bytes that are not surely of the encoding they are read in are refused: text read in a wrong
  encoding can be turned back into what it was.
- A file is written whole or not at all.
"""

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from acl_engine.cli.encodings import detect_encoding, was_utf8
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text

UNREADABLE = Text(
    "file-unreadable",
    "无法读取该文件（`{why}`）",
    "the file cannot be read (`{why}`)",
    "检查路径、权限和格式",
    "check path, rights and format",
)
UNWRITABLE = Text(
    "file-unwritable",
    "无法写入该文件（`{why}`）",
    "the file cannot be written (`{why}`)",
    "检查路径、权限与磁盘空间",
    "check the path, its permissions and the space on disk",
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
SHEETS = Text(
    "file-sheets",
    "工作簿有 {count} 个工作表",
    "the workbook has {count} sheets",
    "拆成每个文件一个工作表",
    "split it: one sheet a file",
)
UNPACKED = Text(
    "file-unpacked",
    "工作簿解压后超过 {most} GB",
    "the workbook is larger than {most} GB once unpacked",
    "另存为 CSV",
    "save it as CSV",
)
TOO_MANY_ROWS = Text(
    "file-xlsx-rows",
    "XLSX 最多 {most} 行",
    "XLSX holds at most {most} rows",
    "输出为 CSV",
    "write a CSV instead",
)
NOT_WRITTEN = Text(
    "file-format",
    "不能写 {suffix} 文件",
    "a {suffix} file cannot be written",
    "把输出文件命名为 .csv 或 .xlsx",
    "name the output .csv or .xlsx",
)
NO_XLSX = Text(
    "file-no-openpyxl",
    "缺少读写 XLSX 的库",
    "XLSX needs a library that is not installed",
    "运行 pip install 'acl-engine[cli]'，或另存为 CSV",
    "run pip install 'acl-engine[cli]', or save as CSV",
)

_CELL_LIMIT = 1 << 20
_LINE_LIMIT = 4 << 20
_OLD_MAC = re.compile(r"(?<=\r)(?!\n)(?=.)", re.DOTALL)
_XLSX_ROWS = 1_048_576
_UNPACKED_GB = 4
_TOLD_EVERY = 2000
Advance = Callable[[int], None]
Rows = Iterator[tuple[int, list[str]]]


# What other spreadsheets call their own: a CSV under such a name opens nowhere.
_OTHERS = (".xls", ".xlsb", ".xlsm", ".ods", ".et", ".numbers")


def is_xlsx(path: Path) -> bool:
    return path.suffix.lower() in (".xlsx", ".xlsm")


@contextmanager
def reading(
    source: Path, encoding: str | None, delimiter: str, advance: Advance = lambda done: None
) -> Iterator[Rows]:
    """The rows of a file, each with its number, from 1. Raises InputError, naming the file.

    `advance` is told how many bytes (CSV) or rows (XLSX) are done.
    """
    try:
        if is_xlsx(source):
            with _xlsx_rows(source, advance) as rows:
                yield rows
            return
        encoding = detect_encoding(source, encoding)
        with source.open("rb") as file, _cells_limited():
            yield _csv_rows(file, encoding, delimiter, advance)
    except InputError as error:
        raise InputError(error.message, error.where or Where(str(source))) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(UNREADABLE.of(why=why), Where(str(source))) from None


@contextmanager
def _cells_limited() -> Iterator[None]:
    """The csv module keeps one limit for the whole process: it is given back as it was."""
    before = csv.field_size_limit(_CELL_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv_rows(file: BinaryIO, encoding: str, delimiter: str, advance: Advance) -> Rows:
    reader = csv.reader(_lines(file, encoding), strict=True, delimiter=delimiter)
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
        if number % _TOLD_EVERY == 0:
            advance(file.tell())
        if any(was_utf8(cell, encoding) for cell in cells):
            raise InputError(NOT_TEXT.of(row=number, encoding=encoding))
        yield number, cells


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines, decoded one at a time, so that an error is in the row that is being read."""
    if encoding.startswith(("utf-16", "utf-32")):
        with TextIOWrapper(file, encoding, newline="") as text:
            while line := text.readline(_LINE_LIMIT):
                yield _whole(line, line.endswith(("\n", "\r")))
        return
    while raw := file.readline(_LINE_LIMIT):
        decoded = _whole(raw, raw.endswith(b"\n")).decode(encoding)
        yield from _OLD_MAC.split(decoded)


def _whole(line: Any, ended: bool) -> Any:
    if not ended and len(line) >= _LINE_LIMIT:
        raise csv.Error("a line without an end")
    return line


@contextmanager
def _xlsx_rows(source: Path, advance: Advance) -> Iterator[Rows]:
    from zipfile import BadZipFile, ZipFile

    openpyxl = _openpyxl()
    try:
        with ZipFile(source) as packed:
            if sum(one.file_size for one in packed.infolist()) > _UNPACKED_GB << 30:
                raise InputError(UNPACKED.of(most=_UNPACKED_GB))
        book = openpyxl.load_workbook(source, read_only=True, data_only=False)
    except OSError:
        raise
    except InputError:
        raise
    except Exception:  # noqa: BLE001 -- whatever a file that is no workbook makes the library say
        raise InputError(UNREADABLE.of(why="xlsx")) from None
    try:
        if len(book.sheetnames) != 1:
            raise InputError(SHEETS.of(count=len(book.sheetnames)))
        yield _sheet_rows(book.worksheets[0], advance)
    except (BadZipFile, KeyError, ValueError, SyntaxError):
        raise InputError(UNREADABLE.of(why="xlsx")) from None
    finally:
        book.close()


def _sheet_rows(sheet: Any, advance: Advance) -> Rows:
    width = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_text(value) for value in values]
        # A sheet's rows end where its formatting ends: empty cells past the header are no cells.
        while len(cells) > width and not cells[-1]:
            cells.pop()
        width = width or len(cells)
        if number % _TOLD_EVERY == 0:
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
def writing(target: Path) -> Iterator[Callable[[Sequence[str]], None]]:
    """Rows go to a file beside the target, which takes its place when all went well.

    Only its owner may read it. Raises InputError, naming the target.
    """
    suffix = target.suffix.lower()
    if suffix in _OTHERS:
        raise InputError(NOT_WRITTEN.of(suffix=suffix), Where(str(target)))
    name: str | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".acl-", dir=target.parent)
        os.close(handle)
        if is_xlsx(target):
            book = _openpyxl().Workbook(write_only=True)
            sheet = book.create_sheet()
            try:
                yield _limited(sheet.append)
            except BaseException:
                # A sheet that is left open breaks later, when it is collected, with a traceback.
                sheet.close()
                raise
            book.save(name)
        else:
            # With a byte order mark, so that spreadsheets read the Chinese.
            with open(name, "w", encoding="utf-8-sig", newline="") as file:
                yield csv.writer(file).writerow
                file.flush()
                os.fsync(file.fileno())
        os.replace(name, target)
        name = None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(UNWRITABLE.of(why=why), Where(str(target))) from None
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def _limited(append: Callable[[Sequence[str]], None]) -> Callable[[Sequence[str]], None]:
    rows = 0

    def write(cells: Sequence[str]) -> None:
        nonlocal rows
        rows += 1
        if rows > _XLSX_ROWS:
            raise InputError(TOO_MANY_ROWS.of(most=_XLSX_ROWS))
        append(cells)

    return write


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise InputError(NO_XLSX.of()) from None
    return openpyxl
