"""acl device: scanners and PCs, each bound to one person and leased."""

from datetime import datetime
from pathlib import Path

import click

from acl_engine.cli import device_adapter, device_answer, device_report
from acl_engine.cli.account_options import (
    DATES,
    administration,
    by_option,
    database_option,
    end_of,
    pack_option,
)
from acl_engine.domain.accounts import LEGACY, Device
from acl_engine.domain.text import Lang

_KEY_BYTES = 32
HOUR = 3_600


@click.group("device")
def command() -> None:
    """Devices: enrol, bind to a person, lease for a shift, revoke when lost.

    \b
    acl device enrol pda-9 --unit ba-xixiang --public-key 5c1f... --by dev-01
    acl device bind pda-9 --person p-9 --by dev-01
    acl device lease pda-9 --hours 10 --by dev-01
    acl device revoke pda-9 --lost --by dev-01
    acl device report
    """


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise click.BadParameter("64 hex digits are needed", param_hint="--public-key")
    return key


command.add_command(device_adapter.command)
command.add_command(device_answer.command)
command.add_command(device_report.command)


@command.command("enrol")
@click.argument("device")
@click.option(
    "--class",
    "device_class",
    type=click.Choice(["app", "pc", "adapter", "legacy_scanner"]),
    default="app",
    help="A handheld with the app; a PC; an old scanner that holds no key; what signs for those.",
)
@click.option("--unit", required=True, help="Organisation unit that it belongs to.")
@click.option("--public-key", help="Raw Ed25519 public key, 64 hex digits, made on the device.")
@click.option("--adapter", help="Of a legacy_scanner: the adapter of its branch.")
@by_option
@pack_option
@database_option
@click.pass_obj
def enrol(
    lang: Lang,
    device: str,
    device_class: str,
    unit: str,
    public_key: str | None,
    adapter: str | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Enrol DEVICE by the public key that it made. It is bound to nobody yet.

    A legacy_scanner holds no key: the adapter of its branch, enrolled and leased like any device,
    signs for it. On such a scanner there are scans, waybill number and route alone, until the
    policy's cut-off date (`login.legacy_until`); `acl device report` says what is left.
    """
    old = device_class == LEGACY
    if (old, not old) != (bool(adapter), bool(public_key)):
        raise click.UsageError("a legacy_scanner has --adapter alone, any other --public-key alone")
    key = None if old else _key(public_key or "")
    with administration(url, pack) as desk:
        new = Device(device, device_class, unit, None, key, "active", 0, adapter)
        desk.devices.enrol(new, by)
    click.echo(f"已登记 {device}" if lang == "zh" else f"enrolled {device}")


@command.command("bind")
@click.argument("device")
@click.option("--person", required=True, help="Id of the person; a service's login.")
@by_option
@pack_option
@database_option
@click.pass_obj
def bind(lang: Lang, device: str, person: str, by: str, pack: Path | None, url: str) -> None:
    """Bind DEVICE to one person; whoever held it loses it at once. Lease it next."""
    with administration(url, pack) as desk:
        desk.devices.bind(device, person, by)
    click.echo(f"已绑定 {device}" if lang == "zh" else f"bound {device}")


@command.command("lease")
@click.argument("device")
@click.option("--until", type=DATES, help="End of the lease; UTC unless it says otherwise.")
@click.option("--hours", type=click.IntRange(1, 24 * 31), help="Or: so many hours from now.")
@by_option
@pack_option
@database_option
@click.pass_obj
def lease(
    lang: Lang,
    device: str,
    until: datetime | None,
    hours: int | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Lease DEVICE to its holder until the end of the shift."""
    with administration(url, pack) as desk:
        desk.devices.lease(device, end_of(desk.desk.now(), until, hours, HOUR, "--hours"), by)
    click.echo(f"已租给 {device}" if lang == "zh" else f"leased {device}")


@command.command("revoke")
@click.argument("device")
@click.option("--lost", is_flag=True, help="It was lost, not handed back.")
@by_option
@pack_option
@database_option
@click.pass_obj
def revoke(lang: Lang, device: str, lost: bool, by: str, pack: Path | None, url: str) -> None:
    """Revoke DEVICE's key; sessions on it are dead at the next decision."""
    with administration(url, pack) as desk:
        desk.devices.revoke(device, "lost" if lost else "revoked", by)
    click.echo(f"已撤销 {device}" if lang == "zh" else f"revoked {device}")
