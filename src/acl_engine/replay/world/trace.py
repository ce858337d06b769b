"""The published parcel trace (LaDe-P): one CSV row a pickup, checked row by row.

Columns read: order_id, region_id, city, courier_id, accept_time, pickup_time, aoi_id; others are
left alone. Times are `MM-DD HH:MM:SS` of one year, local to China. The rows hold no person's data.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text
from acl_engine.replay.world.company import CHINA

UNREADABLE = Text(
    "trace.unreadable", "读不到文件：{why}", "the file cannot be read: {why}",
    "需要 UTF-8 编码的 CSV 文件", "it must be a CSV file in UTF-8",
)  # fmt: skip
NO_COLUMN = Text(
    "trace.no-column", "缺少列 `{column}`", "the column `{column}` is missing",
    "需要 LaDe 揽收（pickup）文件的列", "the columns of a LaDe pickup file are needed",
)  # fmt: skip
NO_ROWS = Text("trace.no-rows", "没有数据行", "there are no rows")


def _cause(code: str, zh: str, en: str) -> Text:
    """What the first bad row does wrong, and which rows are bad."""
    return Text(
        f"trace.{code}",
        f"`{{column}}` {zh}（共 {{count}} 行有误：第 {{lines}} 行），未导入任何数据",
        f"`{{column}}` {en} ({{count}} bad rows: lines {{lines}}); nothing was imported",
        "请改正或删去这些行",
        "mend or drop these rows",
    )


RAGGED = _cause("ragged", "所在行的列数与表头不符", "is in a row of another length")
TWICE = _cause("twice", "重复", "stands twice in the file")
NO_CITY = _cause("no-city", "不是城市的拼音名", "is not a city's name in Latin letters")
TOO_EARLY = _cause("too-early", "早于接单时间", "is earlier than accept_time")
NO_NUMBER = _cause("no-number", "不是编号，或位数过多", "is not a number, or has too many digits")
NO_TIME = _cause("no-time", "不是 MM-DD HH:MM:SS", "is not a time MM-DD HH:MM:SS")

_COLUMNS = (
    "order_id", "region_id", "city", "courier_id", "accept_time", "pickup_time", "aoi_id",
)  # fmt: skip
_NUMBER = re.compile(r"[0-9]+", re.ASCII)
# More would not fit the ids that are made of them.
_DIGITS = {"order_id": 12, "region_id": 4, "courier_id": 9, "aoi_id": 8}
_CITY = re.compile(r"[A-Za-z][A-Za-z' -]{0,14}", re.ASCII)
_TIME = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
# A leap year, so that every day of a year can be said.
_YEAR = 2024
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Pickup:
    """One row. Times are epoch seconds of the trace's own year; `region` is unique in its city."""

    order: int
    city: str
    region: int
    courier: int
    area: int
    accepted: int
    picked: int


class _Bad(Exception):
    def __init__(self, cause: Text, column: str) -> None:
        self.cause, self.column = cause, column


def read_trace(path: Path) -> Iterator[Pickup]:
    """The rows in the order of the file. Raises InputError that names every bad row by line."""
    bad: list[tuple[int, _Bad]] = []
    seen: set[int] = set()
    rows = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(reader, path)
            for row in reader:
                rows += 1
                try:
                    pickup = _pickup(row, seen)
                except _Bad as found:
                    bad.append((reader.line_num, found))
                else:
                    yield pickup
    except OSError as failure:
        raise InputError(UNREADABLE.of(why=failure.strerror or "?"), Where(str(path))) from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(UNREADABLE.of(why="not CSV in UTF-8"), Where(str(path))) from None
    if bad:
        raise _refusal(path, bad)
    if not rows:
        raise InputError(NO_ROWS.of(), Where(str(path)))


def _check_header(reader: "csv.DictReader[str]", path: Path) -> None:
    names = reader.fieldnames or ()
    for column in _COLUMNS:
        if column not in names:
            raise InputError(NO_COLUMN.of(column=column), Where(str(path), 1))


def _refusal(path: Path, bad: list[tuple[int, _Bad]]) -> InputError:
    line, first = bad[0]
    lines = ", ".join(str(number) for number, _ in bad[:_LISTED])
    said = first.cause.of(
        column=first.column,
        count=len(bad),
        lines=lines + (", ..." if len(bad) > _LISTED else ""),
    )
    return InputError(said, Where(str(path), line))


def _pickup(row: dict[str, str], seen: set[int]) -> Pickup:
    if None in row or None in row.values():
        raise _Bad(RAGGED, "order_id")
    order = _number(row, "order_id")
    if order in seen:
        raise _Bad(TWICE, "order_id")
    if not _CITY.fullmatch(row["city"]):
        raise _Bad(NO_CITY, "city")
    accepted, picked = _time(row, "accept_time"), _time(row, "pickup_time")
    if picked < accepted:
        raise _Bad(TOO_EARLY, "pickup_time")
    numbers = (_number(row, name) for name in ("region_id", "courier_id", "aoi_id"))
    region, courier, area = numbers
    seen.add(order)
    return Pickup(order, row["city"], region, courier, area, accepted, picked)


def _number(row: dict[str, str], column: str) -> int:
    if not _NUMBER.fullmatch(row[column]) or len(row[column]) > _DIGITS[column]:
        raise _Bad(NO_NUMBER, column)
    return int(row[column])


def _time(row: dict[str, str], column: str) -> int:
    found = _TIME.fullmatch(row[column])
    try:
        if found is None:
            raise ValueError
        return int(datetime(_YEAR, *map(int, found.groups()), tzinfo=CHINA).timestamp())  # type: ignore[arg-type,misc]
    except ValueError:
        raise _Bad(NO_TIME, column) from None
