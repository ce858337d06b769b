"""acl approval duty, acl approval watch: who answers, and how it went."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from acl_engine.bootstrap.duty_roster import DutyAdministration, Watched
from acl_engine.cli.account_options import by_option, database_option, done, policy_option
from acl_engine.domain.text import Lang, Text

SCHEMA = "acl-approval-watch/1"
OVERDUE = Text(
    "approval.overdue",
    "逾期未复核：申请 {case}，账号 {account}，用途 {purpose}{urgent}，应于 {due} 前",
    "not reviewed in time: case {case}, account {account}, purpose {purpose}{urgent}, due {due}",
)
WAITING = Text(
    "approval.waiting",
    "待复核：申请 {case}，账号 {account}，用途 {purpose}{urgent}，{due} 前",
    "to be reviewed: case {case}, account {account}, purpose {purpose}{urgent}, due {due}",
)
STAMPS = Text(
    "approval.stamps",
    "疑似橡皮图章：{person} 答复 {answers} 次，同意 {agreed} 次，中位 {seconds} 秒，"
    "复核认定有误 {wrong}",
    "stamps: {person} answered {answers}, agreed to {agreed}, within {seconds} s by the median;"
    " found wrong: {wrong}",
)
URGENT = Text("approval.urgent", "（应急）", " (broken glass)")
QUIET = Text("approval.quiet", "没有逾期未复核，也没有橡皮图章", "nothing overdue, nobody stamps")


@click.group("duty")
def duty() -> None:
    """Who answers for which desk; a substitute is of another unit.

    \b
    acl approval duty list --database sqlite:///small.db
    acl approval duty add claims claims-04 --hours 8 --by acct-admin-01 \\
        --database sqlite:///small.db
    """


@duty.command("add")
@click.argument("desk")
@click.argument("login")
@click.option("--hours", type=click.IntRange(1, 24 * 92), required=True, help="From now on.")
@click.option("--substitute", is_flag=True, help="Of another unit than those who keep the desk.")
@by_option
@policy_option
@database_option
@click.pass_obj
def add(
    lang: Lang,
    desk: str,
    login: str,
    hours: int,
    substitute: bool,
    by: str,
    folder: Path | None,
    url: str,
) -> None:
    """Put LOGIN on duty for DESK: a unit, or a desk of the pack's settings.yaml."""
    with DutyAdministration.open(url, folder) as roster:
        roster.add(desk, login, hours, by, substitute=substitute)
    done(lang, f"{login} 已列入 {desk} 值班表", f"{login} is on duty for {desk}")


@duty.command("end")
@click.argument("line", type=int)
@by_option
@policy_option
@database_option
@click.pass_obj
def end(lang: Lang, line: int, by: str, folder: Path | None, url: str) -> None:
    """End LINE of the roster now; `list` shows the numbers."""
    with DutyAdministration.open(url, folder) as roster:
        roster.end(line, by)
    done(lang, f"第 {line} 行已结束", f"line {line} is over")


@duty.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@policy_option
@database_option
def list_duties(form: str, folder: Path | None, url: str) -> None:
    """The lines that are not over: desk, person, their unit, until when, by whom."""
    with DutyAdministration.open(url, folder) as roster:
        lines = roster.roster()
    if form == "json":
        _json({"schema": "acl-duties/1", "lines": [asdict(one) for one in lines]})
        return
    for one in lines:
        kind = "substitute" if one.duty.substitute else "regular"
        click.echo(
            f"{one.id:5} {one.duty.desk:12} {one.duty.person:16} {one.unit:12} {kind:10}"
            f" {_day(one.duty.ends_at)} {one.duty.made_by}"
        )


@click.command("watch")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@policy_option
@database_option
@click.pass_context
def watch(ctx: click.Context, form: str, folder: Path | None, url: str) -> None:
    """Cases that nobody has looked at, and approvers who stamp, over the last thirty days.

    Exit code 0: nothing overdue, nobody stamps. 1: there is. 2: the command is wrong.
    """
    with DutyAdministration.open(url, folder) as roster:
        found = roster.watch()
    if form == "json":
        _json({"schema": SCHEMA, **asdict(found)})
    else:
        for line in _lines(found, ctx.obj):
            click.echo(line)
    ctx.exit(1 if found.overdue or found.stamps else 0)


def _lines(found: Watched, lang: Lang) -> list[str]:
    said = []
    for text, cases in ((OVERDUE, found.overdue), (WAITING, found.waiting)):
        for one in cases:
            words: dict[str, Any] = {"case": one.case, "account": one.account}
            words |= {"purpose": one.purpose, "due": _day(one.due)}
            words["urgent"] = URGENT.of().render(lang) if one.urgent else ""
            said.append(text.of(**words).render(lang))
    for stamping in found.stamps:
        words = {"person": stamping.person, "answers": stamping.answers, "agreed": stamping.agreed}
        words |= {"seconds": stamping.median_seconds, "wrong": stamping.found_wrong}
        said.append(STAMPS.of(**words).render(lang))
    if not found.overdue and not found.stamps:
        said.append(QUIET.of().render(lang))
    return said


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
