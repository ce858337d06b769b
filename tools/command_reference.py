"""Write docs/reference/commands.md from the commands themselves.

Usage: python tools/command_reference.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from acl_engine.cli import cli, help_chinese

FILE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"
HEAD = """# Commands 命令

Made by `tools/command_reference.py` from what the commands say of themselves; a test compares.
Each explains its options with `--help`. `acl --lang zh` (or `ACL_LANG=zh`) prints Chinese.

Exit codes: 0 fine, 1 something fell short or was denied, 2 the call or a file is wrong. An error is
one line: what, where, what to do.

| command | arguments | what it does | 做什么 |
|---|---|---|---|
"""


def text() -> str:
    return HEAD + "\n".join(map(_row, every_command())) + "\n"


def every_command() -> Iterator[click.Context]:
    """Every command that does something, groups left out."""
    yield from _below(click.Context(cli, info_name="acl"))


def _below(context: click.Context) -> Iterator[click.Context]:
    command = context.command
    if not isinstance(command, click.Group):
        yield context
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from _below(click.Context(found, parent=context, info_name=name))


def _row(context: click.Context) -> str:
    command = context.command
    arguments = [
        piece
        for one in command.params
        if isinstance(one, click.Argument)
        for piece in one.get_usage_pieces(context)
    ]
    first = " ".join((command.help or "").split("\n\n")[0].replace("\b", "").split())
    chinese = help_chinese.commands()[context.command_path.partition(" ")[2]].split("\n\n")[0]
    cells = (f"`{context.command_path}`", " ".join(arguments), first, chinese.strip())
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
