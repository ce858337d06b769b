"""acl database: make an empty one, bring one to this program's schema, copy one that is in use."""

from pathlib import Path

import click

from acl_engine.cli.account_options import database_option
from acl_engine.domain.text import Lang
from acl_engine.storage.backup import backup as copy
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.schema import versions


@click.group("database")
def command() -> None:
    """The database itself: create, upgrade, back up. See docs/how-to/operate.md."""


@command.command("create")
@database_option
@click.pass_obj
def create(lang: Lang, url: str) -> None:
    """Make the tables in a new SQLite file or an empty PostgreSQL database: for real people."""
    create_or_upgrade(url).close()
    _said(lang, f"结构版本 {versions()[-1]}", f"schema version {versions()[-1]}")


@command.command("upgrade")
@database_option
@click.pass_obj
def upgrade(lang: Lang, url: str) -> None:
    """Bring an existing database to this program's schema: all or nothing. Back up first."""
    Database.open(url, must_be_current=False).close()  # a typing error makes no new database
    create_or_upgrade(url).close()
    _said(lang, f"结构版本 {versions()[-1]}", f"schema version {versions()[-1]}")


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@click.pass_obj
def backup(lang: Lang, file: Path, url: str) -> None:
    """Copy a SQLite database to FILE while it is in use. PostgreSQL: use pg_dump."""
    size = copy(url, file)
    _said(lang, f"已备份 {file.name}（{size} 字节）", f"backed up to {file.name} ({size} bytes)")


def _said(lang: Lang, zh: str, en: str) -> None:
    click.echo(zh if lang == "zh" else en)
