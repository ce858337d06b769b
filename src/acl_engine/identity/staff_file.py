"""Reading the CSV files that people are imported from: every bad row named, or nothing.

INVARIANTS
- A file is read whole before anything is made of it; a column that is not known is refused, so
  that a typing error is never an empty value.
- A value is data: nothing in it is run, and a cell that a spreadsheet would run is refused.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.staff_plan import Finding
from acl_engine.domain.text import Message, Text
from acl_engine.identity.hr_plan import HrRow
from acl_engine.identity.legacy_plan import LegacyRow

MOST_ROWS = 2_000_000
_LONGEST = 128
# A person's id is 32 characters in the tables.
_LONGEST_ID = 32

ENCODING = Text(
    "staff-file-encoding",
    "文件不是 {encoding} 编码",
    "the file is not encoded in {encoding}",
    "用 --encoding gb18030 或另存为 UTF-8",
    "try --encoding gb18030, or save it as UTF-8",
)
COLUMNS = Text(
    "staff-file-columns",
    "表头不符：缺少 {missing}；未知 {unknown}；重复 {twice}",
    "the header does not fit: missing {missing}; unknown {unknown}; twice {twice}",
    "列：{known}",
    "columns: {known}",
)
EMPTY = Text("staff-file-empty", "文件没有数据行", "the file has no rows")
WIDTH = Text(
    "staff-file-width",
    "该行有 {found} 个单元格，表头有 {wanted} 个",
    "the row has {found} cells, the header {wanted}",
    "检查逗号与引号",
    "check commas and quotes",
)
LACKS = Text("staff-file-lacks", "`{column}` 为空", "`{column}` is empty", "补上", "fill it in")
LONG = Text(
    "staff-file-long",
    "`{column}` 多于 {most} 个字符",
    "`{column}` has more than {most} characters",
    "缩短",
    "shorten it",
)
CONTROL = Text(
    "staff-file-control",
    "`{column}` 含有控制字符，或以 = + - @ 开头",
    "`{column}` holds a control character, or begins with = + - @",
    "写纯文字",
    "write plain text",
)
WORD = Text(
    "staff-file-word",
    "`{column}` 不能是 `{value}`",
    "`{column}` cannot be `{value}`",
    "可用：{known}",
    "known: {known}",
)
DATE = Text(
    "staff-file-date",
    "`{column}` 不是日期",
    "`{column}` is no date",
    "写作 2026-03-02",
    "write 2026-03-02",
)

HR_COLUMNS = ("person", "name", "unit", "superior", "role", "login", "status")
HR_OPTIONAL = ("kind", "sponsor", "starts", "ends")
_STATUS, _KIND = ("active", "left"), ("regular", "temporary")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by column name; `row` counts from 1 with the header."""

    rows: tuple[tuple[int, dict[str, str]], ...]
    findings: tuple[Finding, ...]
    ignored: tuple[str, ...] = ()


def read_table(
    data: bytes,
    file: str,
    needed: Sequence[str],
    optional: Sequence[str],
    *,
    encoding: str = "utf-8-sig",
    ignore: Sequence[str] = (),
) -> Table:
    """The table in a CSV file. Raises InputError for a file that is none; a bad row is a finding.

    `ignore`: words; a column with one in its name is not read at all, and named."""
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise InputError(ENCODING.of(encoding=encoding), Where(file)) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    ignored = tuple(one for one in header if any(word in one for word in ignore))
    _check_header(header, needed, (*optional, *ignored), file)
    rows: list[tuple[int, dict[str, str]]] = []
    findings: list[Finding] = []
    for number, cells in _numbered(reader, file):
        if not any(cells):
            continue
        if len(cells) != len(header):
            findings.append(Finding(number, WIDTH.of(found=len(cells), wanted=len(header))))
            continue
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        row = {name: cell for name, cell in row.items() if name not in ignored}
        if bad := _bad_cell(row):
            findings.append(Finding(number, bad))
        rows.append((number, row))
    if not rows and not findings:
        raise InputError(EMPTY.of(), Where(file))
    return Table(tuple(rows), tuple(findings), ignored)


def hr_rows(table: Table) -> tuple[list[HrRow], list[Finding]]:
    """The rows of an HR file, typed, and what is wrong with those that are not."""
    rows: list[HrRow] = []
    bad = {one.row for one in table.findings}
    findings = list(table.findings)
    for number, cells in table.rows:
        if number in bad:
            continue
        if message := _hr_words(cells):
            findings.append(Finding(number, message))
            continue
        rows.append(
            HrRow(
                row=number,
                person=cells["person"],
                name=cells["name"],
                unit=cells["unit"],
                superior=cells["superior"] or None,
                role=cells["role"],
                login=cells["login"],
                status=cells["status"],
                kind=cells.get("kind") or "regular",
                sponsor=cells.get("sponsor") or None,
                starts_at=moment(cells.get("starts", "")) or 0,
                ends_at=moment(cells.get("ends", "")),
            )
        )
    return rows, findings


LEGACY_COLUMNS = ("login", "persons", "role", "unit", "status")
LEGACY_OPTIONAL = ("used", "name")
# What must not come along from an old system: read by nobody here.
LEGACY_IGNORED = ("pass", "pwd", "hash", "salt", "secret", "口令", "密码")


def legacy_rows(table: Table) -> tuple[list[LegacyRow], list[Finding]]:
    """The rows of an old system's account list, and what is wrong with those that are not.
    `persons`: ids, `;` between them; `used`: a date, as `2026-03-02`."""
    rows: list[LegacyRow] = []
    findings = list(table.findings)
    bad = {one.row for one in findings}
    for number, cells in table.rows:
        used = cells.get("used", "")
        if number in bad:
            continue
        if not is_date(used):
            findings.append(Finding(number, DATE.of(column="used")))
            continue
        row = LegacyRow(
            row=number,
            login=cells["login"].lower(),
            persons=tuple(one.strip() for one in cells["persons"].split(";") if one.strip()),
            role=cells["role"],
            unit=cells["unit"],
            status=cells["status"].lower(),
            used=used,
        )
        rows.append(row)
    return rows, findings


def is_date(text: str) -> bool:
    """Whether this is a date that sorts as text, or nothing."""
    try:
        moment(text)
    except ValueError:
        return False
    return len(text) in (0, len("2026-03-02"))


def moment(text: str) -> int | None:
    """A date's first second, UTC; None for an empty cell. Raises ValueError."""
    if not text:
        return None
    return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def _hr_words(cells: dict[str, str]) -> Message | None:
    if cells["status"] not in _STATUS:
        return WORD.of(column="status", value=cells["status"][:20], known=", ".join(_STATUS))
    needed = (
        ("person", "login") if cells["status"] == "left" else ("person", "login", "name", "unit")
    )
    for column in needed:
        if not cells[column]:
            return LACKS.of(column=column)
    kind = cells.get("kind", "")
    if kind and kind not in _KIND:
        return WORD.of(column="kind", value=kind[:20], known=", ".join(_KIND))
    for column in ("starts", "ends"):
        if not is_date(cells.get(column, "")):
            return DATE.of(column=column)
    return None


def _check_header(
    header: list[str], needed: Sequence[str], optional: Sequence[str], file: str
) -> None:
    known = [*needed, *optional]
    missing = [one for one in needed if one not in header]
    unknown = [one for one in header if one not in known]
    twice = sorted({one for one in header if header.count(one) > 1})
    if missing or unknown or twice:
        said = {"missing": missing, "unknown": unknown, "twice": twice, "known": known}
        words = {name: ", ".join(one[:40] for one in some) or "-" for name, some in said.items()}
        raise InputError(COLUMNS.of(**words), Where(file, 1))


def _numbered(reader: Iterator[list[str]], file: str) -> Iterator[tuple[int, list[str]]]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InputError(WIDTH.of(found="?", wanted="?"), Where(file, number)) from None
        if number > MOST_ROWS:
            raise InputError(LONG.of(column="rows", most=MOST_ROWS), Where(file, number))
        yield number, cells


def _bad_cell(row: dict[str, str]) -> Message | None:
    for column, cell in row.items():
        most = (
            _LONGEST_ID if column in ("person", "unit", "superior", "role", "sponsor") else _LONGEST
        )
        if len(cell) > most:
            return LONG.of(column=column, most=most)
        if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in cell) or cell[:1] in (
            "=",
            "+",
            "-",
            "@",
        ):
            return CONTROL.of(column=column)
    return None
