"""What `acl export` and `acl publish` share: the options of a release, asking for it, making it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from acl_engine.cli.account_options import database_option, policy_option
from acl_engine.cli.approval import common
from acl_engine.cli.doorway import Doorway, doorway
from acl_engine.cli.spreadsheets import writing
from acl_engine.domain.errors import AccessDenied, InputError, Where
from acl_engine.domain.pack import ResourceSpec
from acl_engine.domain.releases import Copy, Made, Released
from acl_engine.domain.request import Query
from acl_engine.domain.text import Lang, Text
from acl_engine.enforcement.releasing import Listed

SCHEMA = "acl-release/1"

ASKED = Text(
    "release.asked",
    "申请 {case}（请求编号 {request}）：第二人同意后，加 --case {case} 再运行一次",
    "case {case} (request {request}): once a second person agrees, run the same with --case {case}",
)
OUT = Text(
    "release.out",
    "{file}：{rows} 行{recipient}，{until} 前有效（副本 {copy}）",
    "{file}: {rows} rows{recipient}, until {until} (copy {copy})",
)
BAD_PAIR = Text(
    "release.bad-pair",
    "`{option}` 应写成 名称=值",
    "`{option}` is written NAME=VALUE",
    "例：--by list=gongzufang-2026",
    "for example: --by list=gongzufang-2026",
)
NO_FOLDER = Text(
    "release.no-out",
    "输出目录不存在",
    "the output folder does not exist",
    "先建立目录",
    "make it first",
)
NO_RESOURCE = Text(
    "release.no-resource",
    "策略中没有记录类型 `{resource}`",
    "the policy has no record type `{resource}`",
    "可用：{known}",
    "known: {known}",
)


class ReleaseGroup(click.Group):
    """`acl export OPTIONS` is `acl export make OPTIONS`: the first word is a command only if it
    is one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


def pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    """`a=b` words as a mapping. Raises InputError."""
    found = [word.partition("=") for word in words]
    if any(not (name and sign and value) for name, sign, value in found):
        raise InputError(BAD_PAIR.of(option=option))
    return {name: value for name, _, value in found}


def register_options(run: Callable[..., Any]) -> Callable[..., Any]:
    """Which register of copies: the database, and the policy it is read under."""
    options = (
        database_option,
        policy_option,
    )
    for option in reversed(options):
        run = option(run)
    return run


format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is said."
)


def release_options(run: Callable[..., Any]) -> Callable[..., Any]:
    """What is released, for what, for how long."""
    options = (
        click.option("--resource", help="Type of record.  [default: the policy's first]"),
        click.option(
            "--by", multiple=True, metavar="NAME=VALUE", required=True, help="Facts that select."
        ),
        click.option("--field", "fields", multiple=True, help="Only these fields."),
        click.option("--purpose", required=True, help="A purpose of the pack's settings.yaml."),
        click.option("--days", type=int, required=True, help="The term; it ends by itself."),
        click.option("--rows", type=int, default=1000, show_default=True, help="The row cap."),
        click.option("--case", help="The approval.  [without it: ask for one]"),
    )
    for option in reversed(options):
        run = option(run)
    return common(run)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release as it was typed."""

    resource: str | None
    by: tuple[str, ...]
    fields: tuple[str, ...]
    purpose: str
    days: int
    rows: int
    case: str | None
    recipients: tuple[str, ...] = ()

    def spec(self, door: Doorway) -> ResourceSpec:
        """The type of record. Raises InputError."""
        known = door.pack.resources
        name = self.resource or next(iter(known))
        if name not in known:
            raise InputError(NO_RESOURCE.of(resource=name, known=", ".join(known)))
        return known[name]

    def query(self, action: str, resource: str) -> Query:
        return Query(
            action=action,
            resource=resource,
            by=pairs("--by", self.by),
            fields=self.fields,
            purpose=self.purpose,
            params={"days": str(self.days), "recipients": " ".join(self.recipients)},
            limit=self.rows,
        )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command stands: which database, which policy, who."""

    url: str
    folder: Path | None
    login: str
    device: str | None
    key_file: Path | None
    form: str
    lang: Lang


def carry_out(
    desk: Desk,
    action: str,
    wanted: Wanted,
    out: Path | None,
    read: Callable[[ResourceSpec, int], Listed] | None = None,
) -> int:
    """Ask, or with a case release into the folder `out`. The exit code. Raises InputError."""
    if out is not None and not out.is_dir():
        raise InputError(NO_FOLDER.of(), Where(str(out)))
    try:
        with doorway(desk.url, desk.folder, desk.login, desk.device, desk.key_file) as door:
            spec, most = wanted.spec(door), door.pack.settings.releases.rows_max
            source = read(spec, most) if read else None
            query = wanted.query(action, spec.type)
            with door.session() as token:
                if wanted.case is None:
                    asked = door.engine.releases.ask(token, query, source)
                    _say_asked(desk, asked.request_id, asked.made)
                    return 0
                assert out is not None
                made = door.engine.releases.release(token, query, wanted.case, source)
                _write(desk, made, out, spec)
    except AccessDenied as denied:
        if desk.form == "json":
            _json({"allowed": False, "request": denied.request_id})
        else:
            click.echo(denied.render(desk.lang))
        return denied.exit_code
    return 0


def _say_asked(desk: Desk, request: str, case: str) -> None:
    if desk.form == "json":
        _json({"allowed": True, "request": request, "case": case})
    else:
        click.echo(ASKED.of(case=case, request=request).render(desk.lang))


def _write(desk: Desk, made: Released, out: Path, spec: ResourceSpec) -> None:
    files = {one.copy.id: _copy(one, out, spec, desk.lang) for one in made.copies}
    if desk.form == "json":
        copies = [{**asdict(one.copy), "file": str(files[one.copy.id])} for one in made.copies]
        _json({"allowed": True, "request": made.request_id, "copies": copies})
        return
    for one in made.copies:
        copy, to = one.copy, f" → {one.copy.recipient}" if one.copy.recipient else ""
        said = {"file": str(files[copy.id]), "copy": copy.id, "until": moment(copy.expires_at)}
        click.echo(OUT.of(rows=len(one.views), recipient=to, **said).render(desk.lang))


def _copy(made: Made, out: Path, spec: ResourceSpec, lang: Lang) -> Path:
    """One copy as a CSV file named after it; what is published may be read by the web server."""
    target = out / f"{made.copy.id}.csv"
    shown = {name for view in made.views for name in view.fields}
    fields = [one for one in spec.fields.values() if one.name in shown]
    with writing(target) as write:
        write([one.zh if lang == "zh" else one.en for one in fields])
        for view in made.views:
            write([view.fields.get(one.name, "") for one in fields])
    if made.copy.kind == "publish":
        target.chmod(0o644)
    return target


def listed(copies: Sequence[Copy], form: str) -> None:
    """Copies, one a line."""
    if form == "json":
        _json({"copies": [asdict(one) for one in copies]})
        return
    for one in copies:
        words = (one.id, one.kind, one.recipient or "-", f"{one.rows}", moment(one.expires_at))
        click.echo("  ".join((*words, one.selection, one.account, one.case)))


def moment(at: int) -> str:
    """An epoch second as people write it, UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")


def _json(document: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": SCHEMA, **document}, ensure_ascii=False, indent=2))
