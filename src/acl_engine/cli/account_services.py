"""acl account: service accounts, and the tokens that they are let in by."""

from pathlib import Path

import click

from acl_engine.bootstrap.service_access import ServiceAccess
from acl_engine.cli.account_options import (
    administration,
    by_option,
    database_option,
    day_of,
    done,
    pack_option,
    unit_option,
)
from acl_engine.domain.text import Lang
from acl_engine.identity.service_tokens import MOST_DAYS, PURPOSES


@click.command("create-service")
@click.option("--login", required=True, help="The service account's name, such as svc-label.")
@click.option("--owner", required=True, help="Id of the person who answers for it.")
@click.option("--purpose", required=True, help="Its one use, in a few words.")
@click.option("--role", required=True, help="A role of the policy that no person has.")
@unit_option
@by_option
@pack_option
@database_option
@click.pass_obj
def create_service(
    lang: Lang,
    login: str,
    owner: str,
    purpose: str,
    role: str,
    unit: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Create a service account: an owner, one purpose, no password. Bind a device key next."""
    with administration(url, pack) as desk:
        desk.create(login, owner, role, unit, by, purpose=purpose)
    done(lang, f"已创建服务 {login}", f"created the service {login}")


@click.command("issue-token")
@click.argument("login")
@click.option("--purpose", required=True, type=click.Choice(PURPOSES), help="Good for this alone.")
@click.option(
    "--days", default=90, show_default=True, type=click.IntRange(1, MOST_DAYS), help="Its term."
)
@by_option
@pack_option
@database_option
@click.pass_obj
def issue_token(
    lang: Lang, login: str, purpose: str, days: int, by: str, pack: Path | None, url: str
) -> None:
    """Give the service LOGIN a bearer token. It is shown once.

    It dies with its term, with `revoke-tokens`, and with any change of the account or its owner.
    """
    with administration(url, pack) as desk:
        token = ServiceAccess(desk.desk).issue(login, purpose, days, by)
    done(lang, "令牌（只显示一次）：", "the token (shown once):")
    click.echo(token)


@click.command("revoke-tokens")
@click.argument("login")
@by_option
@pack_option
@database_option
@click.pass_obj
def revoke_tokens(lang: Lang, login: str, by: str, pack: Path | None, url: str) -> None:
    """End every token of the service LOGIN, at the next request."""
    with administration(url, pack) as desk:
        ended = ServiceAccess(desk.desk).revoke(login, by)
    done(lang, f"已撤销 {ended} 个令牌", f"revoked tokens: {ended}")


@click.command("tokens")
@click.argument("login")
@pack_option
@database_option
@click.pass_obj
def tokens(lang: Lang, login: str, pack: Path | None, url: str) -> None:
    """List the service LOGIN's tokens: purpose, given by, from and until. Never the token."""
    with administration(url, pack) as desk:
        held = ServiceAccess(desk.desk).held(login)
    for one in held:
        term = f"{day_of(one.created_at)} .. {day_of(one.expires_at)}"
        click.echo(f"{one.purpose}  {term}  {one.made_by}")
    done(lang, f"{len(held)} 个", f"tokens: {len(held)}")


COMMANDS = (create_service, issue_token, revoke_tokens, tokens)
