"""A list in a file as records: the same line then judges and masks it as it does the store's.

INVARIANTS
- Every column is a field of the catalogue, or is dropped by name; nothing is passed on by position.
- A number of a row or a parcel is no name, phone or identity number: it is shown in clear.
- What is said of the whole list (its id, its stage) comes from the selection, which the second
  person agrees to together with the digest of the content.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Value
from acl_engine.domain.pack import Kind, ResourceSpec
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Request
from acl_engine.domain.scope import Scope
from acl_engine.domain.text import Text
from acl_engine.masking.code import parse_code
from acl_engine.masking.shape import clean
from acl_engine.masking.suspect import holds_number
from acl_engine.masking.table import WRONG_WIDTH, check_header

UNKNOWN_COLUMN = Text(
    "listed.unknown-column",
    "列 `{column}` 不在目录中",
    "column `{column}` is no field of the catalogue",
    "用 --column 表头=字段 指明，或用 --drop 表头 去掉；字段：{known}",
    "say what it is (--column HEADER=FIELD) or leave it out (--drop HEADER); fields: {known}",
)
TWO_COLUMNS = Text(
    "listed.two-columns",
    "两列都是字段 `{field}`",
    "two columns are field `{field}`",
    "用 --drop 去掉一列",
    "leave one out with --drop",
)
MISSING = Text(
    "listed.no-such-column",
    "清单中没有列 `{column}`",
    "the list has no column `{column}`",
    "检查 --column 与 --drop 的写法",
    "check what --column and --drop name",
)
TWICE = Text(
    "listed.twice",
    "第 {row} 行的编号与前面重复",
    "row {row} has the number of an earlier row",
    "每行的编号必须不同",
    "give every row a number of its own",
)
NOT_A_CODE = Text(
    "listed.not-a-code",
    "第 {row} 行的 `{field}` 不是编号（或像电话、证件号码）",
    "`{field}` in row {row} is no code, or looks like a phone or identity number",
    "检查列是否错位",
    "check whether the columns have slipped",
)


class ListedRecords:
    """Implements `releasing.Listed` over rows that were read. Make it with `of`."""

    def __init__(self, resource: str, rows: Sequence[tuple[str, Mapping[str, str]]], digest: str):
        self._resource, self._rows, self.digest = resource, rows, digest

    @classmethod
    def of(
        cls,
        resource: ResourceSpec,
        table: Sequence[Sequence[str]],
        columns: Mapping[str, str],
        dropped: Collection[str],
    ) -> "ListedRecords":
        """The rows of a table whose first row is its header. `columns`: header -> field.

        A header may be a field's name or its Chinese or English title. Where none is the key, rows
        are numbered. Raises InputError with the row.
        """
        names = [clean(name) for name in table[0]]
        check_header(names, table[0])
        fields = _fields(resource, names, columns, dropped)
        rows, seen = list[tuple[str, Mapping[str, str]]](), set[str]()
        for number, cells in enumerate(table[1:], 2):
            if not any(cells):
                continue
            if len(cells) != len(names):
                found, wanted = len(cells), len(names)
                raise InputError(WRONG_WIDTH.of(row=number, found=found, wanted=wanted))
            values = {f: clean(v) for f, v in zip(fields, cells, strict=True) if f and v}
            for field, value in values.items():
                if resource.fields[field].kind is Kind.CODE and not _is_code(value):
                    raise InputError(NOT_A_CODE.of(row=number, field=field))
            key = values.setdefault(resource.key, str(len(rows) + 1))
            if key in seen:
                raise InputError(TWICE.of(row=number))
            seen.add(key)
            rows.append((key, values))
        text = json.dumps([names, fields, [dict(values) for _, values in rows]], sort_keys=True)
        return cls(resource.type, rows, hashlib.sha256(text.encode()).hexdigest())

    def find(self, request: Request, scope: Scope) -> Sequence[PersonalRecord]:
        """The first `request.limit` rows, with the selection's facts. The scope is not looked at:
        the line judges every row again."""
        facts: dict[str, Value] = {"type": self._resource, **dict(request.by)}
        return [
            PersonalRecord(self._resource, key, facts, values)
            for key, values in self._rows[: request.limit]
        ]


def _is_code(value: str) -> bool:
    return parse_code(value) is not None and not holds_number(value)


def _fields(
    resource: ResourceSpec,
    names: Sequence[str],
    columns: Mapping[str, str],
    dropped: Collection[str],
) -> list[str | None]:
    """What each column is; None is left out."""
    titles = {title: f.name for f in resource.fields.values() for title in (f.name, f.zh, f.en)}
    said = {clean(name): field for name, field in columns.items()}
    out = {clean(name) for name in dropped}
    for name in (*said, *out):
        if name not in names:
            raise InputError(MISSING.of(column=name))
    known = ", ".join(resource.fields)
    found: list[str | None] = []
    for name in names:
        field = None if name in out else said.get(name, titles.get(name, ""))
        if field is not None and field not in resource.fields:
            raise InputError(UNKNOWN_COLUMN.of(column=name, known=known))
        if field is not None and field in found:
            raise InputError(TWO_COLUMNS.of(field=field))
        found.append(field)
    return found
