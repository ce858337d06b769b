"""acl audit: verify the log, prove a record, and answer who saw what."""

from pathlib import Path

import click

from acl_engine.audit.verify import Report
from acl_engine.bootstrap.accountability import Accountability, check_receipt, witness_key
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_detect import detect
from acl_engine.cli.audit_options import busy, by_option, line, moment, say, trust_option
from acl_engine.cli.audit_questions import account, export, honey, read_mark, trace
from acl_engine.cli.audit_report import who_saw
from acl_engine.domain.text import Lang, Text

REPORT = Text(
    "audit.report",
    "{size} 条记录：0–{witnessed} 有见证，{witnessed}–{signed} 已签未见证，"
    "{signed}–{size} 仅凭数据库",
    "{size} records: 0-{witnessed} witnessed, {witnessed}-{signed} signed but not witnessed,"
    " {signed}-{size} on the database's word alone",
)
COPIED = Text(
    "audit.report-copied", "与副本一致：0–{copied}", "equal to the copy elsewhere: 0-{copied}"
)
SOUND = Text("audit.sound", "未发现问题", "nothing wrong was found")
OWN_KEY = Text(
    "audit.own-key",
    "注意：未给信任文件，所信的是本服务自己的密钥",
    "note: no trust file was given; believed is this service's own key",
)
PROVEN = Text(
    "audit.proven",
    "成立：记录 {index} 在日志中（{size} 条时签署，{witnessed}）",
    "holds: record {index} is in the log (signed at {size} records, {witnessed})",
)
SIGNED = Text(
    "audit.signed", "已签署 {size} 条（{witnessed}）", "signed {size} records ({witnessed})"
)
WITNESSED = Text("audit.witnessed", "有见证", "witnessed")
UNWITNESSED = Text("audit.unwitnessed", "无见证", "not witnessed")
ADDED = Text("audit.copy-added", "副本新增 {count} 条", "{count} records added to the copy")
HELD_NOW = Text("audit.hold-open", "案件 {case} 已保全", "the hold {case} is open")
RELEASED = Text("audit.hold-ended", "案件 {case} 已解除", "the hold {case} is released")


@click.group("audit")
def command() -> None:
    """The audit log: sign, verify, prove, export; who saw what, who leaked it; legal holds."""


for question in (who_saw, account, read_mark, trace, honey, detect, export):
    command.add_command(question)


@command.command("verify")
@database_option
@trust_option
@click.option("--witness", type=click.Path(path_type=Path), help="Folder of what a witness saw.")
@click.option("--copy", type=click.Path(path_type=Path), help="Folder of a copy of the log.")
@click.pass_obj
def verify(
    lang: Lang, url: str, trust: Path | None, witness: Path | None, copy: Path | None
) -> None:
    """Check every record, root and signature; name the first bad record. Exit 1 if there is one."""
    with Accountability.open(url) as desk, busy("verify"):
        report = desk.verify(desk.trust(trust), witness, copy)
    _print_report(lang, report, own=trust is None)
    raise SystemExit(0 if report.sound else 1)


@command.command("checkpoint")
@database_option
@trust_option
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Signing key file instead of the service's own; twice (old, new) to change keys.",
)
@click.option("--witness", type=click.Path(path_type=Path), help="Folder of a witness (its `key`).")
@click.option("--copy", type=click.Path(path_type=Path), help="Also bring this copy up to date.")
@click.pass_obj
def checkpoint(
    lang: Lang,
    url: str,
    trust: Path | None,
    keys: tuple[Path, ...],
    witness: Path | None,
    copy: Path | None,
) -> None:
    """Sign the log as it is now; have it witnessed and copied elsewhere."""
    with Accountability.open(url) as desk:
        believed = desk.trust(trust)
        made = desk.checkpoint(believed, keys, witness)
        added = desk.copy(copy) if copy else None
    state = WITNESSED if made.witnessed else UNWITNESSED
    say(lang, SIGNED, size=made.checkpoint.size, witnessed=state.of().render(lang))
    if added is not None:
        say(lang, ADDED, count=added)


@command.command("key")
@click.option("--database", "url", envvar="ACL_DATABASE", help="Whose log (also ACL_DATABASE).")
@click.option("--witness", type=click.Path(path_type=Path), help="Folder of a witness.")
def key(url: str | None, witness: Path | None) -> None:
    """Print the lines of a trust file: of this service's own key, and of a witness."""
    if url:
        with Accountability.open(url) as desk:
            click.echo(f"log {desk.own.verifier}")
    if witness:
        click.echo(f"witness {witness_key(witness)}")


@command.command("prove")
@click.argument("name", metavar="ID")
@database_option
@trust_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the receipt to this file.")
def prove(name: str, url: str, trust: Path | None, out: Path | None) -> None:
    """Receipts of ID (a record's index, or a request id) that hold without this database."""
    with Accountability.open(url) as desk:
        receipts = desk.prove(name, desk.trust(trust))
    for number, text in enumerate(receipts):
        if out is None:
            click.echo(text, nl=False)
        else:
            target = out.with_suffix(f".{number}{out.suffix}") if number else out
            target.write_text(text, "utf-8")
            click.echo(str(target))


@command.command("receipt-check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    envvar="ACL_AUDIT_TRUST",
    required=True,
    help="File of the keys to believe (also ACL_AUDIT_TRUST).",
)
@click.pass_obj
def receipt_check(lang: Lang, file: Path, trust: Path) -> None:
    """Check a receipt. Needs the trust file and nothing else: no database, no network."""
    proven = check_receipt(file, trust)
    state = WITNESSED if proven.anchored.witnessed else UNWITNESSED
    size = proven.anchored.checkpoint.size
    say(lang, PROVEN, index=proven.index, size=size, witnessed=state.of().render(lang))
    click.echo(line(proven.index, proven.entry))


@command.command("hold")
@click.argument("case", required=False)
@click.option("--release", is_flag=True, help="End the hold instead.")
@click.option("--list", "listing", is_flag=True, help="Show the open holds.")
@database_option
@by_option
@click.pass_obj
def hold(lang: Lang, case: str | None, release: bool, listing: bool, url: str, by: str) -> None:
    """Keep everything for CASE: while a hold is open nothing is deleted, no key destroyed."""
    if (case is None) != listing:
        raise click.UsageError("name a CASE, or --list")
    with Accountability.open(url) as desk:
        if case is None:
            for one in desk.holds():
                click.echo(f"{one.case}  {moment(one.opened_at)}  {one.opened_by}")
        elif release:
            desk.release(case, by)
            say(lang, RELEASED, case=case)
        else:
            desk.hold(case, by)
            say(lang, HELD_NOW, case=case)


def _print_report(lang: Lang, report: Report, *, own: bool) -> None:
    ranges = {"size": report.size, "signed": report.signed_to, "witnessed": report.witnessed_to}
    say(lang, REPORT, **ranges)
    if report.copied_to:
        say(lang, COPIED, copied=report.copied_to)
    if own:
        say(lang, OWN_KEY)
    for finding in report.findings:
        click.echo(f"! {finding.message.render(lang)}")
    if report.sound:
        say(lang, SOUND)
