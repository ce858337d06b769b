"""acl policy: check a pack, print it for signature."""

import datetime
import json
from pathlib import Path

import click

from acl_engine.analysis.casbin_lints import check_casbin
from acl_engine.analysis.pack_lints import check as check_pack
from acl_engine.bootstrap.paths import project_root
from acl_engine.cli import findings as report
from acl_engine.cli.policy_backtest import backtest_command
from acl_engine.cli.policy_bundle import COMMANDS as BUNDLE_COMMANDS
from acl_engine.cli.policy_confidentiality import command as confidentiality_command
from acl_engine.cli.policy_diff import diff_command
from acl_engine.cli.policy_explain import explain_command
from acl_engine.domain.text import Lang
from acl_engine.policy import strict_yaml
from acl_engine.policy.casbin_folder import casbin_files
from acl_engine.policy.pack import document_types, load_pack

FINDINGS = 1
BAD_INPUT = 2


@click.group("policy")
def command() -> None:
    """Check a policy folder, explain it, print it for signature, and bring it into production.

    A folder holds one version of one company's policy, such as policies/courier/after. Its
    README.md says what each file and column means. Over real people only a signed bundle runs:
    `acl policy bundle --help`.
    """


def folder_or_default(folder: Path | None) -> Path:
    """The folder that was named, else the courier company's remediated policy."""
    return folder or project_root() / "policies" / "courier" / "after"


@command.command("check")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="sarif: SARIF 2.1.0, which code hosts show beside the line.",
)
@click.option("--strict", is_flag=True, help="Let warnings count too.")
@click.option("--compat", is_flag=True, help="A casbin policy: warn where casbin lets it through.")
@click.option(
    "--function", "functions", multiple=True, metavar="NAME", help="Your own matcher function."
)
@click.pass_context
def check(
    ctx: click.Context,
    folder: Path | None,
    form: str,
    strict: bool,
    compat: bool,
    functions: tuple[str, ...],
) -> None:
    """Everything that is wrong with the policy in DIR, all at once, with file, line and column.

    \b
    error    the policy will not be loaded: a word that does not exist, a short row, ...
    warning  it loads, and is probably too wide: a row for anyone, a weak mask, ...
    note     worth knowing before signing: rows that overlap, roles without rights, ...

    DIR is a pack, or a stock casbin policy: one model and one CSV, without a pack's YAML files.
    With --compat a casbin policy loads as it would with compat=True: never wider than casbin.

    \b
    acl policy check policies/courier/after
    acl policy check my-casbin-policy --compat --function isOwner

    Exit code 0: no error (with --strict: no warning either). 1: it loads, and falls short: a mask
    under the stated minimum, with --strict a warning. 2: it will not load: a file cannot be read,
    or says what it may not. Without DIR: policies/courier/after.
    """
    lang: Lang = ctx.obj
    place = folder_or_default(folder)
    files = casbin_files(place)
    if files is None:
        found = check_pack(place)
    else:
        found = check_casbin(*files, compat=compat, functions=functions)
    broken = any(one.level == "error" for one in found)
    if form == "json":
        version = None if broken or files else load_pack(place).version
        click.echo(report.as_json(found, str(place), version))
    elif form == "sarif":
        click.echo(report.as_sarif(found, lang))
    else:
        click.echo(report.as_text(found, lang))
    if any(one.stops for one in found):
        ctx.exit(BAD_INPUT)
    counted = ("error", "warning") if strict else ("error",)
    if any(one.level in counted for one in found):
        ctx.exit(FINDINGS)


@command.command("schema")
@click.argument("name", metavar="FILE", type=click.Choice([name for name, _ in document_types()]))
def schema(name: str) -> None:
    """The JSON Schema of one of a policy's YAML files, such as roles.yaml, for an editor.

    Made from the types that read the file, so the two cannot differ.
    """
    kind = dict(document_types())[name]
    click.echo(json.dumps(strict_yaml.schema(kind), ensure_ascii=False, indent=2))


@command.command("matrix")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "csv", "markdown"]),
    default="text",
    show_default=True,
    help="html prints on A4 landscape; csv is one line a cell, for a spreadsheet.",
)
@click.option("--lang", "own", type=click.Choice(["zh", "en"]), help="Language of the sheet.")
@click.option(
    "--date",
    "day",
    metavar="YYYY-MM-DD",
    default="",
    help="Date on the signature lines; without it they are left to be filled in by hand.",
)
@click.pass_obj
def matrix(lang: Lang, folder: Path | None, form: str, own: Lang | None, day: str) -> None:
    """The sheet of rights: level x role x stage x field, for print and signature.

    Computed from the rows of DIR (default policies/courier/after), so it cannot differ from what
    is enforced. The version digest on it is the digest of the policy files: what was signed is
    what `acl policy check --format json` names as the version.
    """
    from acl_engine.cli.sheet_print import render

    if day:
        try:
            datetime.date.fromisoformat(day)
        except ValueError:
            raise click.BadParameter("write YYYY-MM-DD", param_hint="--date") from None
    click.echo(render(load_pack(folder_or_default(folder)), form, own or lang, day))


for _one in BUNDLE_COMMANDS:
    command.add_command(_one)
command.add_command(confidentiality_command)
command.add_command(explain_command)
command.add_command(diff_command)
command.add_command(backtest_command)
