"""acl audit: sign and verify the log, prove a record. The other commands stand in `audit_*`."""

from pathlib import Path

import click

from acl_engine.audit.report import Finding, Report
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.audit_files import check_receipt
from acl_engine.bootstrap.notary import stamps
from acl_engine.bootstrap.witnessing import witness_key
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_detect import detect
from acl_engine.cli.audit_keeping import hold, retain, rotate, stamp
from acl_engine.cli.audit_options import busy, document, format_option, line, say, trust_option
from acl_engine.cli.audit_questions import account, export, honey, read_mark, trace
from acl_engine.cli.audit_report import who_saw
from acl_engine.cli.audit_witness import witness
from acl_engine.cli.writing import write_whole
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
STAMPED = Text(
    "audit.report-stamped", "有可信时间戳：0–{stamped}", "under a trusted time stamp: 0-{stamped}"
)
ERASED = Text(
    "audit.report-erased",
    "按留存期已抹去内容：{erased} 条（哈希仍可验证）",
    "emptied by retention: {erased} (their hashes still hold)",
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

roots_option = click.option(
    "--tsa-root",
    "roots",
    type=click.Path(path_type=Path),
    envvar="ACL_TSA_ROOT",
    help="PEM file of time stamping authorities to believe (also ACL_TSA_ROOT).",
)


@click.group("audit")
def command() -> None:
    """The audit log: sign, verify, prove, export; who saw what, who leaked it; alerts; holds."""


for _one in (
    *(who_saw, account, read_mark, trace, honey, detect, export),
    *(rotate, stamp, retain, hold, witness),
):
    command.add_command(_one)


@command.command("verify")
@database_option
@trust_option
@click.option(
    "--witness", "seen", type=click.Path(path_type=Path), help="Folder of what a witness saw."
)
@click.option("--copy", type=click.Path(path_type=Path), help="Folder of a copy of the log.")
@roots_option
@format_option
@click.pass_obj
def verify(
    lang: Lang, url: str, trust: Path | None, seen: Path | None, copy: Path | None,
    roots: Path | None, form: str,
) -> None:  # fmt: skip
    """Check every record, root, signature and time; name the first bad record.

    What is witnessed, what is signed and what rests on the database alone are reported apart.
    Exit code 0: nothing wrong. 1: something is.

    \b
    acl audit verify --trust trust.txt --copy /mnt/worm/acl --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk, busy("verify"):
        believed = desk.trust(trust)
        stamped, unstamped = stamps(desk, believed, roots)
        report = desk.verify(believed, seen, copy, stamped)
    findings = (*unstamped, *report.findings)
    if form == "json":
        _document(report, findings, own=trust is None)
    else:
        _print(lang, report, findings, own=trust is None)
    raise SystemExit(1 if findings else 0)


@command.command("checkpoint")
@database_option
@trust_option
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Signing key file instead of the service's own.",
)
@click.option(
    "--witness", "folder", type=click.Path(path_type=Path), help="Folder of a witness (its `key`)."
)
@click.option("--copy", type=click.Path(path_type=Path), help="Also bring this copy up to date.")
@click.pass_obj
def checkpoint(
    lang: Lang, url: str, trust: Path | None, keys: tuple[Path, ...], folder: Path | None,
    copy: Path | None,
) -> None:  # fmt: skip
    """Sign the log as it is now; have it witnessed and copied elsewhere.

    Run it every few minutes: what no checkpoint covers rests on the database's word alone. A
    witness on another machine is asked with `acl audit witness`.

    \b
    acl audit checkpoint --copy /mnt/worm/acl --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk:
        believed = desk.trust(trust)
        made = desk.checkpoint(believed, keys, folder)
        added = desk.copy(copy) if copy else None
    state = WITNESSED if made.witnessed else UNWITNESSED
    say(lang, SIGNED, size=made.checkpoint.size, witnessed=state.of().render(lang))
    if added is not None:
        say(lang, ADDED, count=added)


@command.command("key")
@click.option("--database", "url", envvar="ACL_DATABASE", help="Whose log (also ACL_DATABASE).")
@click.option("--witness", "folder", type=click.Path(path_type=Path), help="Folder of a witness.")
def key(url: str | None, folder: Path | None) -> None:
    """Print the lines of a trust file: of this service's own keys, and of a witness."""
    if url:
        with Accountability.open(url) as desk:
            click.echo(desk.trust(None).text(), nl=False)
    if folder:
        click.echo(f"witness {witness_key(folder)}")


@command.command("prove")
@click.argument("name", metavar="ID")
@database_option
@trust_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the receipt to this file.")
def prove(name: str, url: str, trust: Path | None, out: Path | None) -> None:
    """Receipts of ID (a record's index, or a request id) that hold without this database.

    \b
    acl audit prove 1204 --out look.tlog-proof --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk:
        receipts = desk.prove(name, desk.trust(trust))
    for number, text in enumerate(receipts):
        if out is None:
            click.echo(text, nl=False)
        else:
            target = out.with_suffix(f".{number}{out.suffix}") if number else out
            write_whole(target, text)
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
    """Check a receipt. Needs the trust file and nothing else: no database, no network.

    \b
    acl audit receipt-check look.tlog-proof --trust trust.txt
    """
    proven = check_receipt(file, trust)
    state = WITNESSED if proven.anchored.witnessed else UNWITNESSED
    size = proven.anchored.checkpoint.size
    say(lang, PROVEN, index=proven.index, size=size, witnessed=state.of().render(lang))
    click.echo(line(proven.index, proven.entry))


def _print(lang: Lang, report: Report, findings: tuple[Finding, ...], *, own: bool) -> None:
    ranges = {"size": report.size, "signed": report.signed_to, "witnessed": report.witnessed_to}
    say(lang, REPORT, **ranges)
    if report.copied_to:
        say(lang, COPIED, copied=report.copied_to)
    if report.stamped_to:
        say(lang, STAMPED, stamped=report.stamped_to)
    if report.erased:
        say(lang, ERASED, erased=report.erased)
    if own:
        say(lang, OWN_KEY)
    for finding in findings:
        click.echo(f"! {finding.message.render(lang)}")
    if not findings:
        say(lang, SOUND)


def _document(report: Report, findings: tuple[Finding, ...], *, own: bool) -> None:
    said = [
        {"index": one.index, "code": one.message.code, "zh": one.message.render("zh"),
         "en": one.message.render("en")}
        for one in findings
    ]  # fmt: skip
    document(
        "acl-audit-verify/1",
        sound=not findings,
        own_key=own,
        size=report.size,
        signed_to=report.signed_to,
        witnessed_to=report.witnessed_to,
        copied_to=report.copied_to,
        stamped_to=report.stamped_to,
        erased=report.erased,
        findings=said,
    )
