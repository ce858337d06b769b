"""acl judicial: requests of authorities by law; two persons agree, the result is sealed."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from acl_engine.bootstrap.judicial import new_key, opened, request
from acl_engine.cli.approval import common
from acl_engine.cli.doorway import Doorway, doorway
from acl_engine.cli.paper import agree, image_digest
from acl_engine.cli.releases import format_option, moment, register_options
from acl_engine.cli.writing import new_file
from acl_engine.domain.errors import AccessDenied, InputError, Where
from acl_engine.domain.judicial import Entry
from acl_engine.domain.request import Query
from acl_engine.domain.text import Lang, Text

SCHEMA = "acl-judicial/1"

ASKED = Text(
    "judicial.asked",
    "申请 {case}（请求编号 {request}）：两人同意后，用 acl judicial deliver {case} 交付",
    "case {case} (request {request}): once two agree, acl judicial deliver {case} ...",
)
STAGE = Text("judicial.stage", "申请 {case}：{stage}", "case {case}: {stage}")
DELIVERED = Text(
    "judicial.delivered",
    "{file}：已为 {authority} 密封（密钥 {key}，SHA-256 {digest}）",
    "{file}: sealed for {authority} (key {key}, SHA-256 {digest})",
)
NO_FILE = Text(
    "judicial.no-file", "文件不可读", "the file cannot be read", "检查路径", "check the path"
)
NO_REQUESTS = Text("judicial.none", "没有协查记录", "no judicial request on record")
PAIR = Text(
    "judicial.pair",
    "私钥 {file}（只留在机关）；公钥 {public}",
    "private key {file} (stays with the authority); public key {public}",
)

Said = dict[str, Any]


@click.group("judicial")
def command() -> None:
    """Requests of authorities by law.

    The liaison files the paper: document number and image, two officers, a registered authority.
    Two persons on duty who hold the same image agree. The result is sealed for the authority's key
    and is shown to nobody here.

    \b
    acl judicial request --database sqlite:///s.db --as legal-01 --key NUMBER \\
        --document 深公宝调证字〔2026〕0117号 --image paper.pdf \\
        --officer 044-1023 --officer 044-1107 --authority baoan-police
    acl judicial approve CASE --image paper.pdf --database sqlite:///s.db --as dpo-01
    acl judicial approve CASE --image paper.pdf --database sqlite:///s.db --as dpo-02
    acl judicial deliver CASE --out result.sealed ... the same as for the request ...
    acl judicial register --database sqlite:///s.db

    Exit code 0: done. 1: denied. 2: the command, a file or the database is wrong.
    """


def paper_options(run: Callable[..., Any]) -> Callable[..., Any]:
    """What the paper says."""
    options = (
        click.option("--key", required=True, help="The record: a waybill number."),
        click.option("--document", required=True, help="The document's number."),
        click.option(
            "--image",
            required=True,
            type=click.Path(path_type=Path),
            help="The document, scanned; only its digest is kept.",
        ),
        click.option(
            "--officer",
            "officers",
            multiple=True,
            required=True,
            help="An officer's badge number; two of them.",
        ),
        click.option("--authority", required=True, help="One of judicial.authorities."),
        click.option("--field", "fields", multiple=True, help="Only these fields.  [default: all]"),
        click.option("--purpose", default="judicial", show_default=True, help="Its purpose."),
    )
    for option in reversed(options):
        run = option(run)
    return common(run)


def _query(words: Said) -> Query:
    paper = {
        "document": words["document"],
        "image": image_digest(words["image"]),
        "officers": " ".join(words["officers"]),
        "authority": words["authority"],
    }
    return request(words["key"], words["fields"], words["purpose"], paper)


def _at_desk(
    ctx: click.Context, words: Said, do: Callable[[Doorway, str], tuple[Said, str]]
) -> None:
    """Come in, do it, print what it says, or the denial."""
    where = (words["url"], words["folder"], words["login"], words["device"], words["key_file"])
    try:
        with doorway(*where) as door, door.session() as token:
            said, text = do(door, token)
    except AccessDenied as denied:
        if words["form"] == "json":
            _json({"allowed": False, "request": denied.request_id})
        else:
            click.echo(denied.render(ctx.obj))
        ctx.exit(denied.exit_code)
    if words["form"] == "json":
        _json({"allowed": True, **said})
    else:
        click.echo(text)


@command.command("request")
@paper_options
@click.pass_context
def ask(ctx: click.Context, /, **words: Any) -> None:
    """File a request with its paper. Prints the case's id; nothing is disclosed yet."""
    query = _query(words)

    def do(door: Doorway, token: str) -> tuple[Said, str]:
        made = door.engine.judicial.ask(token, query)
        said = {"request": made.request_id, "case": made.made}
        return said, ASKED.of(**said).render(ctx.obj)

    _at_desk(ctx, words, do)


@command.command("approve")
@click.argument("case")
@click.option(
    "--image",
    required=True,
    type=click.Path(path_type=Path),
    help="The document as you hold it; it must be the one of the request.",
)
@common
@click.pass_context
def approve(ctx: click.Context, /, case: str, image: Path, **words: Any) -> None:
    """Agree to CASE, having read the document. For two persons on duty."""

    def do(door: Doorway, token: str) -> tuple[Said, str]:
        made = agree(door.engine.approvals, token, case, image)
        said = {"request": made.request_id, "case": case, "stage": made.made}
        return said, STAGE.of(case=case, stage=made.made).render(ctx.obj)

    _at_desk(ctx, words, do)


@command.command("deliver")
@click.argument("case")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The sealed file; must be new."
)
@paper_options
@click.pass_context
def deliver(ctx: click.Context, /, case: str, out: Path, **words: Any) -> None:
    """Write the sealed result of CASE, once. The options are those of its request."""
    query = _query(words)

    def do(door: Doorway, token: str) -> tuple[Said, str]:
        with new_file(out) as write:
            made = door.engine.judicial.deliver(token, query, case)
            write(made.body)
        said = {"file": str(out), **asdict(made.disclosure)}
        return said, DELIVERED.of(
            file=str(out),
            authority=made.disclosure.authority,
            key=made.disclosure.key,
            digest=made.disclosure.digest,
        ).render(ctx.obj)

    _at_desk(ctx, words, do)


@command.command("register")
@register_options
@format_option
@click.pass_obj
def register(lang: Lang, url: str, folder: Path | None, form: str) -> None:
    """Every request with its paper, who agreed, and what left; the newest first."""
    with doorway(url, folder, "", None, None) as door:
        entries = door.engine.judicial.register()
    if form == "json":
        _json({"requests": [_line(one) for one in entries]})
        return
    for one in entries:
        click.echo("  ".join(f"{name}={value or '-'}" for name, value in _line(one).items()))
    if not entries:
        click.echo(NO_REQUESTS.of().render(lang))


def _line(one: Entry) -> dict[str, str]:
    case, left = one.case, one.delivered
    # The parcel and the account stand in the case and the log; a register is shown to inspectors.
    paper = {name: value for name, value in case.paper if name != "parcel"}
    return {
        "case": case.id,
        "stage": case.stage,
        "asked_at": moment(case.asked_at),
        "account": case.account,
        **paper,
        "approvers": " ".join(case.approvers),
        "delivered_at": moment(left.delivered_at) if left else "",
        "sealed_for": left.key if left else "",
        "sealed_digest": left.digest if left else "",
    }


@command.command("keygen")
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_obj
def keygen(lang: Lang, out: Path) -> None:
    """Make an authority's key pair: the private key into OUT, the public one printed.

    For the authority, on its own machine. The public key goes into judicial.authorities of the
    policy, which two persons sign.
    """
    private, public = new_key()
    with new_file(out) as write:
        write(private.encode())
    click.echo(PAIR.of(file=str(out), public=public).render(lang))


@command.command("open")
@click.argument("sealed", type=click.Path(path_type=Path))
@click.option(
    "--private-key", required=True, type=click.Path(path_type=Path), help="What keygen wrote."
)
def open_result(sealed: Path, private_key: Path) -> None:
    """Print what the file SEALED holds. For the authority, who has the private key."""
    private, body = _read(private_key), _read(sealed)
    try:
        text = private.decode("ascii")
    except UnicodeDecodeError:
        text = ""  # no key: told so below
    click.echo(opened(text, body).decode().rstrip())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise InputError(NO_FILE.of(), Where(str(file))) from None


def _json(document: Said) -> None:
    click.echo(json.dumps({"schema": SCHEMA, **document}, ensure_ascii=False, indent=2))
