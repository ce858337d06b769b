"""acl account import-hr and import-legacy: show the differences, then apply exactly those."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from acl_engine.bootstrap.staff_imports import DIGITS, StaffImports
from acl_engine.cli.account_options import (
    administration,
    by_option,
    database_option,
    done,
    pack_option,
)
from acl_engine.cli.writing import write_whole
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.staff_plan import Difference, Finding, Plan
from acl_engine.domain.text import Lang
from acl_engine.identity.legacy_plan import (
    DISABLED,
    GENERIC_NAME,
    HAS_ACCOUNT,
    LEAVER,
    OWNERLESS,
    SECOND,
    SHARED,
)
from acl_engine.policy.strict_yaml import MISSING

_SHOWN = 20
# The words of a difference report, for those who read Chinese; CSV and JSON keep the codes.
_ZH = {
    "joins": "入职",
    "moves": "调动",
    "leaves": "离职",
    "frozen": "冻结",
    "account": "账号",
    "role": "角色",
    "unit": "单位",
    "superior": "上级",
    "name": "姓名",
    "ends": "期限",
    "kind": "用工类别",
    "sponsor": "担保人",
    "status": "状态",
    "mapped": "对应到本人",
    HAS_ACCOUNT: "本人在此已有账号",
    SHARED: "多人共用",
    GENERIC_NAME: "公用名称",
    OWNERLESS: "没有此人",
    LEAVER: "本人已离职或停用",
    DISABLED: "在旧系统中已停用",
    SECOND: "本人的第二个账号，近来用得较少",
}
_FILE = click.argument("file", type=click.Path(path_type=Path))
_APPLY = click.option(
    "--apply", "digest", metavar="DIGEST", help="Do what the dry run with this digest has shown."
)
_REPORT = click.option(
    "--report", type=click.Path(path_type=Path), help="Write every difference to this CSV file."
)
_ENCODING = click.option(
    "--encoding", default="utf-8-sig", show_default=True, help="Of FILE; gb18030 for old tables."
)
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.command("import-hr")
@_FILE
@_APPLY
@click.option(
    "--absent",
    type=click.Choice(["keep", "leave"]),
    default="keep",
    show_default=True,
    help="leave: FILE is the whole company; who is in no row has left.",
)
@click.option("--leavers", type=int, help="Confirm that so many people leave at once.")
@_REPORT
@_ENCODING
@_FORMAT
@by_option
@pack_option
@database_option
@click.pass_context
def import_hr(
    ctx: click.Context,
    file: Path,
    digest: str | None,
    absent: str,
    leavers: int | None,
    report: Path | None,
    encoding: str,
    form: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Joiners, movers and leavers from an HR file, one row a person. A dry run unless --apply.

    Columns: person, name, unit, superior, role, login, status (active or left); may be left out:
    kind (regular or temporary), sponsor, starts, ends (2026-03-02). One bad row, and nothing is
    done: each is named with its reason. Joiners wait for undertaking and training.

    \b
    acl account import-hr staff.csv --by adm-01 --report differences.csv
    acl account import-hr staff.csv --by adm-01 --apply 3fa9c1e07b52
    """
    lang: Lang = ctx.obj
    data = _read(file)
    with administration(url, pack) as desk, _patience():
        imports = StaffImports(desk, by)
        plan, findings = imports.hr(
            data, str(file), encoding=encoding, absent_leave=absent == "leave"
        )
        if plan is not None and digest is not None:
            imports.apply(plan, digest, "import-hr", leavers)
    _say(ctx, lang, form, file, plan, findings, report, applied=digest is not None)


@click.command("import-legacy")
@_FILE
@_APPLY
@_REPORT
@_ENCODING
@_FORMAT
@by_option
@pack_option
@database_option
@click.pass_context
def import_legacy(
    ctx: click.Context,
    file: Path,
    digest: str | None,
    report: Path | None,
    encoding: str,
    form: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Map an old system's accounts to persons. A dry run unless --apply.

    Columns: login, persons (ids, `;` between them), role, unit, status; may be left out: used
    (date of the last login), name. Shared, ownerless and leavers' accounts are frozen. No password
    hash is read (such columns are named and skipped), and no right is taken over: a mapped account
    waits without a role, the old one stands in the report, the new one comes by `import-hr`.

    \b
    acl account import-legacy old.csv --by adm-01 --report differences.csv
    acl account import-legacy old.csv --by adm-01 --apply 3fa9c1e07b52
    """
    lang: Lang = ctx.obj
    data = _read(file)
    with administration(url, pack) as desk, _patience():
        imports = StaffImports(desk, by)
        plan, findings, ignored = imports.legacy(data, str(file), encoding=encoding)
        if plan is not None and digest is not None:
            imports.apply(plan, digest, "import-legacy")
    for column in ignored:
        text = f"未读取列 `{column}`" if lang == "zh" else f"the column `{column}` was not read"
        click.echo(text, err=True)
    _say(ctx, lang, form, file, plan, findings, report, applied=digest is not None)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as failure:
        raise InputError(MISSING.of(why=failure.strerror or "?"), Where(str(file))) from None


@contextmanager
def _patience() -> Iterator[None]:
    """A sign of life on stderr while a large file is worked through."""
    with Console(stderr=True).status(""):
        yield


def _say(
    ctx: click.Context,
    lang: Lang,
    form: str,
    file: Path,
    plan: Plan | None,
    findings: list[Finding],
    report: Path | None,
    *,
    applied: bool,
) -> None:
    if plan is not None and report is not None:
        write_whole(report, _csv(plan.differences))
    if form == "json":
        click.echo(json.dumps(_document(plan, findings, applied), ensure_ascii=False, indent=2))
    elif plan is None:
        for one in findings:
            hint = one.message.hint(lang)
            tail = f" ({hint})" if hint else ""
            click.echo(f"{file}:{one.row}: {one.message.render(lang)}{tail}")
        many = len({one.row for one in findings})
        done(lang, f"{many} 行有误，未作任何修改", f"rows refused: {many}; nothing was changed")
    else:
        _say_plan(lang, plan, applied)
    if plan is None:
        ctx.exit(2)


def _say_plan(lang: Lang, plan: Plan, applied: bool) -> None:
    for one in plan.differences[:_SHOWN]:
        click.echo(_line(one, lang))
    more = len(plan.differences) - _SHOWN
    if more > 0:
        done(lang, f"……另有 {more} 项（--report）", f"... and {more} more (--report)")
    found = Counter(one.kind for one in plan.differences)
    said = ", ".join(f"{_word(kind, lang)} {count}" for kind, count in sorted(found.items())) or "-"
    done(lang, f"{said}，不变 {plan.unchanged}", f"{said}, unchanged {plan.unchanged}")
    short = plan.digest[:DIGITS]
    if applied:
        done(lang, f"已应用 {short}", f"applied {short}")
    elif not plan.empty:
        done(
            lang, f"试运行，未修改。应用：--apply {short}", f"dry run. To do this: --apply {short}"
        )


def _line(one: Difference, lang: Lang) -> str:
    change = ": " + " -> ".join(filter(None, (one.old, one.new))) if one.old or one.new else ""
    kind, what = _word(one.kind, lang), _word(one.what, lang)
    return f"{kind:6} {one.login or one.person} {what}{change}"


def _word(code: str, lang: Lang) -> str:
    return _ZH[code] if lang == "zh" else code


def _csv(differences: tuple[Difference, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["kind", "person", "login", "what", "old", "new"])
    writer.writerows((d.kind, d.person, d.login, d.what, d.old, d.new) for d in differences)
    return out.getvalue()


def _document(plan: Plan | None, findings: list[Finding], applied: bool) -> dict[str, object]:
    refused = [
        {
            "row": one.row,
            "code": one.message.code,
            "message": {"zh": one.message.render("zh"), "en": one.message.render("en")},
        }
        for one in findings
    ]
    return {
        "schema": "acl-account-import/1",
        "refused": refused,
        "applied": applied and plan is not None,
        "digest": plan.digest if plan else None,
        "counts": dict(Counter(one.kind for one in plan.differences)) if plan else {},
        "unchanged": plan.unchanged if plan else 0,
    }


COMMANDS = (import_hr, import_legacy)
