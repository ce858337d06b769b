"""acl policy confidentiality: the company's document of who answers for which data where."""

import csv
import datetime
import io
from pathlib import Path

import click
from jinja2 import Environment, PackageLoader, StrictUndefined

from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.confidentiality import Both, Cell, Confidentiality
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.policy.confidentiality import FILE
from acl_engine.policy.pack import load_pack

NO_TABLE = Text(
    "confidentiality.no-file",
    "该策略没有 confidentiality.yaml",
    "this policy has no confidentiality.yaml",
    "以 policies/courier/after 的文件为样本",
    "take the one of policies/courier/after as an example",
)
_WORDS = {
    "version": Both("策略版本", "policy version"),
    "class": Both("数据类别", "class of data"),
    "rule": Both("规则", "rule"),
    "control": Both("控制措施", "control"),
    "post": Both("责任岗位", "responsible post"),
    "prepared": Both("编制", "prepared by"),
    "approved": Both("批准", "approved by"),
    "dpo": Both("个人信息保护负责人", "data protection officer"),
    "date": Both("日期", "date"),
    "basis": Both(
        "依据：《个人信息保护法》第五十一条（分类管理、合理确定操作权限）。本表由策略文件生成，与系统实际执行的规则一致。",
        "Basis: PIPL article 51 (classified management, operation permissions). Generated from the"
        " policy files that are enforced.",
    ),
}


class _Table:
    """The table in one language, as the forms print it."""

    def __init__(self, pack: Pack, table: Confidentiality, lang: Lang, date: str) -> None:
        self.pack, self.table, self.lang, self.date = pack, table, lang, date

    def say(self, word: str) -> str:
        return self.of(_WORDS[word])

    def of(self, text: Both) -> str:
        return text.zh if self.lang == "zh" else text.en

    def groups(self, link: str) -> list[tuple[list[str], Cell]]:
        """The cells of a link, those that say the same together, in the order of the file."""
        found: dict[Cell, list[str]] = {}
        for data_class, name in self.table.classes.items():
            cell = self.table.cells[link, data_class]
            found.setdefault(cell, []).append(self.of(name))
        return [(names, cell) for cell, names in found.items()]

    def controls(self, cell: Cell) -> str:
        specs = [self.pack.controls[one] for one in cell.controls]
        comma = "、" if self.lang == "zh" else ", "
        return comma.join(one.zh if self.lang == "zh" else one.en for one in specs)

    def post(self, cell: Cell) -> str:
        role = self.pack.roles[cell.post]
        return role.zh if self.lang == "zh" else role.en


@click.command("confidentiality")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "csv"]),
    default="markdown",
    show_default=True,
    help="html prints on A4; csv is one line a cell.",
)
@click.option("--lang", "own", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option(
    "--date", "day", metavar="YYYY-MM-DD", default="", help="Date on the signature lines."
)
def command(folder: Path | None, form: str, own: Lang, day: str) -> None:
    """The confidentiality table (保密责任表) of the policy in DIR, for print and signature.

    Class of data x link of the process -> rule, control, responsible post. An empty cell fails
    `acl policy check`, so the document has none. Without DIR: policies/courier/after.
    """
    if day:
        try:
            datetime.date.fromisoformat(day)
        except ValueError:
            raise click.BadParameter("write YYYY-MM-DD", param_hint="--date") from None
    pack = load_pack(folder or project_root() / "policies" / "courier" / "after")
    if pack.confidentiality is None:
        raise InputError(NO_TABLE.of(), Where(f"{pack.folder}/{FILE}"))
    table = _Table(pack, pack.confidentiality, own, day)
    click.echo({"csv": _csv, "html": _html, "markdown": _markdown}[form](table))


def _markdown(table: _Table) -> str:
    lines = [f"# {table.of(table.table.title)}", ""]
    lines += [f"{table.say('version')}: `{table.pack.version}`", "", table.say("basis")]
    heads = [table.say(word) for word in ("class", "rule", "control", "post")]
    for link, name in table.table.links.items():
        lines += ["", f"## {table.of(name)}", "", f"| {' | '.join(heads)} |", "|---|---|---|---|"]
        for names, cell in table.groups(link):
            classes = ("；" if table.lang == "zh" else "; ").join(names)
            row = (classes, table.of(cell.rule), table.controls(cell), table.post(cell))
            lines.append(f"| {' | '.join(one.replace('|', '/') for one in row)} |")
    lines.append("")
    for signer in ("prepared", "approved", "dpo"):
        date = table.date or "_" * 12
        lines.append(f"{table.say(signer)}: ______________  {table.say('date')}: {date}  ")
    return "\n".join(lines)


def _csv(table: _Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["link", "class", "rule", "controls", "post"])
    for (link, data_class), cell in table.table.cells.items():
        controls = " ".join(cell.controls)
        writer.writerow([link, data_class, table.of(cell.rule), controls, cell.post])
    return out.getvalue().rstrip("\n")


def _html(table: _Table) -> str:
    environment = Environment(
        loader=PackageLoader("acl_engine.cli", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("confidentiality.html.j2").render(t=table)
