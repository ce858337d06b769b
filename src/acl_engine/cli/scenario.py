"""`acl scenario`: check scenario files, print their schema and the grammar of their conditions."""

import json
from pathlib import Path

import click

from acl_engine.bootstrap.paths import project_root
from acl_engine.cli.saying import unquoted
from acl_engine.domain.errors import ScenarioError
from acl_engine.domain.text import Lang, Text
from acl_engine.policy.pack import load_pack
from acl_engine.replay import predicate
from acl_engine.replay.check import check_against
from acl_engine.replay.reading import read_scenario
from acl_engine.replay.scenario import schema
from acl_engine.replay.theatre import scenarios

FINE = Text("scenario.fine", "{file}：正确（`{id}`）", "{file}: correct (`{id}`)")


@click.group("scenario")
def command() -> None:
    """Scenario files: check them, list them, print their schema."""


@command.command("schema")
def schema_command() -> None:
    """Print the JSON Schema (2020-12) of a scenario file.

    The grammar of `goal.leak` and `where` stands in its `$comment`.

    \b
    acl scenario schema > scenario.schema.json
    """
    document = {**schema(), "$comment": predicate.__doc__}
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Check scenario files against their types and their pack.

    Every finding is one line with file and line number. Exit code 2 if there is any.

    \b
    acl scenario check scenarios/courier/case7-off-shift.yaml
    """
    lang: Lang = ctx.find_root().obj or "en"
    wrong = 0
    for file in files:
        try:
            scenario = read_scenario(file)
            folder = project_root() / "policies" / scenario.world.pack
            check_against(scenario, load_pack(folder / "before"), load_pack(folder / "after"), file)
        except ScenarioError as error:
            wrong += 1
            click.echo(unquoted(error.render(lang)), err=True)
        else:
            click.echo(FINE.of(file=str(file), id=scenario.id).render(lang))
    ctx.exit(2 if wrong else 0)


@command.command("list")
@click.option("--pack", default="courier", show_default=True, help="Whose scenarios to list.")
@click.pass_context
def list_command(ctx: click.Context, pack: str) -> None:
    """List the scenarios of a pack: id and title."""
    lang: Lang = ctx.find_root().obj or "en"
    for _, one in scenarios(project_root(), pack, ()):
        click.echo(f"{one.id:45} {one.title.zh if lang == 'zh' else one.title.en}")
