"""A leaked list as it was found: any text, or a workbook. What looks like a number is kept.

Nothing is said about the rest: names and addresses lead to nobody in a log that holds digests.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

from acl_engine.cli.encodings import detect_encoding
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text

# A waybill or phone number: letters and digits, six digits at least, 32 signs at most.
_NUMBER = re.compile(r"[A-Za-z0-9+](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){5,31}")
_FEWEST_DIGITS = 6

UNREADABLE = Text(
    "leak.unreadable",
    "泄露清单不可读（{why}）",
    "the leaked list cannot be read ({why})",
    "给出文本、CSV 或 XLSX 文件",
    "give a text, CSV or XLSX file",
)
NOTHING = Text(
    "leak.nothing",
    "清单中没有运单号或电话号码",
    "the list holds no waybill or phone number",
    "每行一条，其余内容可以保留",
    "one record a line; what else stands there does no harm",
)
NO_NUMBER = Text(
    "leak.no-number",
    "`{written}` 不是运单号：清单中不会认出它",
    "`{written}` is no waybill number: it would not be noticed in a list",
    "运单号由字母和数字组成，至少六位数字，最长 32 位",
    "letters and digits, six digits at least, 32 signs at most",
)


def leaked_lines(path: Path) -> list[list[str]]:
    """The numbers on each line that has any. Raises InputError."""
    try:
        lines = list(_sheet(path) if path.suffix.lower() == ".xlsx" else _text(path))
    except (OSError, BadZipFile, KeyError, UnicodeError) as failure:
        why = getattr(failure, "strerror", None) or type(failure).__name__
        raise InputError(UNREADABLE.of(why=why), Where(str(path))) from None
    found = [numbers for line in lines if (numbers := _numbers(line))]
    if not found:
        raise InputError(NOTHING.of(), Where(str(path)))
    return found


def waybill_number(written: str) -> str:
    """A waybill number as a leaked list is read for it. Raises InputError for one that no list
    would be read for."""
    if len(found := _numbers(written)) != 1 or found[0] != _plain(written.strip()).upper():
        raise InputError(NO_NUMBER.of(written=written))
    return found[0]


def _text(path: Path) -> Iterator[str]:
    yield from path.read_text(encoding=detect_encoding(path)).splitlines()


def _sheet(path: Path) -> Iterator[str]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            for row in sheet.iter_rows(values_only=True):
                yield "\t".join(_cell(value) for value in row)
    finally:
        book.close()


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a phone number that was typed as a number
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _numbers(line: str) -> list[str]:
    found = (match[0] for match in _NUMBER.finditer(_plain(line)))
    return [one.upper() for one in found if sum(c.isdigit() for c in one) >= _FEWEST_DIGITS]
