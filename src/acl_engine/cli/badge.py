"""acl world badge: everything that a made-up person needs to log in to their made-up company."""

import json
import time

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.paths import project_root
from acl_engine.cli.account_options import database_option
from acl_engine.cli.device_answer import answer
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Lang, Text
from acl_engine.identity.totp import code_at
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.company import device_key, strong_password, totp_secret
from acl_engine.storage.census import census
from acl_engine.storage.database import Database, world_seed

NOBODY = Text(
    "badge.nobody",
    "合成世界里没有账号 `{login}`",
    "the synthetic world has no account `{login}`",
    "可用：{known}",
    "known: {known}",
)


@click.command("badge")
@click.argument("login")
@click.option("--challenge", help="What the login page shows; the device's answer is printed too.")
@click.option("--clock-offset", type=int, default=0, help="As the service's serve.clock_offset.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@database_option
@click.pass_obj
def command(
    lang: Lang, login: str, challenge: str | None, clock_offset: int, form: str, url: str
) -> None:
    """Print LOGIN's password, one-time code and device, in a synthetic world.

    \b
    acl world badge courier-88 --database sqlite:///small.db --challenge LT-...

    The world stands still at its own time: serve it with `--world-time`, which prints the offset.
    """
    with Database.open(url) as database:
        seed = world_seed(database)
        mark = census(database).mark
    staff = small_world(project_root(), seed).staff
    if login not in staff or mark is None:
        known = ", ".join(name for name, one in staff.items() if one.cast)
        raise InputError(NOBODY.of(login=login, known=known))
    device = staff[login].member.device
    found = {
        "login": login,
        "password": strong_password(seed, login),
        "code": code_at(totp_secret(seed, login), int(time.time()) + clock_offset),
        "device": device,
    }
    if challenge:
        key = Ed25519PrivateKey.from_private_bytes(device_key(seed, device))
        found["answer"] = answer(key, device, challenge.strip())
    if form == "json":
        click.echo(json.dumps({"schema": "acl-world-badge/1", **found}, ensure_ascii=False))
        return
    words = {"login": "账号", "password": "密码", "code": "动态口令", "device": "设备"}
    words["answer"] = "设备应答"
    for name, value in found.items():
        click.echo(f"{words[name] if lang == 'zh' else name}: {value}")
