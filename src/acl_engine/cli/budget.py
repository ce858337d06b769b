"""acl budget: how much of each budget an account, a device or a unit has used."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from acl_engine.bootstrap.budgets import budget_use
from acl_engine.bootstrap.policies import policy_for
from acl_engine.cli.account_options import database_option, pack_option
from acl_engine.cli.audit_options import document, format_option, say
from acl_engine.domain.budgets import Use
from acl_engine.domain.text import Lang, Text
from acl_engine.storage.database import Database

NOTHING = Text("budget.no-limits", "没有额度管到它", "no budget counts it")
_ZH = {
    "account": "账号", "person": "人员", "device": "设备", "unit": "单位",
    "day": "当日", "30d": "30 天", "year": "一年",
    "looks": "查询次数", "asks": "申请次数", "approvals": "审批次数",
    "phone": "电话（人）", "name": "姓名（人）", "address": "地址（人）",
    "id_number": "证件号（人）",
    "whereabouts": "行踪（人）", "transaction": "交易（人）",
    "ok": "正常", "warned": "已提醒", "step-up": "须重新验证", "spent": "已用完",
}  # fmt: skip
_HEADS = {
    "en": "per|who|window|what|used|set aside|warn|step-up|limit|state".split("|"),
    "zh": "按|对象|窗口|计什么|已用|预留|提醒|重新验证|上限|状态".split("|"),
}


@click.command("budget")
@click.option("--account", metavar="LOGIN", help="An account, and the person behind it.")
@click.option("--device", metavar="ID", help="A device, whoever works on it.")
@click.option("--unit", metavar="ID", help="A unit: all accounts of it together.")
@format_option
@database_option
@pack_option
@click.pass_obj
def command(
    lang: Lang,
    account: str | None,
    device: str | None,
    unit: str | None,
    form: str,
    url: str,
    pack: Path | None,
) -> None:
    """How much of each budget is used, by window and kind of data.

    \b
    acl budget --account courier-88 --database sqlite:///acl.db
    acl budget --device pda-88 --unit ba-xinan --format json --database sqlite:///acl.db

    Looks are counted as such; of data, the different persons who were shown, one in clear as 1, a
    masked one as less. Marks that grow with the parcels handled are shown as they stand now.
    Nothing is written.
    """
    asked = [("account", account), ("device", device), ("unit", unit)]
    named = [(per, who) for per, who in asked if who is not None]
    if not named:
        raise click.UsageError("say --account, --device or --unit")
    with Database.open(url) as database:
        policy = policy_for(database, pack)
        found = [one for per, who in named for one in budget_use(database, policy, per, who)]
    if form == "json":
        document("acl-budget/1", version=policy.version, budgets=[_fields(one) for one in found])
    elif found:
        _print(lang, found)
    else:
        say(lang, NOTHING)


def _state(use: Use) -> str:
    """What the next look meets."""
    taken = use.used + use.held
    marks = (("spent", use.most), ("step-up", _mark(use, use.limit.step_up)),
             ("warned", _mark(use, use.limit.warn)))  # fmt: skip
    return next((name for name, mark in marks if mark is not None and taken >= mark), "ok")


def _mark(use: Use, mark: int | None) -> int | None:
    """A mark as it stands now: it grows with the parcels handled."""
    return None if mark is None else mark + use.most - use.limit.limit


def _fields(use: Use) -> dict[str, object]:
    limit = use.limit
    return {
        "per": limit.per,
        "who": use.who,
        "window": limit.window,
        "of": limit.of,
        "data": limit.data or None,
        "used": use.used,
        "set_aside": use.held,
        "warn": _mark(use, limit.warn),
        "step_up": _mark(use, limit.step_up),
        "limit": use.most,
        "handled": use.handled,
        "then": limit.then,
        "state": _state(use),
    }


def _print(lang: Lang, found: list[Use]) -> None:
    def word(text: str) -> str:
        return _ZH.get(text, text) if lang == "zh" else text

    table = Table(*_HEADS[lang], box=None, pad_edge=False)
    for use in found:
        limit = use.limit
        what = limit.data or limit.of
        if lang == "en" and limit.data:
            what = f"persons: {limit.data}"
        marks = (_mark(use, limit.warn), _mark(use, limit.step_up), use.most)
        table.add_row(
            word(limit.per),
            use.who,
            word(limit.window),
            word(what),
            f"{use.used:g}",
            f"{use.held:g}",
            *("-" if mark is None else str(mark) for mark in marks),
            word(_state(use)),
        )
    Console(width=120, highlight=False, markup=False).print(table)
