"""Options and small words that commands over a database share."""

from datetime import UTC, datetime
from pathlib import Path

import click

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.policies import policy_at
from acl_engine.domain.text import Lang

database_option = click.option(
    "--database",
    "url",
    required=True,
    envvar="ACL_DATABASE",
    metavar="URL",
    help="sqlite:///FILE or postgresql://... (also ACL_DATABASE).",
)
policy_option = click.option(
    "--policy",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The policy in force.  [default: the after of the world's own company]",
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
    metavar="PATH",
    help="The policy whose rules hold (also ACL_PACK): over real people a signed bundle, else a"
    " folder.  [default: ACL_POLICY, or in a synthetic world policies/courier/after]",
)
unit_option = click.option(
    "--unit", "--area", "unit", required=True, help="Organisation unit: branch, hub, headquarters."
)
DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"])


def administration(url: str, policy: Path | None) -> Administration:
    """The desk over a database, under a policy's rules. Close it by `with`."""
    return Administration.open(url, policy_at(url, policy))


def seconds(day: datetime) -> int:
    """Epoch seconds; UTC unless the text says otherwise."""
    return int((day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp())


def end_of(now: int, until: datetime | None, span: int | None, each: int, option: str) -> int:
    """When something ends: at `until`, or after `span` times `each` seconds from `now`."""
    if (until is None) == (span is None):
        raise click.UsageError(f"say --until or {option}")
    return seconds(until) if until is not None else now + (span or 0) * each


def day_of(at: int | None) -> str:
    """A date as people read it; `-` for never."""
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else "-"


def done(lang: Lang, zh: str, en: str) -> None:
    click.echo(zh if lang == "zh" else en)
