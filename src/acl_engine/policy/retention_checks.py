"""Checks of a pack's retention: that it leads somewhere, and that nobody reads what is put away."""

from collections.abc import Iterator

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Pack, ResourceSpec, RetentionRule
from acl_engine.domain.text import Text
from acl_engine.policy.pack_row_checks import in_row, unknown

FILE = "resources.yaml"
NO_TIME = Text(
    "pack.retention-no-time",
    "`{resource}` 的保存期限以 `{name}` 起算，但它不是整数时间属性",
    "retention of `{resource}` counts from `{name}`, which is no time attribute (int)",
    "写一个 int 类型的时间属性，如 `delivered_at`",
    "name a time attribute of type int, such as `delivered_at`",
)
NO_DAYS = Text(
    "pack.retention-days",
    "`{resource}` 的保存天数须为 1 以上",
    "retention of `{resource}` needs at least one day",
    "写明天数",
    "say how many days",
)
BACKWARDS = Text(
    "pack.retention-backwards",
    "`{resource}` 的保存规则从 `{stage}` 退回 `{to}`",
    "retention of `{resource}` leads back from `{stage}` to `{to}`",
    "按 stages 的顺序向后",
    "lead onward in the order of `stages`",
)
PUT_AWAY = Text(
    "pack.retention-read",
    "行 `{row}` 在已归档的环节 `{stage}` 授予字段",
    "row `{row}` grants fields at stage `{stage}`, where everything is put away",
    "从该行删去这个环节",
    "take that stage out of the row",
)


def findings(pack: Pack) -> Iterator[PolicyError]:
    """What is wrong with the retention rules, and the rows that would read past them."""
    for resource in pack.resources.values():
        for rule in resource.retention:
            yield from _rule(pack, resource, rule)
    for row in pack.rows:
        spec = pack.resources.get(row.resource)
        if not row.allow or not row.grants or spec is None:
            continue
        for stage in sorted(spec.put_away.intersection(row.stages)):
            yield PolicyError(
                PUT_AWAY.of(row=row.id, stage=stage), in_row(pack, row, "stages", stage)
            )


def _rule(pack: Pack, resource: ResourceSpec, rule: RetentionRule) -> Iterator[PolicyError]:
    where = _place(pack, rule)
    order = {stage: at for at, stage in enumerate(resource.stages)}
    for stage in (*rule.stages, rule.to):
        if stage not in order:
            yield unknown("stage", stage, set(order), where)
    for stage in rule.stages:
        if order.get(stage, -1) >= order.get(rule.to, len(order)):
            words = {"resource": resource.type, "stage": stage, "to": rule.to}
            yield PolicyError(BACKWARDS.of(**words), where)
    if resource.attributes.get(rule.since) != "int":
        yield PolicyError(NO_TIME.of(resource=resource.type, name=rule.since), where)
    if rule.days < 1:
        yield PolicyError(NO_DAYS.of(resource=resource.type), where)


def _place(pack: Pack, rule: RetentionRule) -> Where:
    file = f"{pack.folder}/{FILE}"
    for number, line in enumerate(pack.files[FILE].splitlines(), 1):
        if f"to: {rule.to}" in line and f"since: {rule.since}" in line:
            return Where(file, number)
    return Where(file)
