"""acl control: the named controls of a pack."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from acl_engine.cli.policy import folder_or_default
from acl_engine.domain.control import Control, Edit
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang
from acl_engine.policy.pack import load_pack

HEADS = {
    "zh": ("控制措施", "名称", "步骤", "类型", "关系", "回放时如何关闭"),
    "en": ("control", "what it is", "line", "type", "relations", "off (in replay)"),
}


@click.group("control")
def command() -> None:
    """The named controls of a policy: what each is, and where in the lookup line it acts."""


@command.command("list")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def list_controls(lang: Lang, folder: Path | None, form: str) -> None:
    """The controls of the policy in DIR (default policies/courier/after).

    `line` is the step of the lookup line where a control says no: login, or 0 to 11. `type` is its
    number in the catalogue of leak patterns (C1 to C20). The last column is what replay changes,
    in a synthetic world only, to show which leak comes back without the control.
    """
    pack = load_pack(folder_or_default(folder))
    if form == "json":
        click.echo(json.dumps(_document(pack), ensure_ascii=False, indent=2))
    else:
        _print(pack, lang)


def _relations(pack: Pack, control: Control) -> list[str]:
    return [name for name, spec in pack.relations.items() if spec.control == control.id]


def _document(pack: Pack) -> dict[str, object]:
    controls = [
        {
            "id": one.id,
            "zh": one.zh,
            "en": one.en,
            "line": one.line,
            "pattern": one.pattern,
            "rules": list(one.rules),
            "relations": _relations(pack, one),
            "off": [asdict(edit) for edit in one.off],
        }
        for one in pack.controls.values()
    ]
    return {"schema": "acl-control-list/1", "version": pack.version, "controls": controls}


def _print(pack: Pack, lang: Lang) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head, least in zip(HEADS[lang], (20, 20, 5, 4, 15, 20), strict=True):
        table.add_column(head, overflow="fold", min_width=least)
    for one in pack.controls.values():
        off = "\n".join(dict.fromkeys(map(_edit, one.off)))
        name = one.zh if lang == "zh" else one.en
        owned = " ".join([*_relations(pack, one), *one.rules])
        table.add_row(*map(escape, (one.id, name, one.line, one.pattern, owned, off)))
    out = io.StringIO()
    Console(width=100, highlight=False, color_system=None, file=out).print(table)
    click.echo("\n".join(line.rstrip() for line in out.getvalue().splitlines()))


def _edit(edit: Edit) -> str:
    if edit.kind == "setting":
        return f"{edit.name.rpartition('.')[2]}: {json.dumps(edit.value)}"
    if edit.kind == "relation":
        return "relation true"
    if edit.kind == "add":
        return f"add {str(edit.value).split(',')[1].strip()}"
    if edit.kind == "remove":
        return "remove row"
    return f"{edit.kind} {edit.name}".strip()
