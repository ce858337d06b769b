"""acl account: one accountable person behind every account, from joining to leaving."""

from pathlib import Path

import click

from acl_engine.bootstrap.administration import Administration
from acl_engine.domain.staff import Person, StaffAccount
from acl_engine.domain.text import Lang
from acl_engine.identity.responsibility import APART
from acl_engine.identity.totp import Totp, enrolment_uri
from acl_engine.policy.pack import load_pack

database_option = click.option(
    "--database",
    "url",
    required=True,
    envvar="ACL_DATABASE",
    help="Database URL (also ACL_DATABASE).",
)
by_option = click.option(
    "--by", required=True, help="Login of the administrator who acts; stands in the audit log."
)


@click.group("account")
def command() -> None:
    """Accounts: create, move, suspend, leave; second factors; the audit of the directory.

    Every change ends the account's sessions at the next decision, and is on record before it is
    made. Whoever can run this on the database is trusted: `--by` is written down, not proven.
    """


@command.command("create")
@click.option("--login", required=True)
@click.option("--person", required=True, help="Id of the accountable person.")
@click.option("--name", help="The person's name, when the person is new.")
@click.option("--superior", help="Id of the new person's superior.")
@click.option("--role", required=True)
@click.option("--unit", required=True, help="Organisation unit.")
@click.option(
    "--pack", type=click.Path(path_type=Path), help="Pack whose roles there are; checked if given."
)
@by_option
@database_option
@click.pass_obj
def create(
    lang: Lang,
    login: str,
    person: str,
    name: str | None,
    superior: str | None,
    role: str,
    unit: str,
    pack: Path | None,
    by: str,
    url: str,
) -> None:
    """Create an account. Its person then sets a password and enrols a second factor."""
    if pack is not None and role not in {*load_pack(pack).roles, *APART}:
        raise click.BadParameter("the pack has no such role", param_hint="--role")
    with Administration.open(url) as administration:
        if name:
            administration.hire(Person(person, name, unit, superior, "active"), by)
        administration.create(login, person, role, unit, by)
    _done(lang, f"已创建 {login}", f"created {login}")


@command.command("move")
@click.argument("login")
@click.option("--role")
@click.option("--unit")
@by_option
@database_option
@click.pass_obj
def move(lang: Lang, login: str, role: str | None, unit: str | None, by: str, url: str) -> None:
    """Give LOGIN another role or unit; the old rights end at once."""
    if role is None and unit is None:
        raise click.UsageError("name --role, --unit or both")
    with Administration.open(url) as administration:
        administration.move(login, role, unit, by)
    _done(lang, f"已调动 {login}", f"moved {login}")


@command.command("suspend")
@click.argument("login")
@by_option
@database_option
@click.pass_obj
def suspend(lang: Lang, login: str, by: str, url: str) -> None:
    """Suspend LOGIN; live sessions end."""
    with Administration.open(url) as administration:
        administration.suspend(login, by)
    _done(lang, f"已停用 {login}", f"suspended {login}")


@command.command("resume")
@click.argument("login")
@by_option
@database_option
@click.pass_obj
def resume(lang: Lang, login: str, by: str, url: str) -> None:
    """Make a suspended LOGIN active again."""
    with Administration.open(url) as administration:
        administration.resume(login, by)
    _done(lang, f"已恢复 {login}", f"resumed {login}")


@command.command("leave")
@click.argument("person")
@by_option
@database_option
@click.pass_obj
def leave(lang: Lang, person: str, by: str, url: str) -> None:
    """PERSON has left: every account, session and device of theirs ends."""
    with Administration.open(url) as administration:
        administration.leave(person, by)
    _done(lang, f"{person} 已离职", f"{person} has left")


@command.command("set-password")
@click.argument("login")
@database_option
@click.pass_obj
def set_password(lang: Lang, login: str, url: str) -> None:
    """Set LOGIN's password, typed by its person. Ends their sessions."""
    with Administration.open(url) as administration:
        administration.account(login)
        password = click.prompt("password", hide_input=True, confirmation_prompt=True)
        administration.set_password(login, password)
    _done(lang, "密码已设置", "the password is set")


@command.command("enrol-totp")
@click.argument("login")
@database_option
@click.pass_obj
def enrol_totp(lang: Lang, login: str, url: str) -> None:
    """Enrol LOGIN's authenticator: shows a QR code once and asks for its first code."""
    with Administration.open(url) as administration:
        administration.account(login)
        seed = Totp.new_seed()
        _show_qr(enrolment_uri(login, seed))
        code = click.prompt("code", hide_input=True)
        administration.enrol_totp(login, seed, code)
    _done(lang, "第二因素已登记", "the second factor is enrolled")


@command.command("audit")
@database_option
@click.pass_context
def audit(ctx: click.Context, url: str) -> None:
    """Check the directory: owners, duties, superiors, factors, devices. Exit 1 on findings."""
    lang: Lang = ctx.obj
    with Administration.open(url) as administration:
        found = administration.audit()
    for one in found:
        click.echo(f"{one.code}: {one.render(lang)} ({one.hint(lang)})")
    _done(lang, f"{len(found)} 项", f"{len(found)} findings")
    ctx.exit(1 if found else 0)


@command.command("responsibility")
@click.argument("login")
@database_option
@click.pass_obj
def responsibility(lang: Lang, login: str, url: str) -> None:
    """Who answers for LOGIN: person, superior, role, unit, devices."""
    with Administration.open(url) as administration:
        account = administration.account(login)
        staff = administration.staff()
    people = {person.id: person for person in staff.persons}
    person = people.get(account.person or "")
    superior = people.get(person.superior or "") if person else None
    devices = [one for one in staff.devices if one.person in (account.person, login)]
    held = ", ".join(f"{one.id} ({one.device_class}, {one.status})" for one in devices)
    lines = (
        ("账号", "account", f"{login} ({account.status})"),
        ("责任人", "person", f"{person.id} {person.name} ({person.status})" if person else "-"),
        ("上级", "superior", f"{superior.id} {superior.name}" if superior else "-"),
        ("角色", "role", f"{account.role} @ {account.unit}"),
        ("设备", "devices", held or "-"),
        ("第二因素", "second factor", _factor(account, lang)),
    )
    for zh, en, value in lines:
        click.echo(f"{zh if lang == 'zh' else en}: {value}")


def _factor(account: StaffAccount, lang: Lang) -> str:
    if lang == "zh":
        return "已登记" if account.totp else "未登记"
    return "enrolled" if account.totp else "none"


def _show_qr(uri: str) -> None:
    try:
        import segno
    except ModuleNotFoundError:
        click.echo(uri)
        return
    segno.make(uri).terminal(compact=True)


def _done(lang: Lang, zh: str, en: str) -> None:
    click.echo(zh if lang == "zh" else en)
