"""acl mask: how strong a masking profile is, and masking a spreadsheet by one."""

import codecs
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from acl_engine.cli.mask_file import mask_file, report_json
from acl_engine.cli.mask_strength import show_strength
from acl_engine.cli.spreadsheets import is_xlsx
from acl_engine.domain.text import Lang, Text
from acl_engine.masking.profiles import PROFILES
from acl_engine.masking.table import TableMask

NOT_DECLARED = Text(
    "file-not-declared",
    "{rows} 行已脱敏；有未声明（或要求保留）的列看起来含个人信息",
    "{rows} rows masked; columns nobody declared (or to be kept) look like personal data",
    "用 --column 列名=类型 声明",
    "declare them with --column NAME=KIND",
)


@click.group("mask")
def command() -> None:
    """Masking profiles: list them, measure them, mask a file by one."""


@command.command("list")
@click.pass_obj
def list_profiles(lang: Lang) -> None:
    """The profiles and what each shows."""
    for one in PROFILES.values():
        click.echo(f"{one.id:16} {one.zh if lang == 'zh' else one.en}")
        if one.flag:
            click.echo(f"{'':16} ! {one.flag.of().render(lang)}")


@command.command("file")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, dir_okay=False))
@click.argument(
    "target", metavar="[OUT]", required=False, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--profile", "name", required=True, help="Masking profile: see `acl mask list`.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=KIND",
    help="What a column holds (phone, name, id_number, address, plate, code, money, number, "
    "free_text, plain), or `keep` to leave it in clear. Known headers need no declaring.",
)
@click.option("--city", help="Where the people of the table are, when no column says it.")
@click.option("--encoding", help="Of a CSV file; found out when not given.")
@click.option("--delimiter", default=",", show_default=True, help="Between cells; `tab` for a tab.")
@click.option("--dry-run", is_flag=True, help="Write nothing; the report alone.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def file(
    lang: Lang,
    source: Path,
    target: Path | None,
    name: str,
    columns: tuple[str, ...],
    city: str | None,
    encoding: str | None,
    delimiter: str,
    dry_run: bool,
    force: bool,
    form: str,
) -> None:
    """Mask the spreadsheet IN (CSV or XLSX) into OUT.

    A column that nobody declared is masked as free text. The report says what looked like
    personal data in it. Nothing is written when a row is refused.

    \b
    acl mask file orders.csv masked.csv --profile screen-strict
    acl mask file orders.xlsx masked.xlsx --profile pickup --column 客户=name --column 件数=keep
    acl mask file orders.csv --profile screen-strict --dry-run
    """
    if dry_run == (target is not None):
        raise click.UsageError("name OUT, or --dry-run and no OUT")
    declared = dict(_pair(one) for one in columns)
    size = None if is_xlsx(source) or not source.exists() else source.stat().st_size
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(source.name, total=size)
        table = mask_file(
            source,
            target,
            name,
            declared,
            city=city,
            encoding=_known(encoding),
            delimiter=_sign(delimiter),
            force=force,
            advance=lambda done: progress.update(task, completed=done),
        )
    if form == "json":
        click.echo(report_json(table))
    else:
        _print_report(table, lang)


def _pair(declared: str) -> tuple[str, str]:
    column, sign, kind = declared.rpartition("=")
    if not sign or not column:
        raise click.BadParameter("write NAME=KIND", param_hint="--column")
    return column, kind


def _sign(delimiter: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(sign) != 1 or sign in '"\r\n':
        raise click.BadParameter("one character, or `tab`", param_hint="--delimiter")
    return sign


def _known(encoding: str | None) -> str | None:
    try:
        return codecs.lookup(encoding).name if encoding else None
    except LookupError:
        raise click.BadParameter("no such encoding", param_hint="--encoding") from None


_REPORT = {
    "zh": ("列", "类型", "单元格", "全隐藏", "公式", "疑似个人信息"),
    "en": ("column", "kind", "cells", "hidden", "formulas", "looks personal"),
}


def _print_report(table: TableMask, lang: Lang) -> None:
    shown = Table(box=None, pad_edge=False)
    for at, head in enumerate(_REPORT[lang]):
        shown.add_column(head, justify="right" if at > 1 else "left", overflow="fold")
    for one in table.columns:
        kind = (one.kind or "keep") if one.declared else f"? {one.kind}"
        counts = (one.cells, one.hidden, one.formulas, one.looked_personal)
        shown.add_row(one.name, kind, *(f"{count:,}" for count in counts))
    Console(width=100, highlight=False).print(shown)
    if any(one.looked_personal for one in table.columns):
        text = NOT_DECLARED.of(rows=table.rows)
        click.echo(f"! {text.render(lang)} ({text.hint(lang)})")


command.add_command(show_strength)
