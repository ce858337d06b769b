"""Findings on a pack that loads: what its author should look at again.

A load error stops a pack; these do not. `error` is a mask under the minimum that the pack states,
`warning` is probably wrong, `note` is worth knowing: rows that overlap join what they show, field
by field, and the person who signs the sheet should know.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from acl_engine.analysis import mask_reach
from acl_engine.analysis.findings import Finding, error_of, in_order
from acl_engine.analysis.rows import always, at, is_true, rows_of
from acl_engine.domain.errors import PolicyError, PolicyErrors, Where
from acl_engine.domain.pack import Kind, Pack, Row
from acl_engine.domain.text import Text
from acl_engine.masking.profiles import PROFILES, Profile
from acl_engine.policy.expression import names, parse
from acl_engine.policy.pack import load_pack
from acl_engine.policy.pack_checks import key_line

LEGACY = Text(
    "lint.legacy-mask",
    "行 `{row}` 的字段 `{field}` 用了被标记的脱敏方案 `{profile}`",
    "row `{row}` shows field `{field}` through the flagged mask profile `{profile}`",
    "换成 label-gbt41833、screen-strict 或 pickup（`acl mask list`）",
    "use label-gbt41833, screen-strict or pickup instead (`acl mask list`)",
)
JOIN = Text(
    "lint.mask-join",
    "角色 `{role}` 的字段 `{field}` 可经 `{one}` 与 `{other}` 拼接：前缀加后缀",
    "role `{role}` can join field `{field}` from `{one}` and `{other}`: a prefix beside a suffix",
    "同一角色的手机号只用后缀方案（`acl mask strength {one} {other}`）",
    "give one role suffix views only (`acl mask strength {one} {other}`)",
)
ANYONE = Text(
    "lint.anyone",
    "行 `{row}` 对角色 `{role}` 不设任何关系条件",
    "row `{row}` lets every `{role}` do this to every record: its relation is always true",
    "加上关系，如 in_custody 或 assigned",
    "name a relation, such as in_custody or assigned",
)
ANYONE_MASKED = Text(
    "lint.anyone-masked",
    "行 `{row}` 不设关系条件，但只显示脱敏字段",
    "row `{row}` has no relation, but shows masked fields only",
)
UNTIED = Text(
    "lint.no-record-tie",
    "行 `{row}` 的关系只看人，不看运单：对任何记录都成立",
    "row `{row}` asks about the person only, never the record: it holds for every record",
    "确认这是有意的，如入仓扫描；否则加上看记录的关系",
    "check that it is meant, as for an in-scan, else name a relation that reads the record",
)
NO_ROWS = Text(
    "lint.role-without-rows",
    "角色 `{role}` 没有任何允许行",
    "role `{role}` has no allow row",
    "若有意如此可忽略；待审批的权限见 pending.yaml",
    "fine where it is meant; rights by approval stand in pending.yaml",
)
OVERLAP = Text(
    "lint.overlap",
    "行 `{one}` 与 `{other}` 可同时适用，显示内容合并：{fields}",
    "rows `{one}` and `{other}` can both apply; what they show joins: {fields}",
)
NO_CONTROL = Text(
    "lint.relation-without-control",
    "关系 `{relation}` 没有指明控制措施",
    "relation `{relation}` names no control",
    "加上 `control:`，报告才能说明是谁挡住的",
    "add `control:`, so that a report can say what refused",
)
DENY_UNOWNED = Text(
    "lint.deny-without-control",
    "拒绝行 `{row}` 不属于任何控制措施",
    "deny row `{row}` belongs to no control",
    "在 controls.yaml 的 `rules:` 中列出它",
    "list it under `rules:` of a control in controls.yaml",
)
NO_OFF = Text(
    "lint.control-without-off",
    "控制措施 `{control}` 没有 `off`，回放无法检验它",
    "control `{control}` has no `off`, so replay cannot test it",
    "写明关闭它的数据改动",
    "say as data how replay switches it off",
)


def check(folder: Path) -> tuple[Finding, ...]:
    """Every finding on the pack in `folder`, worst first, then by place. Never raises for a pack.

    A pack that does not load has errors only: lints read what a loaded pack means.
    """
    try:
        found = list(lints(load_pack(folder)))
    except PolicyErrors as failure:
        found = [error_of(one) for one in failure.errors]
    except PolicyError as failure:
        found = [error_of(failure)]
    return in_order(found)


def lints(pack: Pack) -> Iterator[Finding]:
    """What to look at in a pack that loaded. Masks that join to too little are an error."""
    for row in pack.rows:
        yield from _row(pack, row)
    yield from _controls(pack)
    yield from _roles(pack)
    yield from _overlaps(pack)
    yield from (Finding("error", *found) for found in mask_reach.findings(pack))


def _row(pack: Pack, row: Row) -> Iterator[Finding]:
    for field, how in row.grants:
        if how in PROFILES and PROFILES[how].flag:
            found = LEGACY.of(row=row.id, field=field, profile=how)
            yield Finding("warning", found, at(pack, row))
    if not row.allow:
        if not any(row.id in control.rules for control in pack.controls.values()):
            yield Finding("warning", DENY_UNOWNED.of(row=row.id), at(pack, row))
    elif always(pack, row.relation):
        if row.grants and all(how != "clear" for _, how in row.grants):
            yield Finding("note", ANYONE_MASKED.of(row=row.id), at(pack, row))
        else:
            yield Finding("warning", ANYONE.of(row=row.id, role=row.role), at(pack, row))
    elif not _reads_record(pack, row):
        yield Finding("note", UNTIED.of(row=row.id), at(pack, row))


def _reads_record(pack: Pack, row: Row) -> bool:
    words = names(parse(row.relation, at(pack, row), relation=True))
    used = (pack.relations[word].expression for (word,) in words)
    return any(path[0] == "res" for one in used for path in names(parse(one, Where("-"))))


def _controls(pack: Pack) -> Iterator[Finding]:
    for name, spec in pack.relations.items():
        if spec.control is None and not is_true(spec.expression):
            file = "relations.yaml"
            where = Where(f"{pack.folder}/{file}", key_line(pack.files[file], name))
            yield Finding("warning", NO_CONTROL.of(relation=name), where)
    for name, control in pack.controls.items():
        if not control.off:
            file = "controls.yaml"
            where = Where(f"{pack.folder}/{file}", key_line(pack.files[file], name))
            yield Finding("warning", NO_OFF.of(control=name), where)


def _roles(pack: Pack) -> Iterator[Finding]:
    for role in pack.roles:
        rows = [row for row in rows_of(pack, role) if row.allow]
        if not rows:
            where = Where(f"{pack.folder}/roles.yaml", key_line(pack.files["roles.yaml"], role))
            yield Finding("note", NO_ROWS.of(role=role), where)
        yield from _joins(pack, role, rows)


def _joins(pack: Pack, role: str, rows: list[Row]) -> Iterator[Finding]:
    masks: dict[tuple[Kind, str], dict[str, Row]] = {}
    for row in rows:
        for field, how in row.grants:
            if how in PROFILES:
                kind = pack.resources[row.resource].fields[field].kind
                masks.setdefault((kind, field), {}).setdefault(how, row)
    for (kind, field), seen in masks.items():
        for one, other in combinations(sorted(seen), 2):
            if _widens(kind, PROFILES[one], PROFILES[other]):
                found = JOIN.of(role=role, field=field, one=one, other=other)
                yield Finding("warning", found, at(pack, seen[other]))


def _widens(kind: Kind, one: Profile, other: Profile) -> bool:
    """Whether the two views of one value join to more than either shows."""
    ends = {
        Kind.PHONE: lambda p: (p.phone_first, p.phone_last),
        Kind.ID_NUMBER: lambda p: (p.id_number.first, p.id_number.last),
    }.get(kind)
    if ends is None:
        return False
    joined = tuple(map(max, ends(one), ends(other)))
    return joined not in (ends(one), ends(other))


def _overlaps(pack: Pack) -> Iterator[Finding]:
    """Pairs of rows of one role whose fields join, one note a pair: it is meant, or it is not."""
    seen: set[tuple[str, str]] = set()
    for role in pack.roles:
        rows = [row for row in rows_of(pack, role) if row.allow and row.grants]
        for one, other in combinations(rows, 2):
            pair = (one.id, other.id)
            if pair in seen or not _meet(one, other):
                continue
            seen.add(pair)
            fields = ", ".join(sorted({field for field, _ in one.grants + other.grants}))
            found = OVERLAP.of(one=one.id, other=other.id, fields=fields)
            yield Finding("note", found, at(pack, other))


def _meet(one: Row, other: Row) -> bool:
    if (one.resource, one.action) != (other.resource, other.action):
        return False
    return not one.stages or not other.stages or bool({*one.stages} & {*other.stages})
