"""`--help` in both languages, over the whole tree of commands."""

import re
from collections.abc import Iterator
from inspect import cleandoc

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from acl_engine.cli import cli, help_chinese
from acl_engine.cli.wrapping import wrapped

# A command keeps the names of its help option from the first context that asks for them.
ROOT = click.Context(cli, info_name="acl", **cli.context_settings)
CHINESE = re.compile("[\u4e00-\u9fff]")


def tree(command: click.Command = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, parent=ROOT)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from tree(below, f"{path} {name}".strip())


COMMANDS = dict(tree())


def options() -> set[str]:
    return {
        one.help
        for command in COMMANDS.values()
        for one in command.get_params(click.Context(command, parent=ROOT))
        if isinstance(one, click.Option) and one.help and not one.hidden
    }


def shown(path: str, **environment: str) -> str:
    done = CliRunner().invoke(cli, [*path.split(), "--help"], prog_name="acl", env=environment)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_command_and_option_has_chinese_and_nothing_else_has() -> None:
    """Whoever adds a command, or changes what an option says, says it in Chinese too."""
    assert set(help_chinese.commands()) == set(COMMANDS)
    assert set(help_chinese.options()) == options()
    said = [*help_chinese.commands().values(), *help_chinese.options().values()]
    assert all(CHINESE.search(text) for text in said if "://" not in text)


@pytest.mark.parametrize("path", [path for path in COMMANDS if path])
def test_both_languages_have_the_same_paragraphs(path: str) -> None:
    """Examples stand where they stand in English, and say the same commands."""
    command = COMMANDS[path]
    english = cleandoc(command.help or "").split("\n\n")
    chinese = list(help_chinese.paragraphs(command, help_chinese.commands()[path]))
    examples = [[one for one in text if one.startswith("\b")] for text in (english, chinese)]
    assert len(examples[0]) == len(examples[1])
    typed = [re.findall(r"^acl .*", "\n".join(one), re.MULTILINE) for one in examples]
    assert typed[0] == typed[1]


@pytest.mark.parametrize("path", COMMANDS)
def test_chinese_help_fits_the_terminal_and_is_chinese(path: str) -> None:
    """Whatever is not an example fits 80 columns, where a character takes two."""
    text = shown(path, ACL_LANG="zh")
    assert text.startswith(f"用法：acl {path}".rstrip())
    examples = cleandoc(COMMANDS[path].help or "")
    for line in text.splitlines():
        assert cell_len(line) <= 80 or line.strip() in examples, line
    for english in ("Usage:", "Options:", "Commands:", "Show this message", "[required]"):
        assert english not in text


def test_the_language_is_chosen_as_everywhere() -> None:
    run = CliRunner().invoke
    assert "用法：" in run(cli, ["--lang", "zh", "--help"]).output
    assert "用法：" in run(cli, ["--lang", "zh", "audit", "--help"]).output
    assert "用法：" in run(cli, ["replay", "--lang", "zh", "--help"]).output
    assert "用法：" in run(cli, ["policy", "check", "--help"], env={"ACL_LANG": "zh"}).output
    assert "Usage:" in run(cli, ["--lang", "en", "policy", "--help"], env={"ACL_LANG": "zh"}).output
    assert "Usage:" in run(cli, ["policy", "check", "--help"]).output


def test_a_line_breaks_between_characters_and_not_before_what_closes() -> None:
    assert wrapped("先留痕，后回答。", 8) == ["先留痕，", "后回答。"]
    assert wrapped("带 --compat 时", 9) == ["带", "--compat", "时"]
    assert wrapped("查看（即读取）", 6) == ["查看", "（即读", "取）"]
    assert wrapped("", 10) == []
