r"""A command's help in Chinese, out of the tables of `help_zh/`.

A table says for each command its paragraphs, in the order of the English ones; `\b` alone stands
for a block of examples, which is the same in both languages. `options.toml` says each option's
English words in Chinese, so that the two cannot drift apart unnoticed.
"""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from inspect import cleandoc

import click

from acl_engine.cli.wrapping import display_width, padded, wrapped

TABLES = resources.files("acl_engine.cli").joinpath("help_zh")
OPTIONS = "options.toml"
EXAMPLES = "\b"
# What click calls a kind of value; other words are the option's own.
KINDS = {
    "TEXT": "文本",
    "INTEGER": "整数",
    "INTEGER RANGE": "整数",
    "FLOAT": "数",
    "FLOAT RANGE": "数",
    "FILE": "文件",
    "PATH": "路径",
    "DIRECTORY": "目录",
    "FILENAME": "文件",
}


@cache
def commands() -> dict[str, str]:
    """Command, without `acl`, to its help in Chinese; `""` is `acl` itself."""
    found: dict[str, str] = {}
    for file in TABLES.iterdir():
        if file.name.endswith(".toml") and file.name != OPTIONS:
            found |= tomllib.loads(file.read_text("utf-8"))
    return found


@cache
def options() -> dict[str, str]:
    """An option's words in English to those in Chinese."""
    return tomllib.loads(TABLES.joinpath(OPTIONS).read_text("utf-8"))


def of(ctx: click.Context) -> str | None:
    """The whole help of the context's command; None where it has no Chinese."""
    text = commands().get(_path(ctx))
    if text is None:
        return None
    width = min(ctx.terminal_width or click.HelpFormatter().width, ctx.max_content_width or 80)
    lines = [f"用法：{ctx.command_path} {' '.join(_pieces(ctx))}".rstrip()]
    for paragraph in paragraphs(ctx.command, text):
        lines += ["", *_said(paragraph, width)]
    records = [one for param in ctx.command.get_params(ctx) if (one := _record(ctx, param))]
    lines += _listed("选项：", records, width)
    if isinstance(ctx.command, click.Group):
        lines += _listed("命令：", list(_below(ctx, ctx.command)), width)
    return "\n".join(lines)


def paragraphs(command: click.Command, text: str) -> Iterator[str]:
    """Chinese paragraphs, with the English one's examples where a `\\b` stands alone."""
    english = cleandoc(command.help or "").split("\n\n")
    for number, paragraph in enumerate(text.strip("\n").split("\n\n")):
        same = paragraph.strip() == "\\b" and number < len(english)
        yield english[number] if same else paragraph.replace("\\b\n", f"{EXAMPLES}\n")


def _said(paragraph: str, width: int) -> Iterable[str]:
    if paragraph.startswith(EXAMPLES):
        return [f"  {line}".rstrip() for line in paragraph.splitlines()[1:]]
    return [f"  {line}" for line in wrapped(paragraph, width - 2)]


def _path(ctx: click.Context) -> str:
    names = []
    while ctx.parent is not None:
        names.append(ctx.info_name or "")
        ctx = ctx.parent
    return " ".join(reversed(names))


def _pieces(ctx: click.Context) -> list[str]:
    said = {"[OPTIONS]": "[选项]", "COMMAND [ARGS]...": "命令 [参数]..."}
    return [said.get(piece, piece) for piece in ctx.command.collect_usage_pieces(ctx)]


def _record(ctx: click.Context, param: click.Parameter) -> tuple[str, str] | None:
    record = param.get_help_record(ctx)
    if record is None or not isinstance(param, click.Option):
        return None
    names, _ = record
    if param.metavar is None and (kind := param.make_metavar(ctx=ctx)) in KINDS:
        names = f"{names.removesuffix(kind)}{KINDS[kind]}"
    said = [options().get(param.help, param.help)] if param.help else []
    extra = param.get_help_extra(ctx)
    if "default" in extra:
        said.append(f"[默认：{extra['default']}]")
    if "range" in extra:
        said.append(f"[{extra['range']}]")
    if "required" in extra:
        said.append("[必填]")
    return names, " ".join(said)


def _below(ctx: click.Context, group: click.Group) -> Iterator[tuple[str, str]]:
    """Each command of a group with the first sentence of its first paragraph."""
    path = _path(ctx)
    for name in group.list_commands(ctx):
        text = commands().get(f"{path} {name}".strip(), "")
        yield name, text.strip().split("\n\n")[0].replace("\n", "").partition("。")[0]


def _listed(head: str, rows: list[tuple[str, str]], width: int) -> list[str]:
    """Names left, words right; a long name has a line of its own."""
    if not rows:
        return []
    column = min(max(display_width(name) for name, _ in rows), 30)
    lines = ["", head]
    for name, words in rows:
        first, *rest = wrapped(words, max(width - column - 4, 20)) or [""]
        if display_width(name) > column:
            lines.append(f"  {name}")
            name = ""
        lines.append(f"  {padded(name, column)}  {first}".rstrip())
        lines += [" " * (column + 4) + line for line in rest]
    return lines
