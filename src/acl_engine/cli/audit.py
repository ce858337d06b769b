"""acl audit: verify the log, prove a record, and answer who saw what."""

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from acl_engine.audit.verify import Report
from acl_engine.bootstrap.accountability import Accountability, Seen, check_receipt, witness_key
from acl_engine.cli.account import database_option
from acl_engine.domain.accountability import AuditEntry
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
ACCOUNT_SUM = Text(
    "audit.account-sum",
    "共 {looks} 次查看，{records} 条记录，字段：{fields}",
    "{looks} looks answered, {records} records, fields: {fields}",
)
NONE_SEEN = Text("audit.nobody", "没有记录", "no record")

trust_option = click.option(
    "--trust",
    type=click.Path(path_type=Path),
    envvar="ACL_AUDIT_TRUST",
    help="File of the keys to believe: `log VKEY`, `witness VKEY`, `quorum N` (also"
    " ACL_AUDIT_TRUST). Without it: this service's own key.",
)
by_option = click.option(
    "--by", default="operator", envvar="ACL_OPERATOR", help="Who asks; stands in the log."
)


@click.group("audit")
def command() -> None:
    """The audit log: sign, verify, prove, export; who saw what; legal holds."""


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
    with Accountability.open(url) as desk, _busy("verify"):
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
    _say(lang, SIGNED, size=made.checkpoint.size, witnessed=state.of().render(lang))
    if added is not None:
        _say(lang, ADDED, count=added)


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
    _say(lang, PROVEN, index=proven.index, size=size, witnessed=state.of().render(lang))
    click.echo(_line(proven.index, proven.entry))


@command.command("export")
@click.option("--format", "form", type=click.Choice(["ocsf", "jsonl"]), default="jsonl")
@database_option
@by_option
def export(form: str, url: str, by: str) -> None:
    """Every record, one line of JSON each: as it is, or as an OCSF 1.6 event."""
    with Accountability.open(url) as desk:
        for line in desk.export(form, by):
            click.echo(line)


@command.command("who-saw")
@click.argument("subject", metavar="PERSON|WAYBILL")
@database_option
@by_option
@click.pass_obj
def who_saw(lang: Lang, subject: str, url: str, by: str) -> None:
    """The data subject's report: who was shown what of a waybill, customer id or phone."""
    with Accountability.open(url) as desk:
        _print_seen(lang, desk.who_saw(subject, by))


@command.command("account")
@click.argument("name")
@click.option("--from", "since", type=click.DateTime(), help="First moment, UTC.")
@click.option("--to", "until", type=click.DateTime(), help="The moment after the last, UTC.")
@database_option
@by_option
@click.pass_obj
def account(
    lang: Lang, name: str, since: datetime | None, until: datetime | None, url: str, by: str
) -> None:
    """What account NAME asked for and was shown, and when."""
    start = _millis(since) if since else 0
    end = _millis(until) if until else 2**62
    with Accountability.open(url) as desk:
        entries = desk.of_account(name, start, end, by)
    for entry in entries:
        click.echo(_line(None, entry))
    shown = [one for one in entries if one.kind == "outcome" and one.effect == "allow"]
    subjects = {subject for one in shown for subject in one.subjects}
    fields = sorted({field for one in shown for field in one.fields})
    _say(lang, ACCOUNT_SUM, looks=len(shown), records=len(subjects), fields=" ".join(fields))


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
                click.echo(f"{one.case}  {_time(one.opened_at)}  {one.opened_by}")
        elif release:
            desk.release(case, by)
            _say(lang, RELEASED, case=case)
        else:
            desk.hold(case, by)
            _say(lang, HELD_NOW, case=case)


def _print_report(lang: Lang, report: Report, *, own: bool) -> None:
    ranges = {"size": report.size, "signed": report.signed_to, "witnessed": report.witnessed_to}
    _say(lang, REPORT, **ranges)
    if report.copied_to:
        _say(lang, COPIED, copied=report.copied_to)
    if own:
        _say(lang, OWN_KEY)
    for finding in report.findings:
        click.echo(f"! {finding.message.render(lang)}")
    if report.sound:
        _say(lang, SOUND)


def _print_seen(lang: Lang, seen: list[Seen]) -> None:
    for one in seen:
        click.echo(_line(one.index, one.entry))
    if not seen:
        _say(lang, NONE_SEEN)


def _line(index: int | None, entry: AuditEntry) -> str:
    who = (
        f"{entry.account or '-'} ({entry.person or '-'}, {entry.role or '-'}, {entry.unit or '-'})"
    )
    what = f"{entry.action} {entry.kind} {entry.effect} at {entry.line}"
    place = "" if index is None else f"{index:>8}  "
    fields = ",".join(entry.fields)
    return f"{place}{_time(entry.at)}  {who}  {entry.device or '-'}  {what}  {entry.count} {fields}"


def _say(lang: Lang, text: Text, **params: object) -> None:
    click.echo(text.of(**params).render(lang))


def _time(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _millis(when: datetime) -> int:
    return int(when.replace(tzinfo=UTC).timestamp() * 1000)


def _busy(name: str) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(name, total=None)
    return bar
