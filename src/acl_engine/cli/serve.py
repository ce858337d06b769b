"""acl serve: the central login and the service, over TLS."""

import json
import logging
import socket
import sys
import time
from pathlib import Path

import click

from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import Loaded, load, variable_of
from acl_engine.bootstrap.world_clock import people_time
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Lang, Text
from acl_engine.storage.database import Database, is_synthetic
from acl_engine.web.log_lines import log_to

NO_SERVER = Text(
    "serve.not-installed",
    "缺少服务端组件",
    "the server's packages are not installed",
    "运行 pip install 'acl-engine[server]'",
    "run pip install 'acl-engine[server]'",
)
LISTENING = Text("serve.listening", "正在监听 {url}", "listening on {url}")
CHECKED = Text("serve.checked", "设置无误，可以启动", "the settings are sound: it would start")
DEVELOPMENT = Text(
    "serve.development-certificate",
    "开发证书：客户端须信任 {file}",
    "development certificate: clients must trust {file}",
)

WORLD_TIME = Text(
    "serve.world-time",
    "活在世界的时间里：时钟偏移 {seconds} 秒",
    "living at the world's time: clock offset {seconds} s",
)


@click.command("serve")
@click.option(
    "--config",
    "file",
    envvar="ACL_SETTINGS",
    type=click.Path(path_type=Path),
    help="Settings file, acl-server/1 (also ACL_SETTINGS).",
)
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://...")
@click.option("--policy", metavar="DIR", help="Policy folder.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0: any.  [default: 8443]")
@click.option("--cert", "certificate", metavar="PEM", help="TLS certificate chain.")
@click.option("--key", "private_key", metavar="PEM", help="Its private key.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; PostgreSQL only.")
@click.option("--world-time", is_flag=True, help="A synthetic world: live at its own time.")
@click.option("--check", is_flag=True, help="Check everything, print every setting, do not start.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--listen-fd", type=int, hidden=True)
@click.pass_context
def command(
    ctx: click.Context,
    file: Path | None,
    database: str | None,
    policy: str | None,
    host: str | None,
    port: int | None,
    certificate: str | None,
    private_key: str | None,
    workers: int | None,
    world_time: bool,
    check: bool,
    form: str,
    listen_fd: int | None,
) -> None:
    """Serve the central login and the lookup API over TLS, until stopped.

    Settings come from the file, then the environment (ACL_SERVE_PORT for serve.port), then these
    flags; a missing or contradictory one stops the start. `--check` prints each with its origin.

    \b
    acl world build --database sqlite:///small.db
    acl serve --database sqlite:///small.db --world-time
    acl serve --config /etc/acl-engine/server.yaml --check

    SIGTERM and Ctrl+C let requests in flight end; SIGHUP reads the certificate anew.
    """
    lang: Lang = ctx.obj
    flags = {
        "database": database,
        "policy": policy,
        "serve.host": host,
        "serve.port": port,
        "serve.certificate": certificate,
        "serve.private_key": private_key,
        "serve.workers": workers,
    }
    loaded = load(file, flags)
    if world_time:
        offset = _world_offset(loaded.settings.database)
        loaded = load(file, {**flags, "serve.clock_offset": offset})
        click.echo(WORLD_TIME.of(seconds=offset).render(lang), err=True)
    try:
        from acl_engine.web import server, tls
    except ModuleNotFoundError:
        raise ConfigError(NO_SERVER.of()) from None
    _log_to_stderr()
    settings = loaded.settings
    server.room_for(settings.limits)
    with Service.open(settings) as service:
        files = tls.certificate(settings.serve, synthetic=service.synthetic)
        if check:
            _print(loaded, lang, form)
            return
        if listen_fd is not None:
            server.run(service, socket.socket(fileno=listen_fd), files)
            return
        sock = server.listen(settings.serve)
        _say(lang, sock, settings.serve.host, None if settings.serve.certificate else files[0])
        if settings.serve.workers == 1:
            server.run(service, sock, files)
            return
    from acl_engine.web.workers import Workers

    ctx.exit(Workers(sys.argv[1:], sock, settings.serve.workers).run())


def _world_offset(url: str | None) -> int:
    """How far the world's now is from ours; its devices are leased and its shifts run there."""
    if url is None:
        return 0
    with Database.open(url) as database:
        now = people_time(database) if is_synthetic(database) else 0
    return now - int(time.time()) if now else 0


def _say(lang: Lang, sock: socket.socket, host: str, development: Path | None) -> None:
    shown = f"[{host}]" if ":" in host else host
    url = f"https://{shown}:{sock.getsockname()[1]}"
    click.echo(LISTENING.of(url=url).render(lang), err=True)
    if development is not None:
        click.echo(DEVELOPMENT.of(file=development).render(lang), err=True)


def _log_to_stderr() -> None:
    log_to(sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _print(loaded: Loaded, lang: Lang, form: str) -> None:
    if form == "json":
        rows = [
            {
                "key": one.key,
                "value": _shown(one.key, one.value),
                "default": one.default,
                "origin": one.origin,
                "variable": variable_of(one.key),
            }
            for one in loaded.told
        ]
        document = {"schema": "acl-serve-check/1", "settings": rows}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for one in loaded.told:
        click.echo(
            f"{one.key}: {_shown(one.key, one.value)}  [{one.origin}, {variable_of(one.key)}]"
        )
        click.echo(f"    {one.doc.of().render(lang)}")
    click.echo(CHECKED.of().render(lang))


def _shown(key: str, value: object) -> object:
    """A database URL may hold a password: it is named as in every message."""
    if key != "database" or not isinstance(value, str):
        return value
    from acl_engine.storage.engines import parse_url
    from acl_engine.storage.failures import database_name

    return database_name(parse_url(value))
