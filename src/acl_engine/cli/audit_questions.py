"""acl audit account, read-mark, trace, honey, export: questions to the log."""

from dataclasses import asdict
from pathlib import Path

import click

from acl_engine.audit.trace import Suspect
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.inquiry import Inquiry, Leak, Seen
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_options import (
    asker_option,
    busy,
    document,
    format_option,
    line,
    moment,
    say,
    span_options,
)
from acl_engine.cli.leaked import leaked_lines, waybill_number
from acl_engine.domain.text import Lang, Text

ACCOUNT_SUM = Text(
    "audit.account-sum",
    "共 {looks} 次查看得到答复，显示 {shown} 条，涉及 {records} 件、{people} 人；字段：{fields}",
    "{looks} looks answered, {shown} rows shown: {records} records of {people} people;"
    " fields: {fields}",
)
NOTHING = Text("audit.nothing", "没有记录", "no record")
MARK_OF = Text(
    "audit.mark-of",
    "屏幕码 {mark}：账号 {account}（{person}，{role}，{unit}），设备 {device}，会话 {session}，"
    "{minute} 这一分钟",
    "mark {mark}: account {account} ({person}, {role}, {unit}), device {device},"
    " session {session}, the minute of {minute}",
)
AROUND = Text("audit.mark-around", "同一会话前后五分钟：", "the same session, five minutes around:")
LISTED = Text(
    "leak.listed",
    "清单 {listed} 条，其中 {known} 条在日志中被查看过",
    "{listed} in the list, {known} of them were looked at",
)
NAMED = Text(
    "leak.named",
    "指认 {who}：看过其中 {seen} 条，{added} 条为新增解释；偶然概率 10^{odds}；蜜罐 {honey}",
    "named {who}: looked at {seen} of them, {added} not explained before; chance 10^{odds};"
    " honey {honey}",
)
EXPLAINED = Text(
    "leak.explained", "合计解释清单的 {share}", "together they explain {share} of the list"
)
CANNOT_TELL = Text(
    "leak.cannot-tell",
    "无法判断：查看记录不足以指认任何人",
    "cannot tell: the looks do not single anybody out",
)
TIED = Text(
    "leak.tied",
    "不分先后，不予指认：{who}",
    "equally likely, so neither is named: {who}",
)
RANKED = Text("leak.ranked", "各账号单独：", "each account alone:")
PAIRED = Text("leak.paired", "两个账号合起来：", "two accounts together:")
MARK_FOUND = Text(
    "leak.mark-found",
    "清单含导出标记：账号 {account} 的导出 {request}（{when}）",
    "the list holds the mark of an export: {account}, request {request} ({when})",
)
HONEY_FOUND = Text(
    "leak.honey-found",
    "清单含蜜罐记录 {count} 条",
    "the list holds {count} honey rows",
)
COPY_FOUND = Text(
    "leak.copy-found",
    "副本 {copy}（给 {recipient}，由 {account} 导出）：{marks} 条标记行中有 {found} 条",
    "copy {copy} (to {recipient}, exported by {account}): {found} of its {marks} made-up rows",
)
PLANTED = Text("leak.honey-planted", "已登记蜜罐 {count} 条", "{count} honey rows planted")


@click.command("account")
@click.argument("name")
@span_options
@database_option
@asker_option
@format_option
@click.pass_obj
def account(lang: Lang, name: str, since: int, until: int, url: str, by: str, form: str) -> None:
    """What account NAME asked for and was shown, and when; records, people and fields in sum.

    \b
    acl audit account courier-88 --from 2026-03-01 --by auditor-01 --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk, busy("account"):
        inquiry = Inquiry(desk, by)
        inquiry.require(name)
        saw = inquiry.of_account(name, since, until)
    if form == "json":
        document("acl-audit-account/1", account=name, **asdict(saw))
        return
    for entry in saw.entries:
        click.echo(line(None, entry))
    sums = {"looks": saw.looks, "shown": saw.shown, "records": saw.records, "people": saw.people}
    say(lang, ACCOUNT_SUM, **sums, fields=" ".join(saw.fields) or "-")


@click.command("read-mark")
@click.argument("code")
@database_option
@asker_option
@format_option
@click.pass_obj
def read_mark(lang: Lang, code: str, url: str, by: str, form: str) -> None:
    """From the CODE on a photographed screen to the session, the person and the looks around it.

    A misread code is noticed and never looked up; the likely reading is said. Exit code 1 when no
    look carries the code.

    \b
    acl audit read-mark K7WQ3-MXN2P --by auditor-01 --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk, busy("read-mark"):
        found = Inquiry(desk, by).marked(code)
    if form == "json":
        parts = {"own": _rows(found.own), "around": _rows(found.around)}
        document("acl-audit-mark/1", mark=found.mark, **parts)
    elif not found.own:
        say(lang, NOTHING)
    else:
        who = found.own[0].entry
        said = {name: getattr(who, name) or "-" for name in ("account", "person", "role", "unit",
                                                             "device", "session")}  # fmt: skip
        say(lang, MARK_OF, mark=found.mark, minute=moment(who.at)[:16], **said)
        for one in found.own:
            click.echo(line(one.index, one.entry))
        if found.around:
            say(lang, AROUND)
        for one in found.around:
            click.echo(line(one.index, one.entry))
    raise SystemExit(0 if found.own else 1)


@click.command("trace")
@click.argument("file", type=click.Path(path_type=Path))
@span_options
@database_option
@asker_option
@format_option
@click.pass_obj
def trace(lang: Lang, file: Path, since: int, until: int, url: str, by: str, form: str) -> None:
    """Who leaked FILE: the accounts, and pairs of accounts, whose looks explain the list.

    FILE is any text, CSV or workbook with waybill or phone numbers; noise does no harm. An account
    is named only where neither chance nor a theft of its whole branch's day explains the list.
    Exit code 0: somebody is named. 1: cannot tell.

    \b
    acl audit trace found-on-a-forum.txt --from 2026-02-01 --by auditor-01 --database sqlite:///acl.db
    """
    lines = leaked_lines(file)
    with Accountability.open(url) as desk, busy("trace"):
        leak = Inquiry(desk, by).trace(lines, since, until)
    named = not leak.traced.cannot_tell or any(one.kind == "export" for one in leak.marks)
    if form == "json":
        marks = [asdict(mark) for mark in leak.marks]
        people = {name: last.person for name, last in leak.people.items()}
        traced = asdict(leak.traced) | {"cannot_tell": not named}
        copies = [asdict(copy) | {"found": found} for copy, found in leak.copies]
        document("acl-audit-trace/1", **traced, marks=marks, people=people, copies=copies)
    else:
        _print_leak(lang, leak, named=named)
    raise SystemExit(0 if named else 1)


@click.command("honey")
@click.argument("waybills", nargs=-1, required=True)
@database_option
@asker_option
@click.pass_obj
def honey(lang: Lang, waybills: tuple[str, ...], url: str, by: str) -> None:
    """Register WAYBILLS of nobody as honey rows: no work needs them, so a look at one tells.

    One that is assigned, scanned or was looked at is refused: it would accuse honest work.
    """
    numbers = [waybill_number(one) for one in waybills]
    with Accountability.open(url) as desk:
        say(lang, PLANTED, count=Inquiry(desk, by).plant(numbers))


@click.command("export")
@click.option(
    "--format", "form", type=click.Choice(["ocsf", "jsonl"]), default="jsonl", show_default=True
)
@database_option
@asker_option
def export(form: str, url: str, by: str) -> None:
    """Every record, one line of JSON each: as it is, or as an OCSF 1.6 event."""
    with Accountability.open(url) as desk:
        for one in Inquiry(desk, by).export(form):
            click.echo(one)


def _print_leak(lang: Lang, leak: Leak, *, named: bool) -> None:
    traced = leak.traced
    say(lang, LISTED, listed=traced.listed, known=traced.known)
    for mark in leak.marks:
        if mark.kind == "export" and not mark.copies:
            said = {"account": mark.account or "-", "request": mark.request or "-"}
            say(lang, MARK_FOUND, when=moment(mark.at), **said)
    for copy, count in leak.copies:
        whose = {"recipient": copy.recipient, "account": copy.account}
        say(lang, COPY_FOUND, copy=copy.id, found=count, marks=copy.marks, **whose)
    if planted := sum(mark.kind == "honey" for mark in leak.marks):
        say(lang, HONEY_FOUND, count=planted)
    for one in traced.named:
        odds = f"{one.log10_odds:.0f}"
        found = {"seen": one.seen, "added": one.added, "honey": one.honey}
        say(lang, NAMED, who=_who(one, leak), odds=odds, **found)
    if traced.named:
        say(lang, EXPLAINED, share=f"{traced.explained:.0%}")
    if not named:
        say(lang, CANNOT_TELL)
    if traced.tied:
        say(lang, TIED, who=" ".join(traced.tied))
    for heading, suspects in ((RANKED, traced.ranked[:10]), (PAIRED, traced.pairs[:5])):
        if suspects:
            say(lang, heading)
        for one in suspects:
            click.echo(f"  {one.seen:>7}  10^{one.log10_odds:<8.0f} {_who(one, leak)}")


def _who(suspect: Suspect, leak: Leak) -> str:
    return " + ".join(
        f"{account} ({last.person or '-'}, {last.role or '-'}, {last.unit or '-'})"
        if (last := leak.people.get(account))
        else account
        for account in suspect.accounts
    )


def _rows(seen: tuple[Seen, ...]) -> list[dict[str, object]]:
    return [{"index": one.index, **asdict(one.entry)} for one in seen]
