"""acl mask: how strong a masking profile is, and masking a spreadsheet by one."""

import json
from dataclasses import asdict
from datetime import date

import click
from rich.console import Console
from rich.table import Table

from acl_engine.domain.text import Lang
from acl_engine.masking.profile_strength import LEAST, PICKUP_CODE, FieldStrength, strength
from acl_engine.masking.profiles import PROFILES, Profile, profile
from acl_engine.masking.strength import BORN, POPULATION, Known


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


@command.command("strength")
@click.argument("profiles", nargs=-1, required=True)
@click.option("--city", help="Count phones of this city alone, such as 深圳.")
@click.option(
    "--population",
    type=click.IntRange(1),
    default=POPULATION,
    show_default=True,
    help="People among whom a name is looked for.",
)
@click.option(
    "--born",
    type=(int, int),
    default=(BORN[0].year, BORN[1].year),
    show_default=True,
    help="First and last year of birth that an ID number may have.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def show_strength(
    lang: Lang,
    profiles: tuple[str, ...],
    city: str | None,
    population: int,
    born: tuple[int, int],
    form: str,
) -> None:
    """Candidates left under each of PROFILES, and under the join of them all.

    A viewer who reaches several views of one value knows their join. Phones are counted by the
    public segment table, in each number's own city.
    """
    if not 1900 <= born[0] <= born[1] <= 2100:
        raise click.BadParameter(
            "FIRST must not be after LAST, both 1900 to 2100", param_hint="--born"
        )
    known = Known(city, (date(born[0], 1, 1), date(born[1], 12, 31)), population)
    named = [profile(one) for one in dict.fromkeys(profiles)]
    found = [(one.id, strength([one.id], known)) for one in named]
    if len(named) > 1:
        found.append((" + ".join(one.id for one in named), strength(profiles, known)))
    if form == "json":
        _print_json(found, named)
    else:
        _print_table(found, named, lang)


_HEADS = {
    "zh": ("方案", "字段", "样例", "10%", "中位数", "90%"),
    "en": ("profile", "field", "sample", "10%", "median", "90%"),
}


def _print_table(
    found: list[tuple[str, tuple[FieldStrength, ...]]], named: list[Profile], lang: Lang
) -> None:
    table = Table(box=None, pad_edge=False)
    for at, head in enumerate(_HEADS[lang]):
        table.add_column(head, justify="right" if at > 2 else "left", overflow="fold")
    for name, rows in found:
        for row in rows:
            counts = (f"{count:,}" for count in (row.low, row.median, row.high))
            table.add_row(name, row.field, row.view, *counts)
    Console(width=100, highlight=False).print(table)
    for one in named:
        if one.flag:
            click.echo(f"! {one.id}: {one.flag.of().render(lang)}")
    for name, rows in found:
        for row in rows:
            if row.median < LEAST:
                text = PICKUP_CODE.of(field=row.field, left=row.median, least=LEAST)
                click.echo(f"! {name}: {text.render(lang)} ({text.hint(lang)})")


def _print_json(found: list[tuple[str, tuple[FieldStrength, ...]]], named: list[Profile]) -> None:
    flags = {one.id: one.flag.code for one in named if one.flag}
    document = {
        "schema": "acl-mask-strength/1",
        "profiles": [
            {"profile": name, "fields": [asdict(row) for row in rows]} for name, rows in found
        ],
        "flagged": flags,
    }
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
