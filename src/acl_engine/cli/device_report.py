"""acl device report: the scanners without a key that are left, branch by branch."""

from datetime import UTC, datetime
from pathlib import Path

import click

from acl_engine.cli.account_options import administration, database_option, pack_option
from acl_engine.domain.text import Lang, Text

UNTIL = Text(
    "device.legacy-until",
    "无密钥巴枪自 {when} 起一律拒绝",
    "scanners without a key are denied from {when} on",
)
DENIED = Text(
    "device.legacy-denied", "无密钥巴枪现已一律拒绝", "scanners without a key are denied now"
)
LEFT = Text(
    "device.legacy-left",
    "{unit}：在册 {enrolled}，已绑定 {bound}，租用中 {leased}",
    "{unit}: {enrolled} enrolled, {bound} bound, {leased} leased now",
)
SUM = Text("device.legacy-sum", "共 {count} 台待更换", "{count} in all to be replaced")


@click.command("report")
@pack_option
@database_option
@click.pass_obj
def command(lang: Lang, pack: Path | None, url: str) -> None:
    """What is left of old scanners in each branch, and when they are denied.

    Exit code 0: none is left. 1: some are.
    """
    with administration(url, pack) as desk:
        report = desk.devices.left()
    for one in report.units:
        words = {"enrolled": one.enrolled, "bound": one.bound, "leased": one.leased}
        click.echo(LEFT.of(unit=one.unit, **words).render(lang))
    if report.denied:
        click.echo(DENIED.of().render(lang))
    else:
        when = datetime.fromtimestamp(report.ends, UTC).isoformat()
        click.echo(UNTIL.of(when=when).render(lang))
    count = sum(one.enrolled for one in report.units)
    click.echo(SUM.of(count=count).render(lang))
    raise SystemExit(1 if count else 0)
