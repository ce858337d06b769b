"""acl policy backtest: who would have been denied, had a policy been in force in the past."""

from pathlib import Path

import click

from acl_engine.cli.account_options import database_option
from acl_engine.cli.encodings import detect_encoding
from acl_engine.cli.facts import given_facts, one_of
from acl_engine.cli.progress import counting_bar
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action
from acl_engine.domain.text import Lang
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database

_ROWS = 15
# What no log tells: that a second factor was shown within minutes before.
FRESH = "fresh_factor"


@click.command("backtest")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    help="A CSV, or a copy of this engine's log.  [default: the log in the database]",
)
@click.option("--resource", help="Type of record.  [default: the policy's first]")
@click.option(
    "--action", "actions", multiple=True, metavar="OLD=NEW", help="What a word of the log means."
)
@click.option("--assume", multiple=True, metavar="NAME=VALUE", help="A fact about all who asked.")
@click.option(
    "--utc-offset",
    type=click.FloatRange(-12, 14),
    default=8.0,
    show_default=True,
    help="Hours east of UTC of times without a zone.",
)
@click.option("--encoding", help="Of the CSV.  [default: found out]")
@click.option("--rows", type=click.IntRange(1), default=_ROWS, show_default=True, help="A table.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@database_option
@click.pass_context
def backtest_command(
    ctx: click.Context,
    folder: Path,
    log: Path | None,
    resource: str | None,
    actions: tuple[str, ...],
    assume: tuple[str, ...],
    utc_offset: float,
    encoding: str | None,
    rows: int,
    form: str,
    url: str,
) -> None:
    """Whom the policy in DIR would have denied, over a log of past accesses.

    The facts of each moment (shift, custody, assignment, tickets) are read from the history in the
    database; the decisions are the engine's own. Nothing is written.

    \b
    acl policy backtest policies/courier/after --log 2020-10.csv --database sqlite:///co.db
    acl policy backtest new-policy --database postgresql://... --format json

    A CSV names its columns in the first line: time,account,action,waybill (时间,账号,操作,运单号),
    and device where there is one; without it every access counts as made on a bound device
    (--assume device_bound=false: as on none). What an old system calls an action is said by
    --action 查询=read. No log says when a second factor was shown: each access counts as made just
    after (--assume fresh_factor=false: long after).

    Exit code 0: nobody would have been denied. 1: somebody would. 2: a file is wrong, or no
    access in the log could be judged.
    """
    # numpy, for this command alone
    from acl_engine.bootstrap.backtest import Order, backtest
    from acl_engine.cli.backtest_words import backtest_json, backtest_text

    lang: Lang = ctx.obj
    pack = load_pack(folder)
    kind_of_record = _resource(pack, resource)
    own = log is None or _starts_with_brace(log)
    kinds = {name: kind for name, kind in pack.subject_attributes.items() if kind != "set"}
    assumed = given_facts(assume, kinds, "--assume")
    told = dict(one.split("=", 1) for one in assume)
    if FRESH in kinds and FRESH not in assumed:
        assumed[FRESH], told[FRESH] = True, "true"
    if log is not None and not own:
        encoding = detect_encoding(log, encoding)
    order = Order(
        pack, kind_of_record, log, _meanings(actions), assumed, utc_offset, encoding or "utf-8-sig"
    )
    with Database.open(url) as database, counting_bar() as progress:
        found = backtest(database, order, progress)
    if not found.devices_told:
        told.setdefault("device_bound", "true")
    if form == "json":
        click.echo(backtest_json(found, pack, lang, told))
    else:
        for line in backtest_text(found, pack, lang, told, rows):
            click.echo(line)
    if not found.count():
        ctx.exit(2)  # of nothing, nothing is proven
    ctx.exit(1 if found.count(then=True, now=False) else 0)


def _resource(pack: Pack, named: str | None) -> str:
    if named is not None and named not in pack.resources:
        raise click.BadParameter(one_of(pack.resources), param_hint="--resource")
    return named or next(iter(pack.resources))


def _meanings(given: tuple[str, ...]) -> dict[str, str]:
    known = [str(one) for one in Action]
    found = {}
    for one in given:
        old, _, new = one.rpartition("=")
        if not old or new not in known:
            raise click.BadParameter(f"OLD=NEW, NEW {one_of(known)}", param_hint="--action")
        found[old] = new
    return found


def _starts_with_brace(log: Path) -> bool:
    try:
        with log.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as failure:
        from acl_engine.bootstrap.backtest import NO_FILE

        raise InputError(NO_FILE.of(why=failure.strerror or "?")) from None
