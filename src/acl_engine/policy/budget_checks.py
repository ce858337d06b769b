"""Checks of a pack's budgets: a limit that counts nothing, or that nobody meets, is an error."""

from collections.abc import Iterator

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.text import Text
from acl_engine.policy.pack_row_checks import unknown

DATA = Text(
    "pack.budget-data",
    "额度 {number}：`data` 与 `of: persons` 须同时写出",
    "budget {number}: `data` and `of: persons` belong together",
    "写明数据种类，如 `data: address`；其他额度不写",
    "name the kind of data, as `data: address`; leave it out elsewhere",
)
ORDER = Text(
    "pack.budget-order",
    "额度 {number}：须为 1 ≤ warn ≤ step_up ≤ limit，per_parcel ≥ 0",
    "budget {number}: 1 <= warn <= step_up <= limit, and per_parcel >= 0, do not hold",
    "调整这几个数",
    "put these numbers in order",
)
SHARED = Text(
    "pack.budget-shared",
    "额度 {number}：`per: {per}` 由多人共用，不能用 per_parcel，也不能冻结账号",
    "budget {number}: `per: {per}` is spent by several; it takes no per_parcel and freezes nobody",
    "改为 `per: person` 或 `per: account`",
    "make it `per: person` or `per: account`",
)
TWICE = Text(
    "pack.budget-twice",
    "额度 {number} 与额度 {other} 管同一件事",
    "budget {number} limits the same as budget {other}",
    "删去其中一行",
    "take one of them out",
)


def findings(pack: Pack, where: Where) -> Iterator[PolicyError]:
    """What is wrong with the limits, by their place in the list, counted from 1."""
    kinds = {one.data for spec in pack.resources.values() for one in spec.fields.values()}
    roles = {*pack.roles, *(group for _, group in pack.role_links)}
    known: dict[tuple[object, ...], int] = {}
    for number, limit in enumerate(pack.settings.budgets, 1):
        if (limit.of == "persons") != bool(limit.data):
            yield PolicyError(DATA.of(number=number), where)
        elif limit.data and limit.data not in kinds:
            yield unknown("kind", limit.data, kinds, where)
        if not _ordered(limit):
            yield PolicyError(ORDER.of(number=number), where)
        if limit.per in ("device", "unit") and (limit.per_parcel or limit.then == "freeze"):
            yield PolicyError(SHARED.of(number=number, per=limit.per), where)
        for role in (*limit.roles, *limit.but):
            if role not in roles:
                yield unknown("role", role, roles, where)
        key = (limit.per, limit.window, limit.of, limit.data, limit.roles, limit.but)
        if key in known:
            yield PolicyError(TWICE.of(number=number, other=known[key]), where)
        known.setdefault(key, number)


def _ordered(limit: BudgetLimit) -> bool:
    marks = [1, *(one for one in (limit.warn, limit.step_up) if one is not None), limit.limit]
    return marks == sorted(marks) and limit.per_parcel >= 0
