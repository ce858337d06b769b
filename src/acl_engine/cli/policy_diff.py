"""acl policy diff: who gains and loses what between two versions, counted on a database."""

import json
from pathlib import Path
from typing import Any

import click

from acl_engine.analysis.policy_diff import Diff, diff
from acl_engine.analysis.reach import Moved
from acl_engine.cli.facts import given_facts
from acl_engine.cli.progress import counting_bar
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.policy.pack import load_pack

FOLDER = click.Path(path_type=Path)

GAINS = Text(
    "diff.counted-gains",
    "+ `{role}` {what}：{accounts} 个账号共得到 {records} 条，单个账号最多 {most} 条",
    "+ `{role}` {what}: {accounts} accounts gain {records} records, one of them {most}",
)
LOSES = Text(
    "diff.counted-loses",
    "- `{role}` {what}：{accounts} 个账号共失去 {records} 条，单个账号最多 {most} 条",
    "- `{role}` {what}: {accounts} accounts lose {records} records, one of them {most}",
)
UNMOVED = Text(
    "diff.counted-nothing",
    "在这个数据库上，此刻没有人因此多看到或少看到一条记录",
    "on this database nobody gains or loses a record by it now",
)
IN_CLEAR = Text("diff.in-clear", "（明文）", " in clear")


@click.command("diff")
@click.argument("old", metavar="OLD", type=FOLDER)
@click.argument("new", metavar="NEW", type=FOLDER)
@click.option("--role", multiple=True, help="Only this role (may be given several times).")
@click.option("--database", "url", metavar="URL", help="Count there what the changes come to.")
@click.option(
    "--assume", multiple=True, metavar="NAME=VALUE", help="With --database: a fact about everybody."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changes.")
@click.pass_obj
def diff_command(
    lang: Lang,
    old: Path,
    new: Path,
    role: tuple[str, ...],
    url: str | None,
    assume: tuple[str, ...],
    form: str,
    exit_code: bool,
) -> None:
    """Who gains and who loses which right from OLD to NEW, one line each.

    A right is role, action, stage, field and condition. Conditions are compared by meaning as
    written out, not by name: a relation that changed shows as a change.

    With --database also what that comes to: how many accounts gain or lose how many records, by
    the live facts of this moment, each account as if on its bound device. At night nobody is on
    shift: --assume on_shift=true asks about the day.

    \b
    acl policy diff policies/courier/before policies/courier/after
    acl policy diff v6 v7 --database sqlite:///company.db --assume on_shift=true
    """
    packs = load_pack(old), load_pack(new)
    found = diff(*packs, roles=role)
    counted = _counted(packs, found, url, assume) if url else None
    if form == "json":
        click.echo(_json(found, counted, lang))
    else:
        for change in found.changes:
            click.echo(change.line().render(lang))
        click.echo(found.summary().render(lang))
        for line in _lines(counted, lang) if counted is not None else ():
            click.echo(line)
    if exit_code and found.changes:
        raise click.exceptions.Exit(1)


def _counted(
    packs: tuple[Pack, Pack], found: Diff, url: str, assume: tuple[str, ...]
) -> tuple[Moved, ...]:
    from acl_engine.bootstrap.reach import diff_on
    from acl_engine.storage.database import Database

    assumed = given_facts(assume, dict(packs[1].subject_attributes), "--assume")
    with Database.open(url) as database, counting_bar() as progress:
        return diff_on(database, packs, found, assumed, progress)


def _lines(counted: tuple[Moved, ...], lang: Lang) -> list[str]:
    if not counted:
        return [UNMOVED.of().render(lang)]
    return [_line(one, lang) for one in counted]


def _line(one: Moved, lang: Lang) -> str:
    what = f"{one.resource}.{one.action}"
    if one.field:
        what += f" {one.field}" + (IN_CLEAR.of().render(lang) if one.clear else "")
    return (
        (GAINS if one.wider else LOSES)
        .of(
            role=one.role,
            what=what,
            accounts=f"{one.accounts:,}",
            records=f"{one.records:,}",
            most=f"{one.most:,}",
        )
        .render(lang)
    )


def _json(found: Diff, counted: tuple[Moved, ...] | None, lang: Lang) -> str:
    document: dict[str, Any] = {
        "schema": "acl-policy-diff/1",
        "wider": found.wider,
        "narrower": found.narrower,
        "changes": [
            {
                "wider": change.wider,
                "role": change.role,
                "resource": change.resource,
                "action": change.action,
                "stages": list(change.stages),
                "fields": list(change.fields),
                "condition": change.condition,
                "prohibition": change.prohibition,
                "text": change.line().render(lang),
            }
            for change in found.changes
        ],
    }
    if counted is not None:
        document["counted"] = [
            {
                "wider": one.wider,
                "role": one.role,
                "resource": one.resource,
                "action": one.action,
                "field": one.field,
                "clear": one.clear,
                "accounts": one.accounts,
                "records": one.records,
                "most": one.most,
                "text": _line(one, lang),
            }
            for one in counted
        ]
    return json.dumps(document, ensure_ascii=False, indent=2)
