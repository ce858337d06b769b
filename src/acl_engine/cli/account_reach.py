"""acl account reach: how many people's data one account can reach now."""

import json
from pathlib import Path

import click

from acl_engine.analysis.reach import Reach
from acl_engine.bootstrap.policies import policy_for
from acl_engine.bootstrap.reach import reach_of
from acl_engine.cli.account_options import database_option, pack_option
from acl_engine.cli.facts import given_facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.storage.database import Database

NOTHING = Text("reach.nothing", "`{login}` 此刻什么也看不到", "`{login}` can see nothing now")
LINE = Text(
    "reach.line",
    "{field}（{how}）：{records} 条记录，{people} 人；操作 {actions}",
    "{field} ({how}): {records} records of {people} people; by {actions}",
)
LINE_OF_NOBODY = Text(
    "reach.line-of-nobody",
    "{field}（{how}）：{records} 条记录；操作 {actions}",
    "{field} ({how}): {records} records; by {actions}",
)
HOW = {
    True: Text("reach.clear", "明文", "in clear"),
    False: Text("reach.masked", "脱敏", "masked"),
}


@click.command("reach")
@click.argument("login")
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact about LOGIN, such as on_shift=true.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@pack_option
@database_option
@click.pass_obj
def reach(
    lang: Lang, login: str, assume: tuple[str, ...], form: str, pack: Path | None, url: str
) -> None:
    """How far LOGIN reaches now: per field, of how many records and how many people, and how.

    \b
    acl account reach c-ba-xinan-002 --database sqlite:///company.db
    acl account reach c-ba-xinan-002 --assume on_shift=true --database sqlite:///company.db

    Counted as if at work on the bound device, by the live facts of this moment; nothing is shown
    and nothing is written. Ask it before a role is given, and after a leak: it is the blast radius.
    """
    with Database.open(url) as database:
        policy = policy_for(database, pack)
        assumed = given_facts(assume, dict(policy.subject_attributes), "--assume")
        found = reach_of(database, policy, login, assumed)
    if form == "json":
        click.echo(_json(login, policy, found))
        return
    for one in found:
        click.echo(_line(one, policy, lang))
    if not found:
        click.echo(NOTHING.of(login=login).render(lang))


def _line(one: Reach, pack: Pack, lang: Lang) -> str:
    spec = pack.resources[one.type].fields[one.field]
    text = LINE if one.people else LINE_OF_NOBODY
    said = {
        "field": spec.zh if lang == "zh" else spec.en,
        "how": HOW[one.clear].of().render(lang),
        "records": f"{one.records:,}",
        "actions": ", ".join(one.actions),
    }
    return text.of(**said, people=f"{sum(one.people.values()):,}").render(lang)


def _json(login: str, pack: Pack, found: tuple[Reach, ...]) -> str:
    document = {
        "schema": "acl-reach/1",
        "account": login,
        "version": pack.version,
        "reach": [
            {
                "resource": one.type,
                "field": one.field,
                "kind": str(pack.resources[one.type].fields[one.field].kind),
                "clear": one.clear,
                "actions": list(one.actions),
                "records": one.records,
                "people": sum(one.people.values()),
            }
            for one in found
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
