"""The strict reader of a casbin `policy.csv`: one pass, every finding with its line.

INVARIANTS
- No line is skipped but blanks and comments; a row has exactly the columns of its definition.
- An effect is `allow` or `deny`; a priority is an integer.
- Rows stand in the order in which they are to be read: by subject, then by priority, then by line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from acl_engine.domain.errors import Where
from acl_engine.domain.text import Text
from acl_engine.policy.casbin_model import Effect, Model
from acl_engine.policy.file_lines import unlike_casbin
from acl_engine.policy.findings import Findings
from acl_engine.policy.places import cell_column
from acl_engine.policy.role_links import levels

MAX_ROWS = 5_000_000

LINE_TYPE = Text(
    "rows.line-type",
    "行类型 `{found}` 不认识",
    "line type `{found}` is not known",
    "模型定义了：{known}",
    "the model defines: {known}",
)
COLUMNS = Text(
    "rows.columns",
    "`{kind}` 行有 {found} 列，应有 {expected} 列",
    "a `{kind}` row has {found} columns, expected {expected}",
    "列：{columns}",
    "columns: {columns}",
)
EMPTY_CELL = Text(
    "rows.empty-cell",
    "第 {column} 列是空的",
    "column {column} is empty",
    "空值会与空的请求匹配",
    "an empty value matches an empty request",
)
BAD_EFFECT = Text(
    "rows.effect",
    "结果 `{found}` 必须是 `allow` 或 `deny`",
    "effect `{found}` must be `allow` or `deny`",
    "区分大小写",
    "case matters",
)
BAD_PRIORITY = Text(
    "rows.priority",
    "优先级 `{found}` 不是非负整数",
    "priority `{found}` is not a non-negative integer",
    "数小者优先",
    "the smaller number comes first",
)
EMPTY = Text(
    "rows.empty",
    "策略没有任何 `{kind}` 行",
    "the policy has no `{kind}` row",
    "casbin 会把空策略当作一行空值",
    "casbin reads an empty policy as one row of empty values",
)
UNBALANCED = Text(
    "rows.brackets",
    "括号不配对",
    "the brackets do not balance",
    "补上或删去一个括号",
    "add or remove a bracket",
)
TOO_MANY = Text(
    "rows.too-many",
    "超过 {limit} 行",
    "more than {limit} rows",
    "用角色代替逐人的行",
    "use roles instead of a row for each person",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows by p-type in reading order, `lines` beside them; links by g-type, in file order.

    `text` is the file, for the columns of what is found in it.
    """

    file: str
    rows: Mapping[str, list[tuple[str, ...]]]
    lines: Mapping[str, list[int]]
    links: Mapping[str, list[tuple[str, ...]]]
    text: list[str]

    def place(self, line: int, column: int) -> Where:
        """The place of a row's column; the line's type stands before column 0."""
        return Where(self.file, line, cell_column(self.text[line - 1], column + 1))


_BRACKETS = re.compile(r"[\[\]()]")


class _Words(dict[str, str]):
    """A cell as written -> its word, one object for each; `empty`: whether one was empty."""

    empty = False

    def __missing__(self, cell: str) -> str:
        word = cell.strip()
        self.empty = self.empty or not word
        self[cell] = found = self.setdefault(word, word)
        return found


def read_policy(text: str, file: str, model: Model, findings: Findings) -> Policy:
    """The rows of `text`. Findings are collected, not raised."""
    widths = {k: len(v) for k, v in model.policies.items()} | dict(model.roles)
    found: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in widths}
    lines: dict[str, list[int]] = {kind: [] for kind in widths}
    raw_lines = text.splitlines()
    if hidden := unlike_casbin(text, raw_lines, file):
        findings.refused.append(hidden)
    if len(raw_lines) > MAX_ROWS:
        findings.refuse(TOO_MANY.of(limit=MAX_ROWS), Where(file))
        return Policy(file, {}, {}, {}, raw_lines)
    words = _Words()
    bracketed = _BRACKETS.search(text) is not None
    for number, raw in enumerate(raw_lines, 1):
        split = raw.split(",")
        if bracketed and _BRACKETS.search(raw) and not raw.lstrip().startswith("#"):
            outside = _split(raw)
            if outside is None:
                findings.refuse(UNBALANCED.of(), Where(file, number, _unbalanced(raw)))
                continue
            split = outside
        cells = [words[cell] for cell in split]
        kind = cells[0]
        if widths.get(kind) != len(cells) - 1:
            if raw.strip() and kind[:1] != "#":
                _misfit(cells, model, raw, Where(file, number), findings)
            continue
        found[kind].append(tuple(cells[1:]))
        lines[kind].append(number)
        if words.empty and "" in cells:
            at = cells.index("")
            place = Where(file, number, cell_column(raw, at))
            findings.doubt(EMPTY_CELL.of(column=at + 1), place)
    policy = Policy(
        file,
        {kind: found[kind] for kind in model.policies},
        lines,
        {kind: found[kind] for kind in model.roles},
        raw_lines,
    )
    return _ordered(_checked(policy, model, findings), model, findings)


def _split(line: str) -> list[str] | None:
    """Cells at the commas outside of brackets, as casbin splits; None if unbalanced."""
    cells: list[str] = []
    depth = start = 0
    for at, character in enumerate(line):
        if character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
            if depth < 0:
                return None
        elif character == "," and depth == 0:
            cells.append(line[start:at])
            start = at + 1
    return None if depth else [*cells, line[start:]]


def _unbalanced(raw: str) -> int:
    """The column of the bracket that has no other."""
    open_ones: list[int] = []
    for at, character in enumerate(raw, 1):
        if character in "[(":
            open_ones.append(at)
        elif character in "])":
            if not open_ones:
                return at
            open_ones.pop()
    return open_ones[0] if open_ones else 1


def _misfit(cells: list[str], model: Model, raw: str, where: Where, findings: Findings) -> None:
    """A line of an unknown type, or with too few or too many cells."""
    kind = cells[0]
    if kind not in model.policies and kind not in model.roles:
        known = ", ".join([*model.policies, *model.roles])
        place = Where(where.file, where.line, cell_column(raw, 0))
        findings.refuse(LINE_TYPE.of(found=kind, known=known), place)
        return
    columns = model.policies.get(kind) or ("_",) * model.roles[kind]
    message = COLUMNS.of(
        kind=kind, found=len(cells) - 1, expected=len(columns), columns=", ".join(columns)
    )
    # The first cell too many, or the end of the line where one is missing.
    column = cell_column(raw, len(columns) + 1)
    findings.refuse(message, Where(where.file, where.line, column))


def _checked(policy: Policy, model: Model, findings: Findings) -> Policy:
    for kind, fields in model.policies.items():
        rows, lines = policy.rows[kind], policy.lines[kind]
        if (
            not rows
            and not findings.refused
            and any(matcher.policy == kind for matcher in model.matchers.values())
        ):
            findings.doubt(EMPTY.of(kind=kind), Where(policy.file))
        if "eft" in fields:
            at = fields.index("eft")
            for row, line in zip(rows, lines, strict=True):
                if row[at] != "allow" and row[at] != "deny":
                    findings.doubt(BAD_EFFECT.of(found=row[at]), policy.place(line, at))
        if "priority" in fields:
            at = fields.index("priority")
            for row, line in zip(rows, lines, strict=True):
                if not (row[at].isascii() and row[at].isdigit()):
                    findings.refuse(BAD_PRIORITY.of(found=row[at]), policy.place(line, at))
    return policy


def _ordered(policy: Policy, model: Model, findings: Findings) -> Policy:
    """Sorted as casbin sorts at load, and stable: equal rows keep the order of the file."""
    if findings.refused:
        return policy
    hierarchy: Mapping[tuple[str, str], int] = {}
    if model.effect is Effect.SUBJECT_PRIORITY:
        hierarchy = levels(policy.links.get("g", []))
    rows: dict[str, list[tuple[str, ...]]] = {}
    lines: dict[str, list[int]] = dict(policy.lines)
    for kind, fields in model.policies.items():
        own = policy.rows[kind]
        order = list(range(len(own)))
        if model.effect is Effect.SUBJECT_PRIORITY:
            domain = fields.index("dom") if "dom" in fields else None
            order.sort(
                key=lambda i: hierarchy.get(
                    ("" if domain is None else own[i][domain], own[i][0]),
                    0,
                )
            )
        if "priority" in fields:
            at = fields.index("priority")
            order.sort(key=lambda i: int(own[i][at]))
        rows[kind] = [own[i] for i in order]
        lines[kind] = [policy.lines[kind][i] for i in order]
    return Policy(policy.file, rows, lines, policy.links, policy.text)
