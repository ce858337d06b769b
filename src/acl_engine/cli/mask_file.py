"""Masking a spreadsheet by a profile: read, mask, write, row by row; and the report."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from acl_engine.cli.spreadsheets import Advance, reading, writing
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
EMPTY = Text("file-empty", "文件为空", "the file is empty", "需要表头行", "a header row is needed")


def mask_file(
    source: Path,
    target: Path | None,
    profile: str,
    declared: Mapping[str, str],
    *,
    city: str | None = None,
    encoding: str | None = None,
    delimiter: str = ",",
    force: bool = False,
    advance: Advance = lambda done: None,
) -> TableMask:
    """Mask `source` into `target`; returns the columns with their counts. All or nothing.

    Without a target nothing is written: the report alone. `advance` is told how many bytes (CSV)
    or rows (XLSX) are done. Raises InputError.
    """
    if target is not None:
        _refuse_overwriting(source, target, force=force)
    try:
        with reading(source, encoding, delimiter, advance) as rows, _writing(target) as write:
            table: TableMask | None = None
            for number, cells in rows:
                if table is None:
                    table = TableMask.of(cells, declared, profile, city)
                    write([column.name for column in table.columns])
                elif any(cells):
                    write(table.row(cells, number))
            if table is None:
                raise InputError(EMPTY.of())
            return table
    except InputError as error:
        raise InputError(error.message, error.where or Where(str(source))) from None


def _refuse_overwriting(source: Path, target: Path, *, force: bool) -> None:
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(SAME_FILE.of(), Where(str(target)))
    if target.exists() and not force:
        raise InputError(EXISTS.of(), Where(str(target)))


@contextmanager
def _writing(target: Path | None) -> Iterator[Callable[[Sequence[str]], object]]:
    if target is None:
        yield lambda cells: None
        return
    with writing(target) as write:
        yield write


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
