"""Masks: values a second by kind of field, and spreadsheets of a million rows and of gigabytes.

Beside each kind: the regular expression that such a mask is usually written as (it reads one
spelling, hides four digits of a phone, and passes on what it does not know). Beside each file: the
floor, the same file read and written by the same reader and writer without a mask. Times are those
of the processor.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

from acl_engine.domain.pack import Kind
from acl_engine.masking.mask import mask
from bench._table import Table, Target

TITLE = "Masks: by field, a million rows, gigabytes"
PROFILE = "label-gbt41833"
# What stands in real columns: several spellings, one in ten awkward.
VALUES = {
    Kind.PHONE: ["19012345678", "+86 190 1234 5679", "0755-28001234", "１９０１２３４５６７０"],
    Kind.NAME: ["张伟", "王小明", "欧阳修文", "买买提·艾力", "某某有限公司", "John Smith"],
    Kind.ID_NUMBER: ["110105209912310021", "44030619900101003X", "H12345678"],
    Kind.ADDRESS: ["广东省深圳市宝安区西乡街道臣田花园3栋1203", "沈阳市和平区南湖街道三好小区1号"],
    Kind.PLATE: ["粤B12345", "沪AD12345"],
    Kind.FREE_TEXT: ["放门口，联系老王 190 1234 5678", "易碎", "请打李小姐电话"],
}
_USUAL = {
    Kind.PHONE: (re.compile(r"(\d{3})\d{4}(\d{4})"), r"\1****\2"),
    Kind.NAME: (re.compile(r"^(.).*$"), r"\1**"),
    Kind.ID_NUMBER: (re.compile(r"(\d{6})\d{8}(\w{4})"), r"\1********\2"),
    Kind.ADDRESS: (re.compile(r"(.*?[区县]).*"), r"\1***"),
    Kind.PLATE: (re.compile(r"^(..).*"), r"\1*****"),
    Kind.FREE_TEXT: (re.compile(r"1\d{10}"), "***"),
}
HEADER = ["运单号", "姓名", "手机号", "身份证号", "收货地址", "备注", "城市"]


def rate(run: Callable[[str], object], values: list[str], seconds: float) -> float:
    """Values a second; every value is another, so that nothing is remembered."""
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for value in values:
            run(value)
        done += len(values)
    return done / spent


def varied(values: list[str]) -> list[str]:
    """A thousand values of these shapes, their digits turned on."""
    return [turned(value, at) for at, value in enumerate(islice(cycle(values), 1000))]


def turned(value: str, by: int) -> str:
    return re.sub(r"[0-9](?=[0-9]{0,3}\Z)", lambda found: str((int(found[0]) + by) % 10), value)


def by_field(seconds: float) -> Table:
    rows = []
    for kind, values in VALUES.items():
        many = varied(values)
        ours = rate(lambda value, kind=kind: mask(kind, value, (PROFILE,)), many, seconds)  # type: ignore[misc]
        pattern, put = _USUAL[kind]
        usual = rate(lambda value, pattern=pattern, put=put: pattern.sub(put, value), many, seconds)  # type: ignore[misc]
        rows.append([str(kind), f"{ours:,.0f}", f"{usual:,.0f}", f"{usual / ours:.1f}"])
    return Table(("field", "masks/s", "one regular expression/s", "times faster"), rows)


def write_rows(target: Path, rows: int | None, size: int | None) -> int:
    """A file of so many rows, or of so many bytes; how many rows it has."""
    columns = [varied(VALUES[k]) for k in (Kind.NAME, Kind.PHONE, Kind.ID_NUMBER, Kind.ADDRESS)]
    remarks = varied(VALUES[Kind.FREE_TEXT])
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(HEADER)
        while (rows is None or count < rows) and (size is None or file.tell() < size):
            for _ in range(1000):
                cells = [column[count % 1000 - count // 1000 % 7] for column in columns]
                write([f"SF{count:012}", *cells, remarks[count % 1000], "深圳市"])
                count += 1
    return count


# The same reader and writer in a process of its own, masked and not; it says seconds and MB.
_RUN = """
import resource, sys, time
from pathlib import Path
from acl_engine.cli.mask_file import mask_file
from acl_engine.cli.spreadsheets import reading, writing
what, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
start = time.process_time()
if what == "mask":
    mask_file(source, target, sys.argv[4], {}, force=True)
else:
    with reading(source, None, ",") as rows, writing(target) as write:
        for _, cells in rows:
            write(cells)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def in_a_process(what: str, source: Path, target: Path) -> tuple[float, float]:
    """Seconds, and megabytes at most."""
    command = [sys.executable, "-c", _RUN, what, str(source), str(target), PROFILE]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(said[0]), float(said[1])


def of_file(name: str, source: Path, count: int, target: Path) -> list[str]:
    floor, _ = in_a_process("copy", source, target)
    seconds, peak = in_a_process("mask", source, target)
    size = source.stat().st_size / 1e6
    return [
        name,
        f"{count:,}",
        f"{size:,.0f} MB",
        f"{seconds:,.1f} s",
        f"{count / seconds:,.0f}",
        f"{floor:,.1f} s",
        f"{seconds / floor:.1f}",
        f"{peak:.0f} MB",
    ]


def main(arguments: list[str]) -> Iterator[Table]:
    """The rates by field, then files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="a field (default: 1)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: 1,000,000)")
    parser.add_argument("--gigabytes", type=float, default=0, help="a large file besides (0: none)")
    parser.add_argument("--xlsx-rows", type=int, default=50_000, help="(default: 50,000; 0: none)")
    words = parser.parse_args(arguments)
    yield by_field(words.seconds)
    rows, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.csv"
        count = write_rows(source, words.rows, None)
        rows.append(of_file("CSV", source, count, target))
        if words.gigabytes:
            count = write_rows(source, None, int(words.gigabytes * 1e9))
            rows.append(of_file("CSV, large", source, count, target))
        if words.xlsx_rows:
            count = write_rows(source, words.xlsx_rows, None)
            book = Path(folder) / "in.xlsx"
            in_a_process("copy", source, book)
            rows.append(of_file("XLSX", book, count, Path(folder) / "out.xlsx"))
        peaks = [float(row[-1].split()[0]) for row in rows if row[0].startswith("CSV")]
    target_ = Target("a CSV file of any size in 200 MB", f"{max(peaks):.0f} MB", max(peaks) <= 200)
    head = ("file", "rows", "size", "masked in", "rows/s", "copied in", "times", "peak memory")
    yield Table(head, rows, targets=(target_,))
