"""acl export: many records to named recipients, by two persons, masked, marked, with a term."""

from pathlib import Path
from typing import Any

import click

from acl_engine.cli.doorway import doorway
from acl_engine.cli.releases import (
    Desk,
    ReleaseGroup,
    Wanted,
    carry_out,
    format_option,
    listed,
    register_options,
    release_options,
)
from acl_engine.domain.text import Lang, Text

ENDED = Text("release.destroyed", "副本 {copy} 已登记销毁", "copy {copy} is on record as destroyed")


@click.group("export", cls=ReleaseGroup)
def command() -> None:
    """Give many records to named recipients.

    A second person must agree to exactly this selection, these recipients, this term and row cap.
    What leaves is masked as the policy says. Each recipient's copy holds a few made-up rows: a
    leaked one names whose copy it was (`acl audit trace`).

    \b
    acl world build --pack housing --database sqlite:///h.db
    acl export --database sqlite:///h.db --as reviewer-01 --by list=butie-2026 \\
        --purpose supervision --to audit-office --days 30
    acl approval approve CASE --database sqlite:///h.db --as director-01
    acl export --database sqlite:///h.db --as reviewer-01 --by list=butie-2026 \\
        --purpose supervision --to audit-office --days 30 --case CASE --out .

    Exit code 0: done. 1: denied, or copies are overdue. 2: the command is wrong.
    """


@command.command("make")
@click.option("--to", "recipients", multiple=True, required=True, help="A recipient; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), default=".", help="Folder of the copies.")
@release_options
@click.pass_context
def make(
    ctx: click.Context,
    /,
    out: Path,
    url: str,
    folder: Path | None,
    login: str,
    device: str | None,
    key_file: Path | None,
    form: str,
    **words: Any,
) -> None:
    """Ask for an export; with --case, make it: one CSV file a recipient."""
    desk = Desk(url, folder, login, device, key_file, form, ctx.obj)
    ctx.exit(carry_out(desk, "export", Wanted(**words), out))


@command.command("list")
@register_options
@format_option
@click.pass_context
def list_copies(ctx: click.Context, url: str, folder: Path | None, form: str) -> None:
    """The copies that are out, the first to expire first. Exit code 1: some are overdue."""
    with doorway(url, folder, "", None, None) as door:
        copies = door.engine.releases.live()
        overdue = door.engine.releases.overdue()
    listed(copies, form)
    ctx.exit(1 if overdue else 0)


@command.command("destroyed")
@click.argument("copy")
@register_options
@click.option("--by", required=True, help="Who says so, for the log.")
@click.pass_obj
def destroyed(lang: Lang, copy: str, url: str, folder: Path | None, by: str) -> None:
    """Put on record that the recipient of COPY has destroyed it."""
    with doorway(url, folder, by, None, None) as door:
        door.engine.releases.destroyed(copy, by)
    click.echo(ENDED.of(copy=copy).render(lang))
