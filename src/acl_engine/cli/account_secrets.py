"""acl account: how a person comes to their secrets, and how an administrator starts that."""

from datetime import UTC, datetime
from pathlib import Path

import click

from acl_engine.bootstrap.enrolling import Enrolling
from acl_engine.bootstrap.policies import policy_at
from acl_engine.cli.account_options import (
    administration,
    by_option,
    database_option,
    done,
    pack_option,
)
from acl_engine.domain.text import Lang
from acl_engine.identity.enrolment import MINUTES, MOST_MINUTES
from acl_engine.identity.totp import Totp, enrolment_uri


@click.command("start-enrolment")
@click.argument("login")
@click.option(
    "--minutes",
    type=click.IntRange(5, MOST_MINUTES),
    default=MINUTES,
    show_default=True,
    help="How long the code is good.",
)
@by_option
@pack_option
@database_option
@click.pass_obj
def start_enrolment(
    lang: Lang, login: str, minutes: int, by: str, pack: Path | None, url: str
) -> None:
    """Give LOGIN's person leave to set up their authenticator on the page /enrol of the service.

    Prints a code to hand to them: good once, for minutes, in place of any older one. On the page
    they show it with their password, or choose one where none is set, and with their bound device;
    then they scan the QR code, confirm it, and see their recovery codes. Nobody else sees the seed.

    \b
    acl account start-enrolment courier-9 --by adm-01
    """
    with Enrolling.open(url, policy_at(url, pack)) as enrolling:
        code = enrolling.start(login, by, minutes)
        until = datetime.fromtimestamp(enrolling.desk.now() + minutes * 60, UTC)
    click.echo(code)
    when = f"{until:%Y-%m-%d %H:%M} UTC"
    done(
        lang,
        f"交给 {login} 本人：在服务的 /enrol 页面输入，{when} 前有效，只显示这一次",
        f"hand it to {login}'s person, for the page /enrol of the service, until {when};"
        " it is shown this once",
    )


@click.command("set-password")
@click.argument("login")
@pack_option
@database_option
@click.pass_obj
def set_password(lang: Lang, login: str, pack: Path | None, url: str) -> None:
    """Set LOGIN's password, typed by its person. Ends their sessions."""
    with administration(url, pack) as desk:
        desk.account(login)
        password = click.prompt("password", hide_input=True, confirmation_prompt=True)
        desk.secrets.set_password(login, password)
    done(lang, "密码已设置", "the password is set")


@click.command("enrol-totp")
@click.argument("login")
@pack_option
@database_option
@click.pass_obj
def enrol_totp(lang: Lang, login: str, pack: Path | None, url: str) -> None:
    """Enrol LOGIN's authenticator: shows a QR code once and asks for its first code."""
    with administration(url, pack) as desk:
        desk.account(login)
        seed = Totp.new_seed()
        _show_qr(enrolment_uri(login, seed))
        code = click.prompt("code", hide_input=True)
        desk.secrets.enrol_totp(login, seed, code)
    done(lang, "第二因素已登记", "the second factor is enrolled")


@click.command("recovery-codes")
@click.argument("login")
@pack_option
@database_option
@click.pass_obj
def recovery_codes(lang: Lang, login: str, pack: Path | None, url: str) -> None:
    """Show LOGIN's new recovery codes, once, after a code of the authenticator.

    Each stands once for the one-time code when the authenticator is lost; password and bound
    device are asked for as ever. Older ones are void. Keep them on paper, away from the device.
    """
    with administration(url, pack) as desk:
        desk.account(login)
        code = click.prompt("code", hide_input=True)
        codes = desk.secrets.recovery_codes(login, code)
    for one in codes:
        click.echo(one)
    done(lang, "恢复码只显示这一次", "they are shown this once")


@click.command("reset")
@click.argument("login")
@by_option
@pack_option
@database_option
@click.pass_obj
def reset(lang: Lang, login: str, by: str, pack: Path | None, url: str) -> None:
    """Void LOGIN's password, authenticator and recovery codes; its person sets them anew.

    Then `acl account start-enrolment` for the page, or, typed by the person here:
    `acl account enrol-totp`, `acl account set-password`.
    """
    with administration(url, pack) as desk:
        desk.secrets.reset(login, by)
    done(lang, f"已重置 {login}，由本人重新设置", f"reset {login}; its person sets it up anew")


def _show_qr(uri: str) -> None:
    try:
        import segno
    except ModuleNotFoundError:
        click.echo(uri)
        return
    segno.make(uri).terminal(compact=True)


COMMANDS = (set_password, start_enrolment, enrol_totp, recovery_codes, reset)
