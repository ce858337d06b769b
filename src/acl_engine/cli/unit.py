"""acl unit: the organisation that people, accounts and devices belong to."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from acl_engine.bootstrap.organisation import UnitAdministration
from acl_engine.cli.account_options import (
    administration,
    by_option,
    database_option,
    done,
    pack_option,
)
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.organisation import Unit
from acl_engine.domain.text import Lang
from acl_engine.identity.organisation import unit_rows
from acl_engine.identity.staff_file import Table
from acl_engine.policy.strict_yaml import MISSING


@click.group("unit")
def command() -> None:
    """Organisation units: headquarters, provinces, hubs, branches, stations.

    What a person may see reaches from their unit downwards, so a unit never changes its place. The
    first units are made before there is an administrator, by whoever holds the database.

    \b
    acl unit add hq --kind hq --zh 总部 --en Headquarters --by setup
    acl unit add ba-1 --kind branch --parent hq --zh 一部 --en "Branch 1" --city 深圳市 --by setup
    acl unit import units.csv --by adm-01
    """


@command.command("add")
@click.argument("unit")
@click.option("--parent", default="", help="The unit above; only the head has none.")
@click.option("--kind", required=True, help="The company's word: hq, province, hub, branch...")
@click.option("--zh", required=True, help="Chinese name.")
@click.option("--en", required=True, help="English name.")
@click.option("--city", default="", help="Where it works, as addresses are written: 深圳市.")
@click.option("--district", default="", help="Its district: 宝安区.")
@click.option("--franchise", is_flag=True, help="It is another legal person.")
@by_option
@pack_option
@database_option
@click.pass_obj
def add(
    lang: Lang,
    unit: str,
    parent: str,
    kind: str,
    zh: str,
    en: str,
    city: str,
    district: str,
    franchise: bool,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Add UNIT below its parent."""
    cells = {"id": unit, "parent": parent, "kind": kind, "zh": zh, "en": en, "city": city}
    cells |= {"district": district, "franchise": "yes" if franchise else "no"}
    rows, bad = unit_rows(Table(((1, cells),), ()))
    if bad:
        raise InputError(bad[0].message)
    with administration(url, pack) as desk:
        UnitAdministration(desk).add((rows[0][1],), by)
    done(lang, f"已新增单位 {unit}", f"added unit {unit}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@click.option("--encoding", default="utf-8-sig", show_default=True, help="Of FILE.")
@by_option
@pack_option
@database_option
@click.pass_context
def import_(
    ctx: click.Context,
    file: Path,
    dry_run: bool,
    encoding: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Add the units of a CSV file: all of them, or with one bad row none.

    Columns: id, parent (empty for the head), kind, zh, en; may be left out: city, district,
    franchise (yes, no). A unit that is there as the row says is passed over.
    """
    lang: Lang = ctx.obj
    try:
        data = file.read_bytes()
    except OSError as failure:
        raise InputError(MISSING.of(why=failure.strerror or "?"), Where(str(file))) from None
    with administration(url, pack) as desk:
        acts = UnitAdministration(desk)
        new, findings = acts.plan(data, str(file), encoding=encoding)
        for one in findings:
            click.echo(f"{file}:{one.row}: {one.message.render(lang)} ({one.message.hint(lang)})")
        if findings:
            many = len({one.row for one in findings})
            done(lang, f"{many} 行有误，未作任何修改", f"rows refused: {many}; nothing was changed")
            ctx.exit(2)
        if new and not dry_run:
            acts.add(new, by)
    for unit in new:
        click.echo(_line(unit, lang))
    done(lang, f"{'将新增' if dry_run else '已新增'} {len(new)} 个", _count(len(new), dry_run))


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@pack_option
@database_option
@click.pass_obj
def list_(lang: Lang, form: str, pack: Path | None, url: str) -> None:
    """List every unit below the one above it."""
    with administration(url, pack) as desk:
        units = UnitAdministration(desk).units()
    if form == "json":
        document = {"schema": "acl-units/1", "units": [asdict(one) for one in units]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    below: dict[str | None, list[Unit]] = {}
    for one in units:
        below.setdefault(one.parent, []).append(one)
    stack = [(one, 0) for one in reversed(below.get(None, []))]
    while stack:
        unit, depth = stack.pop()
        click.echo("  " * depth + _line(unit, lang))
        stack.extend((one, depth + 1) for one in reversed(below.get(unit.id, [])))


def _line(unit: Unit, lang: Lang) -> str:
    return f"{unit.id}  {unit.kind}  {unit.name_zh if lang == 'zh' else unit.name_en}"


def _count(many: int, dry_run: bool) -> str:
    return f"{'to add' if dry_run else 'added'}: {many}"
