"""acl lookup: one look from the shell, as one account, through the one door."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock, SystemClock
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.policies import policy_for
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AccessDenied, InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Query
from acl_engine.domain.text import Lang, Text
from acl_engine.domain.view import Answer
from acl_engine.enforcement.lookup import LOOKS
from acl_engine.identity.devices import sign
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.totp import code_at
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.company import device_key, strong_password, totp_secret
from acl_engine.storage.census import Mark, census
from acl_engine.storage.database import Database
from acl_engine.storage.identity_store import SqlIdentityStore

SCHEMA = "acl-lookup/1"
_STEP = 30  # seconds of one TOTP code (RFC 6238)
_KEY_BYTES = 32

NOBODY = Text(
    "lookup.no-account",
    "本世界没有可登录的账号 `{login}`",
    "this world has no account `{login}` that can log in",
    "可用：{known}",
    "known: {known}",
)
BAD_PAIR = Text(
    "lookup.bad-pair",
    "`--by` 应写作 名称=值",
    "`--by` is written name=value",
    "例如 stage=OUT_FOR_DELIVERY",
    "such as stage=OUT_FOR_DELIVERY",
)
BAD_DEVICE_KEY = Text(
    "lookup.bad-device-key",
    "设备密钥文件不可用",
    "the device key file cannot be used",
    "应为 32 字节的 Ed25519 私钥，并与 --device 一起给出",
    "it holds the 32 bytes of an Ed25519 private key, and goes with --device",
)
SHOWN = Text(
    "lookup.shown",
    "已答复：{count} 条（请求编号 {request}）",
    "answered: {count} (request {request})",
)
WHY = Text(
    "lookup.why",
    "原因：第 {line} 步，控制 {controls}，规则 {rule}，理由 {reason}",
    "why: step {line}, controls {controls}, rule {rule}, reason {reason}",
)
MORE = Text("lookup.more", "还有更多：--after {key}", "there may be more: --after {key}")


@click.command("lookup")
@click.option(
    "--database", "url", required=True, metavar="URL", help="sqlite:///FILE or postgresql://..."
)
@click.option(
    "--policy",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The policy to look under.  [default: the after of the world's own company]",
)
@click.option("--as", "login", required=True, metavar="LOGIN", help="Whose look it is.")
@click.option(
    "--action",
    type=click.Choice(sorted(look.value for look in LOOKS)),
    default="read",
    show_default=True,
    help="Searching by a phone, name or address is reverse_lookup, whatever it is called here.",
)
@click.option("--resource", default="waybill", show_default=True)
@click.option("--key", help="The record: a waybill number.")
@click.option("--by", multiple=True, metavar="NAME=VALUE", help="A criterion; may be repeated.")
@click.option("--field", "fields", multiple=True, help="Ask for these fields only.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--after", help="The page after this key.")
@click.option("--purpose", help="Stands in the audit record.")
@click.option("--ticket", help="Stands in the audit record.")
@click.option("--device", help="The device it comes from.  [synthetic world: the account's own]")
@click.option(
    "--device-key",
    "key_file",
    type=click.Path(path_type=Path),
    help="Its private key; not for synthetic.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def command(
    ctx: click.Context,
    url: str,
    folder: Path | None,
    login: str,
    action: str,
    resource: str,
    key: str | None,
    by: tuple[str, ...],
    fields: tuple[str, ...],
    limit: int,
    after: str | None,
    purpose: str | None,
    ticket: str | None,
    device: str | None,
    key_file: Path | None,
    form: str,
) -> None:
    """What LOGIN would see, through the same line and the same audit log as any look.

    In a synthetic world the account's own secrets are used, the clock stands at the world's now,
    and the reason is printed: step, control and policy row. In a real one the credentials are
    asked for and a denial tells no more than its request id.

    \b
    acl world build --database sqlite:///small.db
    acl lookup --database sqlite:///small.db --as courier-88 \\
        --action search --by stage=OUT_FOR_DELIVERY
    acl lookup --database sqlite:///small.db --as sup-0413 --by phone=19012345678

    Exit code 0: answered. 1: denied. 2: the command or the database is wrong.
    """
    lang: Lang = ctx.obj
    query = Query(
        action, resource, key, _pairs(by), fields, purpose, ticket, limit=limit, after=after
    )
    with Database.open(url) as database:
        mark = census(database).mark
        synthetic = mark is not None and mark.kind == "synthetic" and mark.finished
        known = mark if synthetic else None
        pack = policy_for(database, folder)
        engine = _engine(database, pack, known, login)
        say = _Printer(lang, form, pack, engine, synthetic)
        try:
            with _session(engine, database, known, login, device, key_file) as token:
                say.answer(engine.ask(token, query))
        except AccessDenied as denied:
            say.denial(denied)
            ctx.exit(denied.exit_code)


def _pairs(by: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in by]
    if not all(sign and name for name, sign, _ in pairs):
        raise InputError(BAD_PAIR.of())
    return {name: value for name, _, value in pairs}


def _engine(database: Database, pack: Pack, mark: Mark | None, login: str) -> Engine:
    if mark is None:
        keys = Keys.from_environment()
        return Engine.open(database=database, pack=pack, clock=SystemClock(), keys=keys)
    return Engine.open(
        database=database,
        pack=pack,
        clock=SteppedClock(_world_time(database, mark, login)),
        keys=Keys.synthetic(mark.seed),
        replay=Weakened(),
    )


def _world_time(database: Database, mark: Mark, login: str) -> datetime:
    """The world's now, or the next time at which the account's authenticator shows a new code."""
    account = SqlIdentityStore(database).account(login)
    unused = (account.totp_last_step + 1) * _STEP if account else 0
    return datetime.fromtimestamp(max(mark.built_at, unused), UTC)


@contextmanager
def _session(
    engine: Engine,
    database: Database,
    mark: Mark | None,
    login: str,
    device: str | None,
    key_file: Path | None,
) -> Iterator[str]:
    if mark is None:
        token = _asked_login(engine, login, device, key_file)
    else:
        token = _worlds_login(engine, database, mark, login, device)
    try:
        yield token
    finally:
        engine.logout(token)


def _worlds_login(
    engine: Engine, database: Database, mark: Mark, login: str, device: str | None
) -> str:
    """With the secrets that the world's seed gave the account."""
    world = small_world(project_root(), mark.seed, pack=mark.pack)
    cast = {name: one for name, one in world.staff.items() if one.cast and not one.member.service}
    account = SqlIdentityStore(database).account(login)
    if login not in cast or account is None:
        raise InputError(NOBODY.of(login=login, known=", ".join(cast)))
    device = device or cast[login].member.device
    strong = strong_password(mark.seed, login)
    verified = Passwords.synthetic().verify(account.password_hash, strong)
    password = strong if verified else cast[login].member.weak
    code = code_at(
        totp_secret(mark.seed, login), int(_world_time(database, mark, login).timestamp())
    )
    key = Ed25519PrivateKey.from_private_bytes(device_key(mark.seed, device))
    return engine.login(login, password, totp=code, device=_proof(engine, device, key))


def _asked_login(engine: Engine, login: str, device: str | None, key_file: Path | None) -> str:
    key = _device_key(device, key_file)
    password = click.prompt("password", hide_input=True, err=True)
    code = click.prompt("code", hide_input=True, default="", show_default=False, err=True)
    proof = _proof(engine, device, key) if device and key else None
    return engine.login(login, password, totp=code or None, device=proof)


def _device_key(device: str | None, key_file: Path | None) -> Ed25519PrivateKey | None:
    if (device is None) != (key_file is None):
        raise InputError(BAD_DEVICE_KEY.of())
    if key_file is None:
        return None
    try:
        raw = key_file.read_bytes()
    except OSError:
        raise InputError(BAD_DEVICE_KEY.of()) from None
    if len(raw) != _KEY_BYTES:
        raise InputError(BAD_DEVICE_KEY.of())
    return Ed25519PrivateKey.from_private_bytes(raw)


def _proof(engine: Engine, device: str, key: Ed25519PrivateKey) -> DeviceProof:
    return sign(key, device, engine.challenge(device))


@dataclass(frozen=True, slots=True)
class _Printer:
    """What is shown on the terminal. The reason is for the policy's author: made-up people only."""

    lang: Lang
    form: str
    pack: Pack
    engine: Engine
    synthetic: bool

    def answer(self, answer: Answer) -> None:
        if self.form == "json":
            views = [
                {"handle": one.handle, "fields": dict(one.fields), "watermark": one.watermark}
                for one in answer.views
            ]
            self._json(answer.request_id, allowed=True, views=views, next=answer.next)
            return
        for one in answer.views:
            click.echo(one.handle)
            for name, value in one.fields.items():
                click.echo(f"  {name}: {value}")
        said = SHOWN.of(count=len(answer.views), request=answer.request_id)
        click.echo(said.render(self.lang))
        if answer.next:
            click.echo(MORE.of(key=answer.next).render(self.lang))
        self._why(answer.request_id)

    def denial(self, denied: AccessDenied) -> None:
        if self.form == "json":
            self._json(denied.request_id, allowed=False, views=[], next=None)
            return
        click.echo(denied.render(self.lang))
        self._why(denied.request_id)

    def _json(self, request: str, **said: object) -> None:
        document = {"schema": SCHEMA, "request": request, **said}
        entry = self._entry(request)
        if entry is not None:
            document["why"] = {
                "line": _line(entry),
                "controls": list(entry.controls),
                "rule": entry.rule,
                "reason": entry.reason,
            }
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))

    def _entry(self, request: str) -> AuditEntry | None:
        entries = self.engine.audit.of_request(request) if self.synthetic else []
        return entries[-1] if entries else None

    def _why(self, request: str) -> None:
        entry = self._entry(request)
        if entry is None:
            return
        controls = ", ".join(map(self._named, entry.controls)) or "-"
        why = WHY.of(
            line=_line(entry), controls=controls, rule=entry.rule or "-", reason=entry.reason or "-"
        )
        click.echo(why.render(self.lang))

    def _named(self, control: str) -> str:
        found = self.pack.controls.get(control)
        if found is None:
            return control
        return f"{control} ({found.zh if self.lang == 'zh' else found.en})"


def _line(entry: AuditEntry) -> str:
    return "11" if entry.effect == "allow" else entry.line
