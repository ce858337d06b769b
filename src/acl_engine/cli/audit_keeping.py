"""acl audit rotate, stamp, retain, hold: what keeps a log worth believing over the years."""

from pathlib import Path

import click

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.log_retention import KEEP_DAYS, KEEP_DAYS_LEAST, carry_out, due
from acl_engine.bootstrap.notary import HttpTimeStamper, Notary
from acl_engine.cli.account_options import database_option
from acl_engine.cli.audit_options import busy, by_option, case_argument, moment, say, trust_option
from acl_engine.cli.writing import write_whole
from acl_engine.domain.text import Lang, Text

ROTATED = Text(
    "audit.rotated",
    "密钥已更换：{size} 条处的检查点由新旧两把密钥签署。请更新信任文件：",
    "the key is changed: both keys signed the checkpoint at {size}. Bring trust files up to date:",
)
STAMPED = Text(
    "audit.stamped",
    "前 {size} 条于 {when} 已存在（可信时间戳）",
    "the first {size} records were there at {when} (trusted time stamp)",
)
REQUESTED = Text(
    "audit.stamp-requested",
    "已写出时间戳请求 {file}",
    "the request was written to {file}",
)
DUE = Text(
    "audit.retain-due",
    "{count} 条早于 {days} 天，可抹去内容（{start}–{end}）；另有 {uncovered} 条未被检查点覆盖",
    "{count} records are older than {days} days and may be emptied ({start}-{end});"
    " {uncovered} more are under no checkpoint",
)
DRY_RUN = Text(
    "audit.retain-dry",
    "未做任何改动；加 --erase 执行",
    "nothing was changed; add --erase to do it",
)
EMPTIED = Text("audit.retain-done", "已抹去 {count} 条内容", "{count} records were emptied")
HELD_NOW = Text("audit.hold-open", "案件 {case} 已保全", "the hold {case} is open")
RELEASED = Text("audit.hold-ended", "案件 {case} 已解除", "the hold {case} is released")


@click.command("rotate")
@click.option("--old", type=click.Path(path_type=Path), help="Signing key file until now.")
@click.option("--new", type=click.Path(path_type=Path), help="Signing key file from now on.")
@database_option
@trust_option
@by_option
@click.pass_obj
def rotate(
    lang: Lang, old: Path | None, new: Path | None, url: str, trust: Path | None, by: str
) -> None:
    """Change the signing key. Old and new sign one checkpoint; the old one ends there.

    Without files this service's next own key is taken. The trust file that is printed believes
    the old key up to the change and no further, whoever may hold it later.

    \b
    acl audit rotate --database sqlite:///acl.db > trust.txt
    """
    if (old is None) != (new is None):
        raise click.UsageError("--old and --new go together")
    files = (old, new) if old and new else None
    with Accountability.open(url) as desk:
        done = Notary(desk, by).rotate(desk.trust(trust), files)
    click.echo(ROTATED.of(size=done.anchored.checkpoint.size).render(lang), err=True)
    click.echo(done.trust.text(), nl=False)


@click.command("stamp")
@click.option("--tsa", metavar="URL", help="Time stamping authority (RFC 3161 over HTTP).")
@click.option("--request", type=click.Path(path_type=Path), help="Write the request here instead.")
@click.option("--response", type=click.Path(path_type=Path), help="Take the answer from here.")
@click.option(
    "--tsa-root",
    "roots",
    type=click.Path(path_type=Path),
    envvar="ACL_TSA_ROOT",
    help="PEM file of the authority's root certificates (also ACL_TSA_ROOT).",
)
@database_option
@trust_option
@by_option
@click.pass_obj
def stamp(
    lang: Lang, tsa: str | None, request: Path | None, response: Path | None, roots: Path | None,
    url: str, trust: Path | None, by: str,
) -> None:  # fmt: skip
    """A trusted time stamp on the latest checkpoint: the log was there then, and not later.

    With --tsa in one go; without a network, write a --request, carry it to the authority, and
    bring its --response back. An answer that does not hold under --tsa-root is not kept.

    \b
    acl audit stamp --tsa https://tsa.example/tsr --tsa-root tsa.pem --database sqlite:///acl.db
    """
    if sum(one is not None for one in (tsa, request, response)) != 1:
        raise click.UsageError("give one of --tsa, --request and --response")
    with Accountability.open(url) as desk:
        believed, notary = desk.trust(trust), Notary(desk, by)
        if request is not None:
            write_whole(request, notary.request(believed))
            say(lang, REQUESTED, file=request)
            return
        if roots is None:
            raise click.UsageError("--tsa-root is needed: whose stamp is to be believed?")
        if response is not None:
            kept = notary.answer(believed, roots, response)
        else:
            kept = notary.stamp(believed, roots, HttpTimeStamper(tsa or ""))
    say(lang, STAMPED, size=kept.size, when=moment(kept.at))


@click.command("retain")
@click.option(
    "--keep-days",
    type=int,
    default=KEEP_DAYS,
    show_default=True,
    help=f"Never under {KEEP_DAYS_LEAST}.",
)
@click.option("--erase", is_flag=True, help="Do it. Without this, say what would be done.")
@database_option
@trust_option
@by_option
@click.pass_obj
def retain(lang: Lang, keep_days: int, erase: bool, url: str, trust: Path | None, by: str) -> None:
    """Empty records older than three years. Their hashes stay, and so does every proof.

    Refused while a hold is open. Only what a checkpoint covers is emptied, and the act itself is
    on record.

    \b
    acl audit retain --database sqlite:///acl.db
    acl audit retain --erase --by dpo-01 --database sqlite:///acl.db
    """
    with Accountability.open(url) as desk:
        believed = desk.trust(trust)
        found = due(desk, believed, keep_days)
        spoken = {"start": found.start, "end": found.end, "uncovered": found.uncovered}
        say(lang, DUE, count=found.count, days=keep_days, **spoken)
        if not erase:
            say(lang, DRY_RUN)
            return
        with busy("retain"):
            batches = list(carry_out(desk, believed, keep_days, by))
        say(lang, EMPTIED, count=batches[-1] if batches else 0)


@click.command("hold")
@case_argument
@click.option("--release", is_flag=True, help="End the hold instead.")
@click.option("--list", "listing", is_flag=True, help="Show the open holds.")
@database_option
@by_option
@click.pass_obj
def hold(lang: Lang, case: str | None, release: bool, listing: bool, url: str, by: str) -> None:
    """Keep everything for CASE: while a hold is open nothing is deleted, no key destroyed.

    \b
    acl audit hold 2026-shenzhen-0417 --by legal-01 --database sqlite:///acl.db
    """
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
