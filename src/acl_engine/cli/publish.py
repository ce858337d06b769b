"""acl publish: a list for everybody, masked before it leaves, by two persons, with a term."""

from itertools import islice
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
    pairs,
    register_options,
    release_options,
)
from acl_engine.cli.spreadsheets import reading
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.pack import ResourceSpec
from acl_engine.domain.text import Lang, Text
from acl_engine.enforcement.listed import ListedRecords

EMPTY = Text(
    "publish.empty",
    "清单为空",
    "the list is empty",
    "需要表头与数据行",
    "a header and rows are needed",
)
DOWN = Text("publish.down", "已下架：{copy}", "taken down: {copy}")
STRANGER = Text(
    "publish.stranger",
    "公示目录中的 `{file}` 没有登记：不是经本系统发布的",
    "`{file}` in the folder is not registered: it was not published through this system",
    "查明来源后移走",
    "find out who put it there, and take it away",
)
OVERDUE = Text(
    "publish.overdue",
    "导出副本 {copy}（{recipient}）已到期，尚未确认销毁",
    "exported copy {copy} ({recipient}) has run out and is not confirmed as destroyed",
    "确认后运行 acl export destroyed {copy}",
    "once it is, run acl export destroyed {copy}",
)


@click.group("publish", cls=ReleaseGroup)
def command() -> None:
    """Publish a list: masked by the policy's publishing profile, agreed to by a second person.

    LIST is a CSV or XLSX file with the original data; its headers are the catalogue's titles.
    What the policy does not publish is left out, whatever the file holds. --by says what the list
    is. The second person sees that, the rows, the masks and the term, and agrees to this content.

    \b
    acl world build --pack housing --database sqlite:///h.db
    acl publish seeds/housing/gongzufang-2026-2.csv --drop 序号 --database sqlite:///h.db \\
        --as publisher-01 --by list=gongzufang-2026-2 --by stage=REVIEWED \\
        --purpose public-notice --days 30
    acl approval approve CASE --database sqlite:///h.db --as director-01
    acl publish ... the same ... --case CASE --site public_html
    acl publish sweep --site public_html --database sqlite:///h.db --by timer

    Exit code 0: done. 1: denied, or the sweep found what is wrong. 2: the command is wrong.
    """


@command.command("make")
@click.argument("source", metavar="[LIST]", required=False, type=click.Path(path_type=Path))
@click.option("--column", multiple=True, metavar="HEADER=FIELD", help="What a column is.")
@click.option("--drop", multiple=True, metavar="HEADER", help="Leave a column out.")
@click.option("--encoding", help="Of a CSV file.  [default: found out]")
@click.option("--site", type=click.Path(path_type=Path), help="Folder that is published.")
@release_options
@click.pass_context
def make(
    ctx: click.Context,
    /,
    source: Path | None,
    column: tuple[str, ...],
    drop: tuple[str, ...],
    encoding: str | None,
    site: Path | None,
    url: str,
    folder: Path | None,
    login: str,
    device: str | None,
    key_file: Path | None,
    form: str,
    **words: Any,
) -> None:
    """Ask to publish LIST (without LIST: the store's records); with --case, publish it."""
    if (site is None) == (words["case"] is not None):
        raise click.UsageError("--case and --site go together")
    desk = Desk(url, folder, login, device, key_file, form, ctx.obj)

    def read(spec: ResourceSpec, most: int) -> ListedRecords:
        assert source is not None
        return _read(source, spec, most, pairs("--column", column), drop, encoding)

    wanted = Wanted(**words)
    ctx.exit(carry_out(desk, "publish", wanted, site, read if source else None))


def _read(
    source: Path,
    spec: ResourceSpec,
    most: int,
    columns: dict[str, str],
    dropped: tuple[str, ...],
    encoding: str | None,
) -> ListedRecords:
    """At most one row more than may be published. Raises InputError, naming the file."""
    try:
        with reading(source, encoding, ",") as rows:
            table = [cells for _, cells in islice(rows, most + 2)]
        if len(table) < 2:
            raise InputError(EMPTY.of())
        return ListedRecords.of(spec, table, columns, dropped)
    except InputError as error:
        raise InputError(error.message, error.where or Where(str(source))) from None


@command.command("sweep")
@click.option("--site", type=click.Path(path_type=Path), required=True, help="Published folder.")
@register_options
@click.option("--by", default="sweep", show_default=True, help="Who runs it, for the log.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken down.")
@click.pass_context
def sweep(
    ctx: click.Context, site: Path, url: str, folder: Path | None, by: str, dry_run: bool
) -> None:
    """Take down what has run out, and report files that nobody may have put there.

    Run it by a timer. Exit code 1: there is a stranger in the folder, or an exported copy is
    overdue.
    """
    lang: Lang = ctx.obj
    with doorway(url, folder, by, None, None) as door:
        found = door.engine.releases.sweep(site, by, dry_run=dry_run)
    for copy in found.down:
        click.echo(DOWN.of(copy=copy.id).render(lang))
    for file in found.strangers:
        _warn(STRANGER.of(file=file), lang)
    for one in found.overdue:
        _warn(OVERDUE.of(copy=one.id, recipient=one.recipient), lang)
    ctx.exit(0 if found.clean else 1)


def _warn(message: Any, lang: Lang) -> None:
    click.echo(f"{message.render(lang)} ({message.hint(lang)})")


@command.command("list")
@register_options
@format_option
def list_publications(url: str, folder: Path | None, form: str) -> None:
    """What is published now, the first to expire first."""
    with doorway(url, folder, "", None, None) as door:
        listed([one for one in door.engine.releases.live() if one.kind == "publish"], form)
