"""The two casbin files of a pack: the model, which must be the one shape, and the rows."""

from collections.abc import Callable, Iterator
from functools import partial

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Row
from acl_engine.domain.text import Text
from acl_engine.policy.expression import parse
from acl_engine.policy.file_lines import unlike_casbin
from acl_engine.policy.places import cell_column

# Relations and stages are named; both functions are registered with stock casbin too.
MODEL = {
    ("request_definition", "r"): "sub, res, act",
    ("policy_definition", "p"): "id, role, res, act, relation, stages, grant, eft",
    ("role_definition", "g"): "_, _",
    ("policy_effect", "e"): "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    ("matchers", "m"): "g(r.sub.role, p.role) && r.res.type == p.res && r.act == p.act"
    " && related(r.sub, r.res, p.relation) && staged(r.res, p.stages)",
}
COLUMNS = ("id", "role", "res", "act", "relation", "stages", "grant", "eft")

MODEL_SHAPE = Text(
    "pack.model",
    "模型的 `{section}` 必须是 `{expected}`",
    "the model's `{section}` must be `{expected}`",
    "策略目录的模型是固定的；要改的是 policy.csv",
    "a pack's model is fixed; what changes is policy.csv",
)
LINE_TYPE = Text(
    "pack.line-type",
    "行类型 `{found}` 不认识",
    "line type `{found}` is not known",
    "每行以 `p` 或 `g` 开头",
    "each line starts with `p` or `g`",
)
ROW_LENGTH = Text(
    "pack.row-length",
    "`{kind}` 行有 {found} 列，应有 {expected} 列",
    "a `{kind}` row has {found} columns, expected {expected}",
    "列：{columns}",
    "columns: {columns}",
)
EFFECT = Text(
    "pack.effect",
    "结果 `{found}` 必须是 `allow` 或 `deny`",
    "effect `{found}` must be `allow` or `deny`",
    "区分大小写",
    "case matters",
)
GRANT = Text(
    "pack.grant",
    "字段授权 `{found}` 读不懂",
    "the grant `{found}` cannot be read",
    "写作 `字段=clear` 或 `字段=mask:方案`，以空格分隔；没有则写 `none`",
    "write `field=clear` or `field=mask:profile`, separated by spaces, or `none`",
)
EMPTY = Text("pack.empty", "策略没有任何一行", "the policy has no row", "至少一行", "add a row")


def read_model(text: str, file: str, findings: list[PolicyError]) -> None:
    """Check that the model is the pack shape; the matcher is compared as a tree."""
    if hidden := unlike_casbin(text, text.splitlines(), file):
        findings.append(hidden)
    found: dict[tuple[str, str], tuple[str, Where]] = {}
    for section, key, value, where in _sections(text, file):
        if (section, key) in found:
            twice = MODEL_SHAPE.of(section=f"{section}.{key}", expected="one line")
            findings.append(PolicyError(twice, where))
        found[section, key] = (value, where)
    for (section, key), expected in MODEL.items():
        value, where = found.get((section, key), ("", Where(file)))
        if section == "matchers":
            same = _same_tree(value, expected, where, findings)
        else:
            same = "".join(value.split()) == "".join(expected.split())
        if not same:
            findings.append(PolicyError(MODEL_SHAPE.of(section=section, expected=expected), where))
    for (section, key), (_, where) in found.items():
        if (section, key) not in MODEL:
            unknown = MODEL_SHAPE.of(section=f"{section}.{key}", expected="-")
            findings.append(PolicyError(unknown, where))


def _same_tree(value: str, expected: str, where: Where, findings: list[PolicyError]) -> bool:
    try:
        return bool(value) and parse(value, where) == parse(expected, where)
    except PolicyError as finding:
        findings.append(finding)
        return False


def _sections(text: str, file: str) -> Iterator[tuple[str, str, str, Where]]:
    """Section, key, value and place of the value, line by line."""
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, _, value = line.partition("=")
        column = raw.find(value.strip(), raw.find("=") + 1) + 1
        yield section, key.strip(), value.strip(), Where(file, number, column)


def read_rows(
    text: str, file: str, findings: list[PolicyError]
) -> tuple[tuple[Row, ...], tuple[tuple[str, str], ...]]:
    """The `p` rows and the `g` links, in file order. What is wrong goes to `findings`."""
    rows: list[Row] = []
    links: list[tuple[str, str]] = []
    lines = text.splitlines()
    if hidden := unlike_casbin(text, lines, file):
        findings.append(hidden)
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        kind, *cells = (cell.strip() for cell in line.split(","))
        at = partial(_in_line, file, number, raw)
        if kind not in ("p", "g"):
            findings.append(PolicyError(LINE_TYPE.of(found=kind), at(0)))
            continue
        expected = COLUMNS if kind == "p" else ("role", "group")
        if len(cells) != len(expected) or not all(cells):
            short = ROW_LENGTH.of(
                kind=kind,
                found=len([cell for cell in cells if cell]),
                expected=len(expected),
                columns=", ".join(expected),
            )
            empty = cells.index("") if "" in cells else len(expected)
            findings.append(PolicyError(short, at(min(empty, len(expected)) + 1)))
        elif kind == "g":
            links.append((cells[0], cells[1]))
        elif row := _row(cells, number, at, findings):
            rows.append(row)
    if not rows:
        findings.append(PolicyError(EMPTY.of(), Where(file)))
    return tuple(rows), tuple(links)


def _in_line(file: str, number: int, raw: str, cell: int) -> Where:
    return Where(file, number, cell_column(raw, cell))


def _row(
    cells: list[str], line: int, at: Callable[[int], Where], findings: list[PolicyError]
) -> Row | None:
    id_, role, resource, action, relation, stages, grant, effect = cells
    if effect not in ("allow", "deny"):
        findings.append(PolicyError(EFFECT.of(found=effect), at(8)))
        return None
    grants = _grants(grant)
    if grants is None:
        findings.append(PolicyError(GRANT.of(found=grant), at(7)))
        return None
    return Row(
        id=id_,
        role=role,
        resource=resource,
        action=action,
        relation=relation,
        stages=() if stages == "any" else tuple(stages.split("|")),
        grants=grants,
        allow=effect == "allow",
        line=line,
    )


def _grants(text: str) -> tuple[tuple[str, str], ...] | None:
    if text == "none":
        return ()
    found: dict[str, str] = {}
    for part in text.split():
        field, _, how = part.partition("=")
        profile = how.removeprefix("mask:")
        if not field or not profile or field in found or (how == profile and how != "clear"):
            return None
        found[field] = profile
    return tuple(found.items())
