"""The strict reader of a casbin `model.conf`: sections, definitions, effects, matchers as trees.

INVARIANTS
- A section, a key or an effect that is not known is refused by name; nothing is skipped.
- A matcher is parsed as written; comments and operators inside a literal are part of the literal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text
from acl_engine.policy.expression import Expr, names, parse
from acl_engine.policy.file_lines import unlike_casbin
from acl_engine.policy.findings import Findings
from acl_engine.policy.places import cell_column

SECTIONS = {
    "request_definition": "r",
    "policy_definition": "p",
    "role_definition": "g",
    "policy_effect": "e",
    "matchers": "m",
}

UNKNOWN_SECTION = Text(
    "model.section",
    "模型段 `{found}` 不认识",
    "model section `{found}` is not known",
    "可用：{known}",
    "known: {known}",
)
UNKNOWN_KEY = Text(
    "model.key",
    "段 `{section}` 里不能有键 `{found}`",
    "section `{section}` cannot hold the key `{found}`",
    "键写作 `{key}`、`{key}2`、`{key}3`……",
    "keys are `{key}`, `{key}2`, `{key}3`, ...",
)
NOT_A_PAIR = Text(
    "model.pair", "这一行不是 `键 = 值`", "the line is not `key = value`", "改写", "rewrite it"
)
TWICE = Text(
    "model.twice",
    "键 `{key}` 出现两次",
    "the key `{key}` stands twice",
    "删去一个，或改名为 `{key}2`",
    "take one out, or name it `{key}2`",
)
MISSING = Text(
    "model.missing",
    "模型缺少 `{key}`",
    "the model has no `{key}`",
    "需要 r、p、e、m 各一",
    "r, p, e and m are needed",
)
BAD_FIELD = Text(
    "model.field",
    "字段 `{field}` 不是一个名字，或出现两次",
    "the field `{field}` is not a name, or stands twice",
    "字段写作字母、数字与下划线，以逗号隔开",
    "fields are letters, digits and underscores, separated by commas",
)
EFFECT = Text(
    "model.effect",
    "效果 `{found}` 不在五种之内",
    "the effect `{found}` is none of the five",
    "例如 some(where (p.eft == allow))",
    "for example some(where (p.eft == allow))",
)
SECOND_EFFECT = Text(
    "model.second-effect",
    "`{key}` 与 `e` 不同：casbin 只读 `e`",
    "`{key}` differs from `e`: casbin reads `e` alone",
    "写成相同，或拆成两个模型",
    "make them the same, or split the model",
)
DEFAULT_ALLOW = Text(
    "model.default-allow",
    "此效果在没有任何一行匹配时允许",
    "this effect allows when no row matches",
    "加上 some(where (p.eft == allow)) &&",
    "add some(where (p.eft == allow)) &&",
)
ROLE_SHAPE = Text(
    "model.role",
    "角色定义 `{found}` 不支持",
    "the role definition `{found}` is not read",
    "写作 `_, _` 或 `_, _, _`；带条件的角色不支持",
    "write `_, _` or `_, _, _`; conditional roles are not read",
)
MIXED = Text(
    "model.mixed",
    "匹配式 `{key}` 引用了多个 {what}：{found}",
    "matcher `{key}` reads several {what}: {found}",
    "一个匹配式只读一种请求、一种策略",
    "one matcher reads one request and one policy definition",
)


class Effect(Enum):
    """The five effects of casbin, by what decides when several rows match."""

    ALLOW_OVERRIDE = "some(where(p.eft==allow))"
    DENY_OVERRIDE = "!some(where(p.eft==deny))"
    ALLOW_AND_DENY = "some(where(p.eft==allow))&&!some(where(p.eft==deny))"
    PRIORITY = "priority(p.eft)||deny"
    SUBJECT_PRIORITY = "subjectPriority(p.eft)||deny"


@dataclass(frozen=True, slots=True)
class Matcher:
    """`request` and `policy` name the definitions that the tree reads (r, p2, ...)."""

    name: str
    tree: Expr
    request: str
    policy: str
    where: Where
    pieces: tuple[tuple[int, int, int], ...] = ()

    def place(self, column: int) -> Where:
        """Where the tree's column (from 1) stands in the file."""
        return _Entry("", self.pieces).place(self.where.file, column - 1)


@dataclass(frozen=True, slots=True)
class Model:
    """Definitions by name; `roles` holds the number of columns of each g."""

    requests: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, int]
    effect: Effect
    matchers: Mapping[str, Matcher]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A value and the pieces it was written in: (offset in the value, line, column), in order."""

    value: str
    pieces: tuple[tuple[int, int, int], ...]

    def place(self, file: str, offset: int = 0) -> Where:
        """Where the character at an offset of the value stands in the file."""
        start, line, column = next(one for one in reversed(self.pieces) if one[0] <= offset)
        return Where(file, line, column + offset - start)


_Entries = dict[str, _Entry]
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_model(text: str, file: str, findings: Findings) -> Model:
    """The model in `text`. Findings are collected; raises PolicyErrors at once only where the rows
    of a policy could not be read without what is missing."""
    if hidden := unlike_casbin(text, text.splitlines(), file):
        findings.refused.append(hidden)
    entries = _entries(text, file, findings)
    for key in "rpem":
        if key not in entries:
            findings.refuse(MISSING.of(key=key), Where(file))
    if "r" not in entries or "p" not in entries:
        findings.settle()
    kinds = {kind: {k: v for k, v in entries.items() if k[0] == kind} for kind in "rpgem"}
    requests = {k: _fields(v, file, findings) for k, v in kinds["r"].items()}
    policies = {k: _fields(v, file, findings) for k, v in kinds["p"].items()}
    roles = {k: _arity(v, file, findings) for k, v in kinds["g"].items()}
    effect = _effect(kinds["e"], file, findings)
    matchers: dict[str, Matcher] = {}
    for key, entry in kinds["m"].items():
        try:
            matchers[key] = _matcher(key, entry, file, requests, policies)
        except PolicyError as finding:
            findings.refused.append(finding)
    return Model(requests, policies, roles, effect or Effect.ALLOW_AND_DENY, matchers)


def _entries(text: str, file: str, findings: Findings) -> _Entries:
    found: _Entries = {}
    section = ""
    for line, pieces in _logical_lines(text):
        where = Where(file, pieces[0][1], pieces[0][2])
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            if section not in SECTIONS:
                known = ", ".join(SECTIONS)
                findings.refuse(UNKNOWN_SECTION.of(found=section, known=known), where)
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        letter = SECTIONS.get(section, "")
        if not equals or not value:
            findings.refuse(NOT_A_PAIR.of(), where)
        elif letter and not re.fullmatch(f"{letter}(?:[2-9]|[1-9][0-9])?", key):
            findings.refuse(UNKNOWN_KEY.of(section=section, found=key, key=letter), where)
        elif key in found:
            findings.refuse(TWICE.of(key=key), where)
        elif letter:
            start = line.index(value, line.index("=") + 1)
            found[key] = _Entry(value, _moved(pieces, start))
    return found


_Pieces = tuple[tuple[int, int, int], ...]


def _logical_lines(text: str) -> list[tuple[str, _Pieces]]:
    """Lines without comments; a backslash at the end joins the next line."""
    lines: list[tuple[str, _Pieces]] = []
    pending, pieces = "", ()  # type: tuple[str, _Pieces]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        pieces += ((len(pending), number, raw.index(line) + 1),)
        if line.endswith("\\"):
            pending += line[:-1].strip() + " "
            continue
        lines.append((pending + line, pieces))
        pending, pieces = "", ()
    if pending:
        lines.append((pending.strip(), pieces))
    return lines


def _moved(pieces: _Pieces, start: int) -> _Pieces:
    """The pieces of a line, seen from the character at `start`."""
    before = [one for one in pieces if one[0] <= start]
    offset, line, column = before[-1]
    first = (0, line, column + start - offset)
    return (first, *((at - start, n, c) for at, n, c in pieces if at > start))


def _fields(entry: _Entry, file: str, findings: Findings) -> tuple[str, ...]:
    fields = tuple(part.strip() for part in entry.value.split(","))
    for at, name in enumerate(fields):
        if not _FIELD.fullmatch(name) or name in fields[:at]:
            offset = cell_column(entry.value, at) - 1
            findings.refuse(BAD_FIELD.of(field=name), entry.place(file, offset))
    return fields


def _arity(entry: _Entry, file: str, findings: Findings) -> int:
    shape = "".join(entry.value.split())
    if shape not in ("_,_", "_,_,_"):
        findings.refuse(ROLE_SHAPE.of(found=entry.value), entry.place(file))
        return 2
    return shape.count("_")


def _effect(entries: _Entries, file: str, findings: Findings) -> Effect | None:
    known = {effect.value: effect for effect in Effect}
    first = known.get(_squeezed(entries["e"].value)) if "e" in entries else None
    for key, entry in entries.items():
        found = known.get(_squeezed(entry.value))
        if found is None:
            findings.refuse(EFFECT.of(found=entry.value), entry.place(file))
        elif found is not first:
            findings.doubt(SECOND_EFFECT.of(key=key), entry.place(file))
    if first is Effect.DENY_OVERRIDE:
        findings.warn(DEFAULT_ALLOW.of(), entries["e"].place(file))
    return first


def _squeezed(effect: str) -> str:
    return re.sub(r"\bp[._]eft\b", "p.eft", "".join(effect.partition("#")[0].split()))


def _matcher(
    key: str,
    entry: _Entry,
    file: str,
    requests: Mapping[str, tuple[str, ...]],
    policies: Mapping[str, tuple[str, ...]],
) -> Matcher:
    where = entry.place(file)
    try:
        tree = parse(_uncommented(entry.value), Where(file, where.line))
    except PolicyError as finding:
        column = finding.where.column if finding.where else 0
        raise PolicyError(finding.message, entry.place(file, max(column - 1, 0))) from None
    roots = {path[0] for path in names(tree)}
    suffix = key[1:]
    chosen: list[str] = []
    for kind, defined, what in (("r", requests, "requests"), ("p", policies, "policies")):
        read = sorted(roots & set(defined))
        if len(read) > 1:
            raise PolicyError(MIXED.of(key=key, what=what, found=", ".join(read)), where)
        own = kind + suffix
        chosen.append(read[0] if read else (own if own in defined else kind))
    return Matcher(key, tree, chosen[0], chosen[1], where, entry.pieces)


def _uncommented(value: str) -> str:
    """Up to the first `#` that stands outside of a literal."""
    quote = ""
    for at, character in enumerate(value):
        if quote:
            quote = "" if character == quote and value[at - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return value[:at]
    return value
