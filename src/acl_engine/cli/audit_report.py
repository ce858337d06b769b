"""acl audit who-saw: the data subject's report, for the subject and for the auditor.

INVARIANTS
- The subject's copy names role and unit of whoever looked, never an account, person or device: they
  are people too. The record's index leads the auditor back to them.
- It says what was shown, field by field, in the reader's language, and what was refused.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.inquiry import Inquiry, Report, Seen
from acl_engine.bootstrap.paths import project_root
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_options import asker_option, busy, document, format_option, line, say
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.policy.pack import load_pack

# Parcels move by the clock of China, and so does whoever reads about them.
_CHINA = timezone(timedelta(hours=8))

TITLE = Text(
    "who-saw.title",
    "个人信息查看情况报告（{made}，北京时间）",
    "Who looked at your personal data ({made}, Beijing time)",
)
NOBODY = Text("who-saw.nobody", "没有记录", "no record")
SHOWN = Text(
    "who-saw.shown",
    "以下 {count} 次查看得到了答复：",
    "These {count} looks were answered:",
)
LOOK = Text(
    "who-saw.look",
    "{when}  {unit} 的{role}  {action}  显示：{fields}  （日志第 {index} 条）",
    "{when}  {role} of {unit}  {action}  shown: {fields}  (record {index})",
)
REFUSED = Text(
    "who-saw.refused",
    "另有 {count} 次请求被拒绝，未显示任何内容。",
    "{count} more requests were refused; nothing was shown.",
)
NO_FIELD = Text("who-saw.no-field", "无个人字段", "no personal field")
BASIS = Text(
    "who-saw.basis",
    "依据《个人信息保护法》第四十四、四十五条提供。每条记录均有日志编号，可凭编号索取离线证明。",
    "Given under articles 44 and 45 of the PIPL. Each record has its number in the log, for which"
    " an offline proof can be asked.",
)
ACTIONS = {
    "read": Text("who-saw.read", "查看", "read"),
    "search": Text("who-saw.search", "检索到", "found by search"),
    "trace": Text("who-saw.trace", "查轨迹", "tracked"),
    "verify": Text("who-saw.verify", "核验取件码", "checked the pickup code"),
    "dial": Text("who-saw.dial", "一键拨号（未显示号码）", "dialled without seeing the number"),
    "reverse_lookup": Text("who-saw.reverse", "按号码反查", "looked up by phone or name"),
    "count_by_phone": Text("who-saw.count", "按号码计数", "counted by phone"),
    "scan_in": Text("who-saw.scan-in", "入库扫描", "scanned in"),
    "scan_out": Text("who-saw.scan-out", "出仓扫描", "scanned out"),
    "reassign": Text("who-saw.reassign", "改派", "reassigned"),
    "open_ticket": Text("who-saw.ticket", "建立工单", "opened a ticket"),
    "export": Text("who-saw.export", "导出", "exported"),
    "publish": Text("who-saw.publish", "公示", "published"),
}


@click.command("who-saw")
@click.argument("subject", metavar="PERSON|WAYBILL")
@click.option(
    "--copy",
    "for_subject",
    is_flag=True,
    help="The data subject's copy: roles and units instead of accounts, in full sentences.",
)
@click.option(
    "--policy",
    "folder",
    type=click.Path(path_type=Path),
    help="Pack whose words name roles and fields.  [default: policies/courier/after]",
)
@database_option
@asker_option
@format_option
@click.pass_obj
def who_saw(
    lang: Lang, subject: str, for_subject: bool, folder: Path | None, url: str, by: str, form: str
) -> None:
    """Who was shown what of a waybill, or of any waybill of a customer id or phone number.

    \b
    acl --lang zh audit who-saw SN0123456789012 --copy --by auditor-01 --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk, busy("who-saw"):
        report = Inquiry(desk, by).who_saw(subject)
        units = desk.unit_names()
    if for_subject:
        pack = load_pack(folder or project_root() / "policies" / "courier" / "after")
        copy = _Copy(lang, pack, units)
        if form == "json":
            looks = [copy.row(one) for one in report.shown]
            document("acl-audit-who-saw-copy/1", looks=looks, refused=len(report.refused))
        else:
            for text in copy.lines(report):
                click.echo(text)
    elif form == "json":
        parts = {"shown": _rows(report.shown), "refused": _rows(report.refused)}
        document("acl-audit-who-saw/1", **parts)
    else:
        for one in sorted((*report.shown, *report.refused), key=lambda seen: seen.index):
            click.echo(line(one.index, one.entry))
        if not (report.shown or report.refused):
            say(lang, NOBODY)


class _Copy:
    """The words of the subject's copy."""

    def __init__(self, lang: Lang, pack: Pack, units: dict[str, tuple[str, str]]) -> None:
        self._lang, self._pack, self._units = lang, pack, units

    def lines(self, report: Report) -> Iterable[str]:
        made = datetime.now(_CHINA).strftime("%Y-%m-%d %H:%M")
        yield self._text(TITLE, made=made)
        if report.shown:
            yield self._text(SHOWN, count=len(report.shown))
        for one in report.shown:
            yield "  " + self._text(LOOK, **self.row(one))
        if not report.shown:
            yield self._text(NOBODY)
        if report.refused:
            yield self._text(REFUSED, count=len(report.refused))
        yield self._text(BASIS)

    def row(self, one: Seen) -> dict[str, object]:
        entry = one.entry
        when = datetime.fromtimestamp(entry.at / 1000, UTC).astimezone(_CHINA)
        action = ACTIONS.get(entry.action)
        return {
            "index": one.index,
            "when": when.strftime("%Y-%m-%d %H:%M"),
            "role": self._role(entry.role),
            "unit": self._unit(entry.unit),
            "action": self._text(action) if action else entry.action,
            "fields": self._fields(entry.resource, entry.fields),
        }

    def _role(self, name: str | None) -> str:
        role = self._pack.roles.get(name or "")
        return (role.zh if self._lang == "zh" else role.en) if role else name or "-"

    def _unit(self, name: str | None) -> str:
        zh, en = self._units.get(name or "", (name or "-", name or "-"))
        return zh if self._lang == "zh" else en

    def _fields(self, resource: str, names: tuple[str, ...]) -> str:
        known = self._pack.resources[resource].fields if resource in self._pack.resources else {}
        words = [
            (known[one].zh if self._lang == "zh" else known[one].en) if one in known else one
            for one in names
        ]
        separator = "、" if self._lang == "zh" else ", "
        return separator.join(words) or self._text(NO_FIELD)

    def _text(self, text: Text, **params: object) -> str:
        return text.of(**params).render(self._lang)


def _rows(seen: tuple[Seen, ...]) -> list[dict[str, object]]:
    return [{"index": one.index, **asdict(one.entry)} for one in seen]
