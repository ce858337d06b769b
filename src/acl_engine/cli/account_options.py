"""Options and small words that the account and device commands share."""

from datetime import UTC, datetime
from pathlib import Path

import click

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang
from acl_engine.policy.pack import load_pack

database_option = click.option(
    "--database",
    "url",
    required=True,
    envvar="ACL_DATABASE",
    metavar="URL",
    help="sqlite:///FILE or postgresql://... (also ACL_DATABASE).",
)
by_option = click.option(
    "--by",
    required=True,
    metavar="LOGIN",
    help="The administrator who acts; must be one, and stands in the audit log.",
)
pack_option = click.option(
    "--pack",
    type=click.Path(path_type=Path),
    envvar="ACL_PACK",
    metavar="DIR",
    help="The policy whose rules hold (also ACL_PACK).  [default: policies/courier/after]",
)
unit_option = click.option(
    "--unit", "--area", "unit", required=True, help="Organisation unit: branch, hub, headquarters."
)
DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"])


def pack_of(folder: Path | None) -> Pack:
    """The pack that was named, else the courier company's remediated policy."""
    return load_pack(folder or project_root() / "policies" / "courier" / "after")


def administration(url: str, folder: Path | None) -> Administration:
    """The desk over a database, under a pack's rules. Close it by `with`."""
    return Administration.open(url, pack_of(folder))


def seconds(day: datetime) -> int:
    """Epoch seconds; UTC unless the text says otherwise."""
    return int((day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp())


def day_of(at: int | None) -> str:
    """A date as people read it; `-` for never."""
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else "-"


def done(lang: Lang, zh: str, en: str) -> None:
    click.echo(zh if lang == "zh" else en)
