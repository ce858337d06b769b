"""acl account: what keeps accounts in force, and who answers for one."""

import json
from datetime import datetime
from pathlib import Path

import click

from acl_engine.bootstrap.account_standing import AccountStanding
from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.policies import policy_at
from acl_engine.bootstrap.responsibility import Card, card
from acl_engine.cli.account_options import (
    DATES,
    administration,
    by_option,
    database_option,
    day_of,
    done,
    pack_option,
    seconds,
)
from acl_engine.domain.text import Lang
from acl_engine.identity.standing import LAPSES


def standing(desk: Administration) -> AccountStanding:
    return AccountStanding(desk)


@click.command("undertaking")
@click.argument("person")
@click.option("--signed", type=DATES, help="The day it was signed (UTC).  [default: now]")
@click.option(
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The text that was signed; refused unless it is the current one.",
)
@by_option
@pack_option
@database_option
@click.pass_obj
def undertaking(
    lang: Lang,
    person: str,
    signed: datetime | None,
    file: Path | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Record that PERSON has signed the current undertaking (保密承诺书).

    Version and SHA-256 of its text are kept. A new version, or a changed text, is to be signed
    anew: until then the account is out of force.
    """
    text = file.read_bytes() if file else None
    with administration(url, pack) as desk:
        day = seconds(signed) if signed else desk.desk.now()
        started = standing(desk).sign(person, text, day, by)
    _recorded(lang, started)


@click.command("training")
@click.argument("person")
@click.option("--course", required=True, help="Which training it was.")
@click.option("--on", "day", type=DATES, help="The day it was taken (UTC).  [default: now]")
@by_option
@pack_option
@database_option
@click.pass_obj
def training(
    lang: Lang,
    person: str,
    course: str,
    day: datetime | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Record a training of PERSON. Without one of the last twelve months an account lapses."""
    with administration(url, pack) as desk:
        taken = seconds(day) if day else desk.desk.now()
        started = standing(desk).train(person, course, taken, by)
    _recorded(lang, started)


@click.command("extend")
@click.argument("person")
@click.option("--until", required=True, type=DATES, help="The new end of the term (UTC).")
@click.option("--sponsor", help="Id of another regular person who answers for them.")
@by_option
@pack_option
@database_option
@click.pass_obj
def extend(
    lang: Lang,
    person: str,
    until: datetime,
    sponsor: str | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Set the end of PERSON's employment."""
    with administration(url, pack) as desk:
        standing(desk).extend(person, seconds(until), sponsor, by)
    done(lang, f"期限：{day_of(seconds(until))}", f"until {day_of(seconds(until))}")


@click.command("recertify")
@click.argument("logins", nargs=-1)
@click.option("--due", is_flag=True, help="List what has to be confirmed instead.")
@click.option(
    "--within", "days", default=14, show_default=True, help="With --due: in how many days."
)
@by_option
@pack_option
@database_option
@click.pass_context
def recertify(
    ctx: click.Context,
    logins: tuple[str, ...],
    due: bool,
    days: int,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Confirm that LOGINS still need their accounts as they are.

    Only the next level up may: `--by` is the login of the nearest active superior. What is not
    confirmed in time is out of force.

    \b
    acl account recertify --due --by sup-0413
    acl account recertify courier-88 courier-89 --by sup-0413
    """
    lang: Lang = ctx.obj
    if bool(logins) == due:
        raise click.UsageError("name the logins to confirm, or --due to list them")
    with administration(url, pack) as desk:
        if due:
            person = desk.account(by).person or ""
            mine = standing(desk).due(person, days)
            for one in mine:
                click.echo(f"{one.login}  {one.role} @ {one.unit}  {day_of(one.certified_at)}")
            done(lang, f"{days} 天内待复核：{len(mine)}", f"due within {days} days: {len(mine)}")
            return
        for login in logins:
            standing(desk).certify(login, by)
            done(lang, f"已复核 {login}", f"confirmed {login}")


@click.command("sweep")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@by_option
@pack_option
@database_option
@click.pass_obj
def sweep(lang: Lang, dry_run: bool, by: str, pack: Path | None, url: str) -> None:
    """Suspend what has lapsed: dormant, unsigned, untrained, unconfirmed; let go who has ended.

    They are out of force already; this writes it down. Run it daily.
    """
    with administration(url, pack) as desk:
        acts = standing(desk)
        found = acts.lapsed() if dry_run else acts.sweep(by)
    for one in found:
        click.echo(LAPSES[one.lapse].of(login=one.login).render(lang))
    word_zh, word_en = ("将停用", "to suspend") if dry_run else ("已停用", "suspended")
    done(lang, f"{word_zh} {len(found)} 个", f"{word_en}: {len(found)}")


@click.command("audit")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@pack_option
@database_option
@click.pass_context
def audit(ctx: click.Context, form: str, pack: Path | None, url: str) -> None:
    """Check the whole directory. Exit 1 on findings.

    One person one account, duties apart, owners and superiors, second factors, devices,
    undertakings, training, confirmation, dormancy, sponsors.
    """
    lang: Lang = ctx.obj
    with administration(url, pack) as desk:
        found = desk.audit()
    if form == "json":
        rows = [
            {
                "code": one.code,
                "params": dict(one.params),
                "message": {"zh": one.render("zh"), "en": one.render("en")},
            }
            for one in found
        ]
        document = {"schema": "acl-account-audit/1", "findings": rows}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo(f"{one.code}: {one.render(lang)} ({one.hint(lang)})")
        done(lang, f"{len(found)} 项", f"{len(found)} findings")
    ctx.exit(1 if found else 0)


@click.command("responsibility")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@pack_option
@database_option
@click.pass_obj
def responsibility(lang: Lang, name: str, form: str, pack: Path | None, url: str) -> None:
    """Who answers for NAME (a login, or a person's id): person, superior, devices, rights,
    undertaking, training, last confirmation."""
    policy = policy_at(url, pack)
    with Administration.open(url, policy) as desk:
        found = card(desk, policy, name)
    if form == "json":
        document = {"schema": "acl-account-responsibility/1", **found.as_dict()}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for line in _lines(found, lang):
        click.echo(line)


def _lines(one: Card, lang: Lang) -> list[str]:
    pairs = (
        ("账号", "account", f"{one.login} ({one.status})"),
        ("责任人", "person", one.person),
        ("上级", "superior", one.superior),
        ("角色", "role", f"{one.role} @ {one.unit}"),
        ("设备", "devices", ", ".join(one.devices) or "-"),
        ("第二因素", "second factor", _factor(one, lang)),
        ("保密承诺书", "undertaking", f"{one.undertaking} {day_of(one.signed_at)}".strip()),
        ("培训", "training", f"{one.training} {day_of(one.trained_at)}".strip()),
        ("上次复核", "last confirmation", f"{day_of(one.certified_at)} {one.certified_by}".strip()),
        ("授权人", "granted by", one.made_by or "-"),
        ("最近登录", "last used", day_of(one.used_at)),
        ("期限", "term", day_of(one.ends_at)),
    )
    lines = [f"{zh if lang == 'zh' else en}: {value}" for zh, en, value in pairs]
    if one.purpose:
        lines.append(f"{'用途' if lang == 'zh' else 'purpose'}: {one.purpose}")
    for lapse in one.lacking:
        lines.append(
            ("缺：" if lang == "zh" else "lacking: ")
            + LAPSES[lapse].of(login=one.login).render(lang)
        )
    lines.append("权限：" if lang == "zh" else "rights:")
    return [*lines, *(f"  {right}" for right in one.rights or ("-",))]


def _factor(one: Card, lang: Lang) -> str:
    if lang == "zh":
        return "已登记" if one.totp else "未登记"
    return "enrolled" if one.totp else "none"


def _recorded(lang: Lang, started: list[str]) -> None:
    more = ", ".join(started)
    done(
        lang,
        "已记录" + (f"，生效：{more}" if more else ""),
        "recorded" + (f"; in force now: {more}" if more else ""),
    )


COMMANDS = (undertaking, training, extend, recertify, sweep, audit, responsibility)
