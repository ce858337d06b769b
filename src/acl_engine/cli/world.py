"""acl world: build the synthetic company, say what it holds, import a published parcel trace."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from acl_engine.bootstrap.paths import project_root
from acl_engine.cli import badge
from acl_engine.cli.account_options import database_option
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Lang, Text
from acl_engine.replay.world.build import SecretsKind, build_world
from acl_engine.replay.world.company import CHINA, make_world
from acl_engine.replay.world.lade import import_trace, survey
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.seed import read_seed
from acl_engine.storage import bulk
from acl_engine.storage.census import Census, Mark, census
from acl_engine.storage.database import Database, world_seed

SMALL_SEED = "courier-small"
SMALL_WAYBILLS = 300
# What takes longer than this shows a bar.
_PATIENCE_SECONDS = 2.0

BUILT = Text(
    "world.built",
    "已建成：{waybills} 件运单，{customers} 位客户，种子 `{seed}`，用时 {seconds} 秒",
    "built: {waybills} waybills, {customers} customers, seed `{seed}`, in {seconds} s",
)
BUILT_RECORDS = Text(
    "world.built-records",
    "已建成：{records} 条记录，种子 `{seed}`，用时 {seconds} 秒",
    "built: {records} records, seed `{seed}`, in {seconds} s",
)
NO_COMPANY = Text(
    "world.no-company",
    "没有种子 `{pack}`",
    "there is no seed `{pack}`",
    "可用：{known}",
    "known: {known}",
)
IMPORTED = Text(
    "world.imported",
    "已导入：{rows} 件揽收，{regions} 个区域，{couriers} 名收派员，用时 {seconds} 秒",
    "imported: {rows} pickups, {regions} regions, {couriers} couriers, in {seconds} s",
)
SYNTHETIC = Text(
    "world.is-synthetic",
    "合成世界：包 `{pack}`，种子 `{seed}`，世界时间 {at}",
    "synthetic world: pack `{pack}`, seed `{seed}`, its now is {at}",
)
UNFINISHED = Text(
    "world.is-unfinished",
    "未建完的合成世界：不可使用，请加 --replace 重建",
    "a synthetic world that was not finished: not usable, build it with --replace",
)
REAL = Text(
    "world.is-real",
    "没有合成世界标记：按真实数据对待，重放与关闭控制一律拒绝",
    "no mark of a synthetic world: taken as real people, replay refuses it",
)
UNITS = Text("world.units", "组织", "units")
ACCOUNTS = Text("world.accounts", "账号", "accounts")
WAYBILLS = Text("world.waybills", "运单", "waybills")
CUSTOMERS = Text("world.customers", "客户", "customers")

_SEED = click.option(
    "--seed", default=SMALL_SEED, show_default=True, help="The same seed gives the same bytes."
)
_REPLACE = click.option(
    "--replace", is_flag=True, help="Delete the synthetic world that the database holds."
)
_SECRETS = click.option(
    "--secrets",
    type=click.Choice(["strong", "weak"]),
    default="strong",
    show_default=True,
    help="weak: the guessable, shared passwords of 2020.",
)


@click.group("world")
def command() -> None:
    """The synthetic company: build it at any size, count it, import a published trace."""


command.add_command(badge.command)


@command.command("build")
@database_option
@click.option(
    "--waybills",
    type=click.IntRange(0, 50_000_000),
    default=SMALL_WAYBILLS,
    show_default=True,
    help="How many; the parcels that scenarios name are always there.",
)
@_SEED
@click.option("--pack", default="courier", show_default=True, help="Whose: a folder of seeds/.")
@_SECRETS
@_REPLACE
@click.pass_obj
def build(
    lang: Lang,
    url: str,
    waybills: int,
    seed: str,
    pack: str,
    secrets: SecretsKind,
    replace: bool,
) -> None:
    """Make the company of a seed: the courier's, or another pack's.

    The database is made or migrated as needed. It carries the mark of a synthetic world, without
    which nothing lets a control be switched off. A database that holds anything else is refused.

    \b
    acl world build --database sqlite:///small.db
    acl world build --waybills 1000000 --database sqlite:///big.db
    """
    started = time.monotonic()
    world = make_world(*read_seed(_company(pack)), seed, waybills)
    with bulk.prepare(url, replace=replace) as database:
        with _bar(max(waybills, len(world.company.parcels))) as progress:
            build_world(
                database,
                world,
                waybills,
                synthetic_sealing(seed),
                secrets=secrets,
                replace=replace,
                progress=progress,
            )
        _say_built(lang, census(database), seed, started)


def _company(pack: str) -> Path:
    folder = project_root() / "seeds" / pack
    if not (folder / "company.yaml").is_file():
        known = ", ".join(sorted(one.parent.name for one in folder.parent.glob("*/company.yaml")))
        raise InputError(NO_COMPANY.of(pack=pack, known=known))
    return folder


@command.command("import-lade")
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@_SEED
@_REPLACE
@click.pass_obj
def import_lade(lang: Lang, file: Path, url: str, seed: str, replace: bool) -> None:
    """Add a published LaDe pickup file to the company, with synthetic people.

    Its regions become branches; its couriers, areas and pickups keep their shape and times. A
    database without a world gets the small one first. A file with bad rows is refused whole.
    """
    started = time.monotonic()
    trace = survey(file)
    with _world_for_import(url, seed, replace) as database:
        seed = world_seed(database)
        base = make_world(*read_seed(project_root() / "seeds" / "courier"), seed, 0)
        with _bar(trace.rows) as progress:
            import_trace(database, base, trace, synthetic_sealing(seed), progress)
    said = IMPORTED.of(
        rows=f"{trace.rows:,}",
        regions=len(trace.areas),
        couriers=f"{len(trace.couriers):,}",
        seconds=f"{time.monotonic() - started:.1f}",
    )
    click.echo(said.render(lang))


def _world_for_import(url: str, seed: str, replace: bool) -> Database:
    """The synthetic world that stands there, or a small one made for the purpose."""
    if not replace and bulk.has_world(url):
        return Database.open(url)
    database = bulk.prepare(url, replace=replace)
    try:
        world = make_world(*read_seed(project_root() / "seeds" / "courier"), seed, SMALL_WAYBILLS)
        sealing = synthetic_sealing(seed)
        build_world(database, world, SMALL_WAYBILLS, sealing, replace=replace)
    except BaseException:
        database.close()
        raise
    return database


@command.command("show")
@database_option
@click.pass_obj
def show(lang: Lang, url: str) -> None:
    """Count what a world holds: units, accounts by role, waybills by stage."""
    with Database.open(url, may_be_unfinished=True) as database:
        found = census(database)
    click.echo(_mark(found.mark, lang))
    for title, counts in (
        (UNITS, found.units),
        (ACCOUNTS, found.accounts),
        (WAYBILLS, found.waybills),
        (CUSTOMERS, {"": found.customers}),
    ):
        click.echo(_counted(title.of().render(lang), counts))
    for type_, stages in found.records.items():
        click.echo(_counted(type_, stages))


def _say_built(lang: Lang, found: Census, seed: str, started: float) -> None:
    waybills = sum(found.waybills.values())
    records = sum(sum(stages.values()) for stages in found.records.values())
    took = {"seed": seed, "seconds": f"{time.monotonic() - started:.1f}"}
    if records and not waybills:
        said = BUILT_RECORDS.of(records=f"{records:,}", **took)
    else:
        said = BUILT.of(waybills=f"{waybills:,}", customers=f"{found.customers:,}", **took)
    click.echo(said.render(lang))


def _mark(mark: Mark | None, lang: Lang) -> str:
    if mark is None or mark.kind != "synthetic":
        return REAL.of().render(lang)
    if not mark.finished:
        return UNFINISHED.of().render(lang)
    at = datetime.fromtimestamp(mark.built_at, CHINA).isoformat()
    return SYNTHETIC.of(pack=mark.pack, seed=mark.seed, at=at).render(lang)


def _counted(title: str, counts: Mapping[str, int]) -> str:
    """One line: the total, then each part."""
    parts = ", ".join(f"{name} {count:,}" for name, count in counts.items() if name)
    total = f"{title}: {sum(counts.values()):,}"
    return f"{total} ({parts})" if parts else total


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr that appears once the work has taken two seconds."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=total)
    started = time.monotonic()

    def progress(done: int) -> None:
        bar.update(task, completed=done)
        if not bar.live.is_started and time.monotonic() - started > _PATIENCE_SECONDS:
            bar.start()

    try:
        yield progress
    finally:
        if bar.live.is_started:
            bar.stop()
