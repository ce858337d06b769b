"""acl approval: rights for minutes, asked for by one person and given by another."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from acl_engine.bootstrap.approving import Approving
from acl_engine.cli.account_options import database_option, policy_option
from acl_engine.cli.approval_duty import duty, watch
from acl_engine.cli.doorway import doorway
from acl_engine.cli.paper import agree
from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.text import Lang, Text

SCHEMA = "acl-approval/1"

MADE = Text("approval.made", "申请 {case}（请求编号 {request}）", "case {case} (request {request})")
NOW_AT = Text(
    "approval.now-at",
    "申请 {case}：{stage}（请求编号 {request}）",
    "case {case}: {stage} (request {request})",
)
NOTHING = Text("approval.nothing", "没有可见的申请", "no case to be seen")

Desk = Callable[[Approving, str], dict[str, Any]]


@click.group("approval")
def command() -> None:
    """Ask for a look outside one's standing rights; answer, refuse, review.

    One parcel, one purpose, minutes. Somebody else who is on duty answers, with a fresh second
    factor; silence is a denial. What may be asked for stands in the pack's settings.yaml, who may
    ask and answer in its policy.csv.

    \b
    acl world build --database sqlite:///small.db
    acl approval ask --database sqlite:///small.db --as claims-03 \\
        --key NUMBER --purpose precheck
    acl approval list --database sqlite:///small.db --as region-01
    acl approval approve CASE --database sqlite:///small.db --as region-01
    acl lookup --database sqlite:///small.db --as claims-03 --key NUMBER --purpose precheck

    Exit code 0: done. 1: denied. 2: the command or the database is wrong.
    """


def common(run: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command: which database and policy, and who is at the desk."""
    options = (
        database_option,
        policy_option,
        click.option("--as", "login", required=True, metavar="LOGIN", help="Who acts."),
        click.option("--device", help="From which device.  [synthetic world: the account's own]"),
        click.option(
            "--device-key",
            "key_file",
            type=click.Path(path_type=Path),
            help="Its private key; not for synthetic.",
        ),
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text"),
    )
    for option in reversed(options):
        run = option(run)
    return run


def at_desk(make: Callable[..., Desk]) -> Callable[..., None]:
    """A command from what it does at the desk: come in, do it, print it or the denial."""

    @wraps(make)
    def run(
        ctx: click.Context,
        url: str,
        folder: Path | None,
        login: str,
        device: str | None,
        key_file: Path | None,
        form: str,
        **words: Any,
    ) -> None:
        desk = make(**words)
        try:
            with doorway(url, folder, login, device, key_file) as door, door.session() as token:
                said = desk(door.engine.approvals, token)
        except AccessDenied as denied:
            if form == "json":
                _json({"allowed": False, "request": denied.request_id})
            else:
                click.echo(denied.render(ctx.obj))
            ctx.exit(denied.exit_code)
        if form == "json":
            _json({"allowed": True, **said})
        else:
            _text(said, ctx.obj)

    return click.pass_context(common(run))


@command.command("ask")
@click.option("--key", required=True, help="The record: a waybill number.")
@click.option("--purpose", required=True, help="A purpose of the pack's settings.yaml.")
@click.option("--ticket", help="Stands in the case and the audit record.")
@at_desk
def ask(key: str, purpose: str, ticket: str | None) -> Desk:
    """Ask to look at one record for one purpose. Prints the case's id."""
    return lambda desk, token: _case(desk.ask(token, key, purpose, ticket=ticket))


@command.command("break-glass")
@click.option("--key", required=True, help="The record: a waybill number.")
@click.option("--purpose", required=True, help="A purpose of the pack's settings.yaml.")
@click.option("--ticket", help="Stands in the case and the audit record.")
@at_desk
def break_glass(key: str, purpose: str, ticket: str | None) -> Desk:
    """Ask in an emergency: anybody with the right may answer, on duty or not.

    Loud: an alarm is raised at once, and somebody who neither asked nor answered must review it in
    time. Until then the glass cannot be broken by the same person again.
    """
    return lambda desk, token: _case(desk.ask(token, key, purpose, ticket=ticket, urgent=True))


@command.command("list")
@click.option(
    "--stage",
    type=click.Choice(["ASKED", "GRANTED", "REFUSED", "WITHDRAWN", "USED"]),
    default="ASKED",
    show_default=True,
)
@click.option("--due", is_flag=True, help="Those that wait for a review, whatever their stage.")
@at_desk
def list_cases(stage: str, due: bool) -> Desk:
    """The cases that this person asked for, may answer, or (--due) may review."""

    def listed(desk: Approving, token: str) -> dict[str, Any]:
        answer = desk.cases(token, stage, due=due)
        return {"request": answer.request_id, "cases": [dict(v.fields) for v in answer.views]}

    return listed


@command.command("approve")
@click.argument("case")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="For an authority's request: its document as you hold it.",
)
@at_desk
def approve(case: str, image: Path | None) -> Desk:
    """Agree to CASE. Never one's own, and never one of somebody who made one's account."""
    return lambda desk, token: _stage(case, agree(desk, token, case, image))


@command.command("refuse")
@click.argument("case")
@at_desk
def refuse(case: str) -> Desk:
    """Refuse CASE. One refusal ends it."""
    return lambda desk, token: _stage(case, desk.refuse(token, case))


@command.command("withdraw")
@click.argument("case")
@at_desk
def withdraw(case: str) -> Desk:
    """Take CASE back, asked or granted. For its asker."""
    return lambda desk, token: _stage(case, desk.withdraw(token, case))


@command.command("review")
@click.argument("case")
@click.option("--wrong", is_flag=True, help="It should not have been granted.")
@at_desk
def review(case: str, wrong: bool) -> Desk:
    """Say what looking at CASE afterwards found. For who neither asked nor answered."""
    return lambda desk, token: _stage(case, desk.review(token, case, sound=not wrong))


def _case(acted: Any) -> dict[str, Any]:
    return {"request": acted.request_id, "case": acted.made}


def _stage(case: str, acted: Any) -> dict[str, Any]:
    return {"request": acted.request_id, "case": case, "stage": acted.made}


def _json(document: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": SCHEMA, **document}, ensure_ascii=False, indent=2))


def _text(said: dict[str, Any], lang: Lang) -> None:
    if "cases" in said:
        for case in said["cases"]:
            click.echo("  ".join(f"{name}={value}" for name, value in case.items()))
        if not said["cases"]:
            click.echo(NOTHING.of().render(lang))
        return
    told = NOW_AT if "stage" in said else MADE
    click.echo(told.of(**said).render(lang))


command.add_command(duty)
command.add_command(watch)
