"""acl lookup: one look from the shell, as one account, through the one door."""

import json
from dataclasses import dataclass
from pathlib import Path

import click

from acl_engine.audit import screenmark
from acl_engine.bootstrap import Engine
from acl_engine.cli.account_options import database_option
from acl_engine.cli.doorway import doorway
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AccessDenied, InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Query
from acl_engine.domain.text import Lang, Text
from acl_engine.domain.trace_events import TRACE, events
from acl_engine.domain.view import Answer
from acl_engine.enforcement.lookup import LOOKS

SCHEMA = "acl-lookup/1"

BAD_PAIR = Text(
    "lookup.bad-pair",
    "`--by` 应写作 名称=值",
    "`--by` is written name=value",
    "例如 stage=OUT_FOR_DELIVERY",
    "such as stage=OUT_FOR_DELIVERY",
)
SHOWN = Text(
    "lookup.shown",
    "已答复：{count} 条（请求编号 {request}）",
    "answered: {count} (request {request})",
)
ALLOWED = Text(
    "lookup.allowed", "原因：第 {line} 步，依据 {rule}", "why: step {line}, allowed by {rule}"
)
DENIED = Text(
    "lookup.denied",
    "原因：第 {line} 步，控制措施 {controls}，策略行 {rule}，理由 {reason}",
    "why: step {line}, control {controls}, policy row {rule}, reason {reason}",
)
# What the decision's codes mean to whoever reads the policy; other codes say it themselves.
REASONS = {
    "decision.forbidden": Text("lookup.forbidden", "明令禁止", "it forbids this"),
    "decision.lacking": Text(
        "lookup.lacking", "最接近的一行还缺条件", "the closest row; it lacks something"
    ),
    "decision.no-rule": Text("lookup.no-rule", "没有适用的策略行", "no row grants this"),
}
MORE = Text("lookup.more", "还有更多：--after {key}", "there may be more: --after {key}")


@click.command("lookup")
@database_option
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
@click.option("--resource", default="waybill", show_default=True, help="The type of the record.")
@click.option("--key", help="The record: a waybill number.")
@click.option("--by", multiple=True, metavar="NAME=VALUE", help="A criterion; may be repeated.")
@click.option("--field", "fields", multiple=True, help="Ask for these fields only.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Most records of a page."
)
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
    with doorway(url, folder, login, device, key_file) as door:
        say = _Printer(lang, form, door.pack, door.engine, door.synthetic)
        try:
            with door.session() as token:
                say.answer(door.engine.ask(token, query))
        except AccessDenied as denied:
            say.denial(denied)
            ctx.exit(denied.exit_code)


def _pairs(by: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in by]
    if not all(sign and name for name, sign, _ in pairs):
        raise InputError(BAD_PAIR.of())
    return {name: value for name, _, value in pairs}


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
            click.echo(f"{one.handle}  {screenmark.shown(one.watermark)}".rstrip())
            for name, value in one.fields.items():
                self._field(one.resource, name, value)
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
        if entry.effect == "allow":
            why = ALLOWED.of(line=_line(entry), rule=entry.rule or "-")
        else:
            controls = ", ".join(map(self._named, entry.controls)) or "-"
            code = entry.reason or "-"
            reason = REASONS[code].of().render(self.lang) if code in REASONS else code
            why = DENIED.of(
                line=_line(entry), controls=controls, rule=entry.rule or "-", reason=reason
            )
        click.echo(why.render(self.lang))

    def _field(self, resource: str, name: str, value: str) -> None:
        """A value under its name; in Chinese with the catalogue's word for it before the name."""
        label = f"{self.pack.resources[resource].fields[name].zh} {name}"
        click.echo(f"  {label if self.lang == 'zh' else name}:", nl=False)
        if name != TRACE:
            click.echo(f" {value}")
            return
        click.echo()
        for event in events(value):
            what = event.what.render(self.lang) if event.what else ""
            click.echo("    " + "  ".join(part for part in (event.when, what, event.where) if part))

    def _named(self, control: str) -> str:
        found = self.pack.controls.get(control)
        if found is None:
            return control
        return f"{control} ({found.zh if self.lang == 'zh' else found.en})"


def _line(entry: AuditEntry) -> str:
    return "11" if entry.effect == "allow" else entry.line
