"""acl retention: put personal data away when its purpose is done, destroy it in its time."""

from pathlib import Path

import click

from acl_engine.bootstrap.retention_desk import RetentionDesk
from acl_engine.cli.account_options import database_option, pack_option
from acl_engine.cli.audit_options import by_option, document, format_option, say
from acl_engine.cli.progress import counting
from acl_engine.domain.retention import Due
from acl_engine.domain.text import Lang, Text
from acl_engine.enforcement.retention import Certificate

DUE = Text(
    "retention.due",
    "{resource}：{stages} 满 {days} 天 → {to}：{count} 条{end}",
    "{resource}: {stages} for {days} days -> {to}: {count} records{end}",
)
END_ZH, END_EN = "，销毁密钥", ", keys destroyed"
NOTHING = Text("retention.nothing", "没有到期的记录", "nothing is due")
DRY = Text(
    "retention.dry",
    "未做任何改动；去掉 --dry-run 执行",
    "nothing was changed; run without --dry-run",
)
DONE = Text(
    "retention.done",
    "{resource} → {to}：{count} 条；审计记录 {index}，清单摘要 {digest}",
    "{resource} -> {to}: {count} records; audit record {index}, digest of the list {digest}",
)


@click.group("retention")
def command() -> None:
    """Retention as the policy's resources.yaml says (PIPL articles 19 and 47).

    A record that is put away is read by nobody. Destroyed means that its key is gone: what is left
    of it is noise. Each batch leaves a certificate in the audit log.
    """


@command.command("run")
@click.option("--dry-run", is_flag=True, help="Say what is due, change nothing.")
@database_option
@pack_option
@by_option
@format_option
@click.pass_obj
def run(lang: Lang, dry_run: bool, url: str, pack: Path | None, by: str, form: str) -> None:
    """Carry out what is due. Refused while a legal hold is open; may be stopped and run again.

    \b
    acl retention run --dry-run --database sqlite:///acl.db
    acl retention run --by dpo-01 --database sqlite:///acl.db
    """
    with RetentionDesk.open(url, pack) as desk:
        plan = [one for one in desk.plan() if one.records]
        if dry_run:
            _say_plan(lang, form, plan)
            return
        certificates: list[Certificate] = []

        def kept(one: Certificate) -> int:
            certificates.append(one)
            return one.records

        total = sum(one.records for one in plan)
        counting(map(kept, desk.sweep(by)), total)
    _say_done(lang, form, certificates)


def _say_plan(lang: Lang, form: str, plan: list[Due]) -> None:
    if form == "json":
        rows = [
            {"resource": one.resource, "stages": one.rule.stages, "days": one.rule.days,
             "to": one.rule.to, "destroy": one.rule.destroy, "records": one.records}
            for one in plan
        ]  # fmt: skip
        document("acl-retention-plan/1", due=rows)
        return
    for one in plan:
        end = (END_ZH if lang == "zh" else END_EN) if one.rule.destroy else ""
        stages, rule = "|".join(one.rule.stages), one.rule
        say(lang, DUE, resource=one.resource, stages=stages, days=rule.days, to=rule.to,
            count=one.records, end=end)  # fmt: skip
    say(lang, DRY if plan else NOTHING)


def _say_done(lang: Lang, form: str, done: list[Certificate]) -> None:
    if form == "json":
        rows = [
            {"resource": one.resource, "to": one.rule.to, "destroyed": one.rule.destroy,
             "records": one.records, "request": one.request, "index": one.receipt.index,
             "digest": one.digest}
            for one in done
        ]  # fmt: skip
        document("acl-retention/1", certificates=rows)
        return
    for one in done:
        say(lang, DONE, resource=one.resource, to=one.rule.to, count=one.records,
            index=one.receipt.index, digest=one.digest[:16])  # fmt: skip
    if not done:
        say(lang, NOTHING)
