"""What may become a unit: the rows of a units file against the units that there are. Pure.

INVARIANTS
- All or nothing: one refused row, no plan.
- One head; every other unit hangs below it. A unit that is there never changes its place: what
  people may see follows from it, so that another place is another unit.
"""

import re
from collections.abc import Sequence

from acl_engine.domain.organisation import Unit
from acl_engine.domain.staff_plan import Finding
from acl_engine.domain.text import Message, Text
from acl_engine.identity.hr_plan import TWICE
from acl_engine.identity.staff_file import LACKS, WORD, Table

UNIT_COLUMNS = ("id", "parent", "kind", "zh", "en")
UNIT_OPTIONAL = ("city", "district", "franchise")
# Letters that mean nothing in a path, nor in a LIKE pattern.
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,15}")
# Six levels of the longest ids still fit the column of the path.
_DEEPEST = 6
_YES, _NO = ("yes", "true", "1"), ("", "no", "false", "0")

BAD_UNIT = Text(
    "unit-bad-id",
    "`{unit}` 不能作单位编号",
    "`{unit}` cannot be the id of a unit",
    "1 至 32 个小写字母、数字或 -，以字母或数字开头",
    "1 to 32 of a-z, 0-9 and -, beginning with a letter or a figure",
)
NO_PARENT = Text(
    "unit-no-parent",
    "单位 `{unit}` 的上级 `{parent}` 不存在，或又在它之下",
    "the unit `{parent}` above `{unit}` is not there, or hangs below it",
    "先写上级",
    "name what is there, or add it in the same file",
)
SECOND_HEAD = Text(
    "unit-second-head",
    "单位 `{unit}` 没有上级，但 `{head}` 已是总部",
    "unit `{unit}` has nothing above it, and `{head}` is the head already",
    "写明上级",
    "say what is above it",
)
OTHERWISE = Text(
    "unit-otherwise",
    "单位 `{unit}` 已存在，且与本行不同",
    "unit `{unit}` is there already, and is not as this row says",
    "已有单位不改动：新建另一个",
    "a unit stays as it is: add another one",
)
TOO_DEEP = Text(
    "unit-too-deep",
    "单位 `{unit}` 在第 {most} 级以下",
    "unit `{unit}` is more than {most} levels down",
    "减少层级",
    "use fewer levels",
)


def unit_rows(table: Table) -> tuple[list[tuple[int, Unit]], list[Finding]]:
    """The rows of a units file, typed, and what is wrong with those that are not."""
    rows: list[tuple[int, Unit]] = []
    findings = list(table.findings)
    bad = {one.row for one in findings}
    for number, cells in table.rows:
        if number in bad:
            continue
        if message := _refusal(cells):
            findings.append(Finding(number, message))
            continue
        unit = Unit(
            id=cells["id"],
            parent=cells["parent"] or None,
            kind=cells["kind"],
            name_zh=cells["zh"],
            name_en=cells["en"],
            city=cells.get("city", ""),
            district=cells.get("district", ""),
            franchise=cells.get("franchise", "").lower() in _YES,
        )
        rows.append((number, unit))
    return rows, findings


def units_plan(
    known: Sequence[Unit], rows: Sequence[tuple[int, Unit]]
) -> tuple[tuple[Unit, ...], list[Finding]]:
    """The new units, parents first, and why they must not be added (none: they may)."""
    there = {one.id: one for one in known}
    first: dict[str, int] = {}
    findings: list[Finding] = []
    fresh: dict[str, tuple[int, Unit]] = {}
    for row, unit in rows:
        if first.setdefault(unit.id, row) != row:
            twice = TWICE.of(what="unit", name=unit.id, first=first[unit.id])
            findings.append(Finding(row, twice))
        elif unit.id not in there:
            fresh[unit.id] = (row, unit)
        elif there[unit.id] != unit:
            findings.append(Finding(row, OTHERWISE.of(unit=unit.id)))
    after = there | {id_: unit for id_, (_, unit) in fresh.items()}
    head = next((one.id for one in after.values() if one.parent is None), "")
    depths = {id_: _depth(unit, after) for id_, (_, unit) in fresh.items()}
    for row, unit in fresh.values():
        if refusal := _misplaced(unit, head, depths[unit.id]):
            findings.append(Finding(row, refusal))
    new = sorted((unit for _, unit in fresh.values()), key=lambda one: depths[one.id] or 0)
    return tuple(new), sorted(findings, key=lambda one: one.row)


def _refusal(cells: dict[str, str]) -> Message | None:
    if not _ID.fullmatch(cells["id"]):
        return BAD_UNIT.of(unit=cells["id"])
    if not _KIND.fullmatch(cells["kind"]):
        known = "hq, province, hub, branch, station"
        return WORD.of(column="kind", value=cells["kind"][:20], known=known)
    for column in ("zh", "en"):
        if not cells[column]:
            return LACKS.of(column=column)
    franchise = cells.get("franchise", "").lower()
    if franchise not in (*_YES, *_NO):
        return WORD.of(column="franchise", value=franchise[:20], known="yes, no")
    return None


def _misplaced(unit: Unit, head: str, depth: int | None) -> Message | None:
    if unit.parent is None:
        return SECOND_HEAD.of(unit=unit.id, head=head) if unit.id != head else None
    if depth is None:
        return NO_PARENT.of(unit=unit.id, parent=unit.parent)
    return TOO_DEEP.of(unit=unit.id, most=_DEEPEST) if depth > _DEEPEST else None


def _depth(unit: Unit, after: dict[str, Unit]) -> int | None:
    """How many levels down, the head being 1; None: it hangs from nothing, or from itself."""
    seen = {unit.id}
    above: Unit | None = unit
    while above is not None and above.parent is not None:
        if above.parent in seen:
            return None
        seen.add(above.parent)
        above = after.get(above.parent)
    return None if above is None else len(seen)
