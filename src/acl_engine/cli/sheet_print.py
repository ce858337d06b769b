"""The sheet of rights as text, Markdown, CSV and one self-contained HTML page for signature."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from acl_engine.analysis.sheet import CLEAR, Line, RoleSheet, sheet
from acl_engine.cli.sheet_words import Words
from acl_engine.domain.pack import Pack, RelationSpec
from acl_engine.domain.text import Lang
from acl_engine.masking.profiles import PROFILES

WIDTH = 100
SIGNERS = ("prepared", "approved", "dpo")
_WORD = re.compile(r"[A-Za-z_][\w-]*")


def render(pack: Pack, form: str, lang: Lang, date: str) -> str:
    """The sheet in one form. `date` stands on the signature page; empty leaves a line to fill."""
    words = Words(pack, lang)
    parts = sheet(pack)
    if form == "csv":
        return _csv(pack, parts, words)
    if form == "markdown":
        return _markdown(pack, parts, words, date)
    return _html(pack, parts, words, date) if form == "html" else _text(pack, parts, words, date)


# --- what the forms share -----------------------------------------------------------------------


def _seen(line: Line, words: Words) -> str:
    shown = [
        words.field(field) if how == CLEAR else f"{words.field(field)} [{how}]"
        for field, how in line.fields
    ]
    return words.comma(shown) if shown else words.say("no-field")


def _stages(pack: Pack, line: Line, words: Words) -> str:
    if line.stages == pack.resources[line.resource].stages:
        return words.say("any")
    return words.comma([words.stage(stage) for stage in line.stages])


def _actions(line: Line, words: Words) -> str:
    return words.comma([words.action(action) for action in line.actions])


def _denied(part: RoleSheet, words: Words) -> str:
    return words.comma([words.action(row.action) for row in part.denied])


def _pending(part: RoleSheet, words: Words) -> Iterator[str]:
    for cell in part.pending:
        stages = words.comma([words.stage(stage) for stage in cell.stages])
        fields = words.comma([words.field(field) for field in cell.fields])
        yield f"{stages}: {fields} ({words.of(cell)})"


def _relations(pack: Pack, parts: tuple[RoleSheet, ...]) -> list[RelationSpec]:
    used = {w for part in parts for line in part.lines for w in _WORD.findall(line.condition)}
    return [spec for name, spec in pack.relations.items() if name in used]


def _masks(parts: tuple[RoleSheet, ...]) -> list[str]:
    used = {how for part in parts for line in part.lines for _, how in line.fields}
    return [profile for profile in PROFILES if profile in used]


def _heading(part: RoleSheet, words: Words) -> str:
    return f"{words.level(part.spec.level)} · {words.of(part.spec)} ({part.role})"


def _title(pack: Pack) -> str:
    """The company and the version's folder, without the path of this machine."""
    return f"{pack.name} / {Path(pack.folder).name}"


# --- text ---------------------------------------------------------------------------------------


def _text(pack: Pack, parts: tuple[RoleSheet, ...], words: Words, date: str) -> str:
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, highlight=False, color_system=None)
    console.print(f"{words.say('title')} · {escape(_title(pack))}", soft_wrap=True)
    console.print(f"{words.say('version')}: {pack.version}")
    if pack.settings.replay_only:
        console.print(f"! {words.say('replay-only')}")
    for part in parts:
        console.print(f"\n{escape(_heading(part, words))}")
        _text_role(console, pack, part, words)
    console.print(f"\n{words.say('relations')}")
    legend = Table(box=None, pad_edge=False, show_header=False)
    for spec in _relations(pack, parts):
        legend.add_row(spec.name, escape(words.of(spec)))
    for profile in _masks(parts):
        legend.add_row(escape(f"[{profile}]"), escape(words.mask(profile)))
    console.print(legend)
    console.print()
    for signer in SIGNERS:
        console.print(
            f"{words.say(signer)}: ______________  {words.say('date')}: {date or '_' * 12}"
        )
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _text_role(console: Console, pack: Pack, part: RoleSheet, words: Words) -> None:
    if part.lines:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
        for head, least in (("stage", 16), ("when", 20), ("may", 12), ("sees", 26)):
            table.add_column(words.say(head), overflow="fold", min_width=least)
        for line in part.lines:
            cells = (
                _stages(pack, line, words),
                line.condition,
                _actions(line, words),
                _seen(line, words),
            )
            table.add_row(*map(escape, cells))
        console.print(table)
    else:
        console.print(f"  {words.say('nothing')}")
    if part.denied:
        console.print(f"  {words.say('never')}: {escape(_denied(part, words))}")
    for cell in _pending(part, words):
        console.print(f"  {words.say('pending')}: {escape(cell)}")


# --- markdown -----------------------------------------------------------------------------------


def _markdown(pack: Pack, parts: tuple[RoleSheet, ...], words: Words, date: str) -> str:
    out = [f"# {words.say('title')}: {_cell(_title(pack))}", ""]
    out += [f"{words.say('version')}: `{pack.version}`", ""]
    if pack.settings.replay_only:
        out += [f"**{words.say('replay-only')}**", ""]
    for part in parts:
        out += [f"## {_cell(_heading(part, words))}", ""]
        if part.lines:
            out.append(_row([words.say(head) for head in ("stage", "when", "may", "sees")]))
            out.append(_row(["---"] * 4))
        else:
            out.append(words.say("nothing"))
        for line in part.lines:
            what = (_stages(pack, line, words), line.condition, _actions(line, words))
            out.append(_row([*what, _seen(line, words)]))
        out.append("")
        if part.denied:
            out += [f"{words.say('never')}: {_cell(_denied(part, words))}", ""]
        out += [f"- {words.say('pending')}: {_cell(cell)}" for cell in _pending(part, words)]
        out += [""] if part.pending else []
    out += [f"## {words.say('relations')}", ""]
    out += [f"- `{spec.name}`: {_cell(words.of(spec))}" for spec in _relations(pack, parts)]
    out += [f"- `[{profile}]`: {_cell(words.mask(profile))}" for profile in _masks(parts)]
    out += ["", _row([words.say(one) for one in ("role", "signature", "date")]), _row(["---"] * 3)]
    out += [_row([words.say(signer), " ", date or " "]) for signer in SIGNERS]
    return "\n".join(out)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


# --- CSV: one line a cell, for a spreadsheet ------------------------------------------------------

COLUMNS = (
    "level", "role", "role_name", "resource", "stage", "action", "field", "field_name", "shown",
    "condition", "rules", "standing", "version",
)  # fmt: skip


def _csv(pack: Pack, parts: tuple[RoleSheet, ...], words: Words) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for part in parts:
        who = (part.spec.level, part.role, words.of(part.spec))
        for line in part.lines:
            rules = " ".join(line.rules)
            for stage in line.stages:
                for action in line.actions:
                    for field, how in line.fields or (("", ""),):
                        name = words.field(field) if field else ""
                        what = (line.resource, stage, action, field, name, how)
                        writer.writerow((*who, *what, line.condition, rules, "yes", pack.version))
        for cell in part.pending:
            for stage in cell.stages:
                for field in cell.fields:
                    what = ("", stage, "", field, words.field(field), "")
                    writer.writerow((*who, *what, words.of(cell), "", "pending", pack.version))
    return out.getvalue().rstrip("\n")


# --- HTML -----------------------------------------------------------------------------------------


def _html(pack: Pack, parts: tuple[RoleSheet, ...], words: Words, date: str) -> str:
    environment = Environment(
        loader=PackageLoader("acl_engine.cli", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    fields = [field for spec in pack.resources.values() for field in spec.fields]
    return environment.get_template("sheet.html.j2").render(
        pack=pack,
        parts=parts,
        words=words,
        date=date,
        fields=list(dict.fromkeys(fields)),
        relations=_relations(pack, parts),
        masks=_masks(parts),
        signers=SIGNERS,
        stages=lambda line: _stages(pack, line, words),
        actions=lambda line: _actions(line, words),
        denied=lambda part: _denied(part, words),
        pending=lambda part: list(_pending(part, words)),
        asked=lambda part: {field for cell in part.pending for field in cell.fields},
        title=_title(pack),
        heading=lambda part: _heading(part, words),
        CLEAR=CLEAR,
    )
