"""acl audit witness: an independent party, on another machine, that cosigns what continues."""

from pathlib import Path

import click

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.audit_files import read_text, read_trust
from acl_engine.bootstrap.witnessing import answer, found_witness
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_options import say, trust_option
from acl_engine.cli.writing import write_whole
from acl_engine.domain.text import Lang, Text

ADDED = Text(
    "witness.added",
    "已加入见证签名：{size} 条（{state}）",
    "the witness's signature was added: {size} records ({state})",
)
ENOUGH = Text("witness.enough", "见证方已达法定数", "enough witnesses")
MORE = Text("witness.more", "见证方未达法定数", "not enough witnesses yet")

out_option = click.option("--out", type=click.Path(path_type=Path), help="File to write to.")


@click.group("witness")
def witness() -> None:
    """A second signature by somebody else: init, request, sign, add.

    The witness keeps what it saw last, so that a log rolled back or rewritten does not get its
    signature, whatever key it is signed with. Let another department run it.
    """


@witness.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a witness in FOLDER, called like the folder; print its line of a trust file.

    \b
    acl audit witness init ./witness.example.org
    """
    click.echo(f"witness {found_witness(folder)}")


@witness.command("request")
@click.option("--old", type=click.IntRange(0), help="The size that the witness saw last.")
@out_option
@database_option
@trust_option
def request(old: int | None, out: Path | None, url: str, trust: Path | None) -> None:
    """What to send to a witness: the latest checkpoint, and the proof that it continues the last.

    Without --old it begins at the latest checkpoint that has enough witnesses.
    """
    with Accountability.open(url) as desk:
        text = desk.ask_witness(desk.trust(trust), old)
    _write(text, out)


@witness.command("sign")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), metavar="REQUEST")
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    envvar="ACL_AUDIT_TRUST",
    required=True,
    help="File of the log's keys (also ACL_AUDIT_TRUST).",
)
@out_option
def sign(folder: Path, file: Path, trust: Path, out: Path | None) -> None:
    """Cosign a REQUEST with the witness in FOLDER. Needs no database and no network."""
    _write(answer(folder, file, read_trust(trust)), out)


@witness.command("add")
@click.argument("file", type=click.Path(path_type=Path), metavar="SIGNATURE")
@database_option
@trust_option
@click.pass_obj
def add(lang: Lang, file: Path, url: str, trust: Path | None) -> None:
    """Put a witness's SIGNATURE under the checkpoint that it is of."""
    with Accountability.open(url) as desk:
        made = desk.add_cosignature(desk.trust(trust), read_text(file))
    state = (ENOUGH if made.witnessed else MORE).of().render(lang)
    say(lang, ADDED, size=made.checkpoint.size, state=state)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text)
        click.echo(str(out))
