"""The two casbin files of a pack: the model, which must be the one shape, and the rows."""

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Row
from acl_engine.domain.text import Text
from acl_engine.policy.expression import parse

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
    found = _sections(text)
    for (section, key), expected in MODEL.items():
        value, line = found.get((section, key), ("", 0))
        where = Where(file, line)
        if section == "matchers":
            same = _same_tree(value, expected, where, findings)
        else:
            same = "".join(value.split()) == "".join(expected.split())
        if not same:
            findings.append(PolicyError(MODEL_SHAPE.of(section=section, expected=expected), where))
    for (section, key), (_, line) in found.items():
        if (section, key) not in MODEL:
            unknown = MODEL_SHAPE.of(section=f"{section}.{key}", expected="-")
            findings.append(PolicyError(unknown, Where(file, line)))


def _same_tree(value: str, expected: str, where: Where, findings: list[PolicyError]) -> bool:
    try:
        return bool(value) and parse(value, where) == parse(expected, where)
    except PolicyError as finding:
        findings.append(finding)
        return False


def _sections(text: str) -> dict[tuple[str, str], tuple[str, int]]:
    found: dict[tuple[str, str], tuple[str, int]] = {}
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, _, value = line.partition("=")
        found[section, key.strip()] = (value.strip(), number)
    return found


def read_rows(
    text: str, file: str, findings: list[PolicyError]
) -> tuple[tuple[Row, ...], tuple[tuple[str, str], ...]]:
    """The `p` rows and the `g` links, in file order. What is wrong goes to `findings`."""
    rows: list[Row] = []
    links: list[tuple[str, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        kind, *cells = (cell.strip() for cell in line.split(","))
        where = Where(file, number)
        if kind not in ("p", "g"):
            findings.append(PolicyError(LINE_TYPE.of(found=kind), where))
            continue
        expected = COLUMNS if kind == "p" else ("role", "group")
        if len(cells) != len(expected) or not all(cells):
            short = ROW_LENGTH.of(
                kind=kind,
                found=len([cell for cell in cells if cell]),
                expected=len(expected),
                columns=", ".join(expected),
            )
            findings.append(PolicyError(short, where))
        elif kind == "g":
            links.append((cells[0], cells[1]))
        elif row := _row(cells, where, findings):
            rows.append(row)
    if not rows:
        findings.append(PolicyError(EMPTY.of(), Where(file)))
    return tuple(rows), tuple(links)


def _row(cells: list[str], where: Where, findings: list[PolicyError]) -> Row | None:
    id_, role, resource, action, relation, stages, grant, effect = cells
    if effect not in ("allow", "deny"):
        findings.append(PolicyError(EFFECT.of(found=effect), where))
        return None
    grants = _grants(grant)
    if grants is None:
        findings.append(PolicyError(GRANT.of(found=grant), where))
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
        line=where.line,
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
