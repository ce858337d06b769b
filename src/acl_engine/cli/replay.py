"""`acl replay`: replay leaks against the engine; table, JSON, JUnit XML, one HTML page."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import click

from acl_engine.bootstrap.alarms import LOGGER
from acl_engine.bootstrap.paths import project_root
from acl_engine.cli.writing import write_whole
from acl_engine.domain.text import Lang
from acl_engine.replay.play import Order, Progress, play
from acl_engine.replay.report.document import document
from acl_engine.replay.report.junit import junit
from acl_engine.replay.report.page import page
from acl_engine.replay.report.table import print_table
from acl_engine.replay.result import Replay
from acl_engine.replay.transport import Serve, Site, Transport


@click.command("replay")
@click.argument("ids", nargs=-1, metavar="[IDS]...")
@click.option("--pack", default="courier", show_default=True, help="Whose scenarios to replay.")
@click.option(
    "--policy",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Replay against this policy folder alone; it must block. Without it: before and after.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "junit"]),
    default="table",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one self-contained HTML page, in Chinese and English.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the JSON document to this file too.",
)
@click.option("--lang", type=click.Choice(["zh", "en"]), is_eager=True, help="Language. 输出语言。")
@click.option("--allow-skipped", is_flag=True, help="A skipped scenario does not count as short.")
@click.option("--no-ablation", is_flag=True, help="Do not switch controls off (faster, weaker).")
@click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes.  [default: as many as help, at most 8]"
)
@click.pass_context
def command(
    ctx: click.Context,
    ids: tuple[str, ...],
    pack: str,
    policy: Path | None,
    form: str,
    report: Path | None,
    json_file: Path | None,
    lang: Lang | None,
    allow_skipped: bool,
    no_ablation: bool,
    jobs: int | None,
) -> None:
    """Replay leaks against the real engine in a synthetic world.

    Each scenario must really leak in the company of 2020, be stopped where and by what its file
    says after the remedy, and leak again with its controls off.

    \b
    acl replay --report replay.html
    acl replay courier.reverse-lookup courier.off-shift
    acl replay --policy policies/courier/before

    Exit code: 0 all as stated, 1 something fell short, 2 the call or a file is wrong.
    """
    language: Lang = lang or ctx.obj or "en"
    hush_alarms()
    order = Order(project_root(), pack, ids, policy, not no_ablation, allow_skipped, serve=site())
    with progress_bar() as progress:
        replay = play(order, progress)
    _print(replay, form, language)
    if json_file:
        write_whole(json_file, _json(replay))
    if report:
        write_whole(report, page(replay, language))
    ctx.exit(replay.exit_code)


def hush_alarms() -> None:
    """Alarms of made-up companies call nobody."""
    logging.getLogger(LOGGER).addHandler(logging.NullHandler())


def site() -> Serve | None:
    """What answers raw HTTP steps; without the server's packages such scenarios are skipped.

    Loaded by the first of them: that takes longer than a whole scenario without one.
    """
    if find_spec("starlette") is None:
        return None

    def serve(where: Site) -> Transport:
        from acl_engine.cli.replay_site import ReplaySite

        return ReplaySite(where)

    return serve


def _print(replay: Replay, form: str, lang: Lang) -> None:
    if form == "json":
        click.echo(_json(replay), nl=False)
    elif form == "junit":
        click.echo(junit(replay, lang), nl=False)
    else:
        print_table(replay, lang, sys.stdout)


def _json(replay: Replay) -> str:
    return json.dumps(document(replay), ensure_ascii=False, indent=1) + "\n"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    shown = console.is_terminal
    # No thread of its own: the replay forks.
    with Bar(
        *columns, console=console, transient=True, disable=not shown, auto_refresh=False
    ) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, name: str) -> None:
            bar.update(task, total=total, completed=done, description=name, refresh=True)

        yield progress
