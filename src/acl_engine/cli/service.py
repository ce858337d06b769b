"""acl service: the applications that the central login serves."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from acl_engine.bootstrap.policies import policy_at
from acl_engine.bootstrap.service_desk import ServiceDesk, registered
from acl_engine.cli.account_options import by_option, database_option, pack_option
from acl_engine.domain.cas import ATTRIBUTES, RegisteredService
from acl_engine.domain.text import Lang


@click.group("service")
def command() -> None:
    """Applications registered with the central login: what each may know and do.

    Only registered applications are served; each learns a person's login, and the attributes that
    it is due, no more.
    """


@command.command("add")
@click.option("--name", required=True, help="Lower-case letters, figures, hyphens.")
@click.option("--url", "address", required=True, help="Where it lives; paths below belong to it.")
@click.option("--title", help="How people know it; shown on the login page.  [default: the name]")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME",
    help="What it is due; may be repeated. See `acl service attributes`.",
)
@click.option("--callback", metavar="URL", help="It may proxy: where its grants are sent.")
@click.option(
    "--proxied-by",
    multiple=True,
    metavar="NAME",
    help="A registered application that may act towards this one; may be repeated.",
)
@click.option("--logout-url", metavar="URL", help="Where it wants to be told of logouts.")
@click.option("--fresh", is_flag=True, help="Credentials each time: a live session is not enough.")
@by_option
@pack_option
@database_option
@click.pass_obj
def add(
    lang: Lang,
    name: str,
    address: str,
    title: str | None,
    attributes: tuple[str, ...],
    callback: str | None,
    proxied_by: tuple[str, ...],
    logout_url: str | None,
    fresh: bool,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Register an application.

    \b
    acl service add --name old-query --title 旧查询系统 --url https://query.example.com/ \\
        --attribute name --attribute role --by acct-admin-01 --database sqlite:///small.db
    """
    shown = name if title is None else title
    new = RegisteredService(
        name, address, shown, attributes, callback, proxied_by, logout_url, fresh
    )
    with ServiceDesk.open(url, policy_at(url, pack)) as desk:
        desk.add(new, by)
    click.echo(f"已登记 {name}" if lang == "zh" else f"registered {name}")


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@database_option
@click.pass_obj
def list_services(lang: Lang, form: str, url: str) -> None:
    """The registered applications."""
    found = registered(url)
    if form == "json":
        document = {"schema": "acl-service-list/1", "services": [asdict(one) for one in found]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for one in found:
        click.echo(f"{one.name}  {one.url}  {one.title}")
        for zh, en, value in (
            ("属性", "attributes", ", ".join(one.attributes)),
            ("代理回调", "callback", one.callback),
            ("可被其代理", "proxied by", ", ".join(one.proxied_by)),
            ("注销地址", "logout URL", one.logout_url),
            ("每次出示凭据", "fresh", "yes" if one.fresh else ""),
        ):
            if value:
                click.echo(f"    {zh if lang == 'zh' else en}: {value}")
    count = len(found)
    click.echo(f"{count} 个应用" if lang == "zh" else f"{count} applications")


@command.command("remove")
@click.argument("name")
@by_option
@pack_option
@database_option
@click.pass_obj
def remove(lang: Lang, name: str, by: str, pack: Path | None, url: str) -> None:
    """Remove an application: its people can no longer enter it through the central login."""
    with ServiceDesk.open(url, policy_at(url, pack)) as desk:
        desk.remove(name, by)
    click.echo(f"已移除 {name}" if lang == "zh" else f"removed {name}")


@command.command("attributes")
@click.pass_obj
def attributes(lang: Lang) -> None:
    """The attributes that an application can be due."""
    for name, text in ATTRIBUTES.items():
        click.echo(f"{name}: {text.of().render(lang)}")
