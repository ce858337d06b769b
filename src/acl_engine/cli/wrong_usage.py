"""A command typed wrongly: one line like any other error, instead of click's four in English."""

from collections.abc import Iterable
from difflib import get_close_matches

import click
from click import exceptions

from acl_engine.domain.text import Lang, Message, Text

HELP = ("用法见 `{path} --help`", "see `{path} --help`")
NEAREST = ("最接近：{near}；用法见 `{path} --help`", "closest: {near}; see `{path} --help`")
NO_OPTION = Text("usage.option", "没有选项 `{name}`", "no such option `{name}`", *NEAREST)
NO_COMMAND = Text("usage.command", "没有命令 `{name}`", "no such command `{name}`", *NEAREST)
# Where nothing is spelt alike.
NO_OPTION_ALONE = Text("usage.option-alone", "没有选项 `{name}`", "no such option `{name}`", *HELP)
NO_COMMAND_ALONE = Text(
    "usage.command-alone", "没有命令 `{name}`", "no such command `{name}`", *HELP
)
BEFORE = Text(
    "usage.lang",
    "`--lang` 写在命令之前",
    "`--lang` stands before the command",
    "写作 `acl --lang zh ...`，或设 ACL_LANG=zh",
    "write `acl --lang zh ...`, or set ACL_LANG=zh",
)
MISSING = Text("usage.missing", "缺少 {name}", "missing {name}", *HELP)
WRONG_VALUE = Text(
    "usage.value", "{name} 的值不对：{what}", "wrong value for {name}: {what}", *HELP
)
OTHER = Text("usage.other", "命令写错了：{what}", "{what}", *HELP)


def one_line(error: click.ClickException, lang: Lang) -> str:
    """What was typed wrongly, where, and which help to read."""
    said = _said(error)
    return f"{said.render(lang)} ({said.hint(lang)})"


def _said(error: click.ClickException) -> Message:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "acl"
    if isinstance(error, exceptions.NoSuchOption):
        if error.option_name == "--lang":
            return BEFORE.of()
        return _unknown(NO_OPTION, NO_OPTION_ALONE, error.option_name, error.possibilities, path)
    if isinstance(error, exceptions.NoSuchCommand):
        group = ctx.command if ctx else None
        known = group.list_commands(ctx) if ctx and isinstance(group, click.Group) else []
        near = get_close_matches(error.command_name, known)
        return _unknown(NO_COMMAND, NO_COMMAND_ALONE, error.command_name, near, path)
    if isinstance(error, exceptions.MissingParameter):
        return MISSING.of(name=_name(error), path=path)
    if isinstance(error, exceptions.BadParameter):
        return WRONG_VALUE.of(name=_name(error), what=_plain(error.message), path=path)
    return OTHER.of(what=_plain(error.format_message()), path=path)


def _name(error: exceptions.BadParameter) -> str:
    """The option or argument, as the help writes it."""
    hint = error.param_hint
    if hint is None and error.param is not None and error.ctx is not None:
        hint = error.param.get_error_hint(error.ctx)
    named = hint if isinstance(hint, str) else " / ".join(hint or ())
    return f"`{named.replace(chr(39), '')}`" if named else "-"


def _unknown(
    text: Text, without: Text, name: str, near: Iterable[str] | None, path: str
) -> Message:
    """With the options or commands that are spelt alike, where there are any."""
    alike = ", ".join(near or ())
    if not alike:
        return without.of(name=name, path=path)
    return text.of(name=name, near=alike, path=path)


def _plain(said: str) -> str:
    """click's sentence on one line, without its full stop."""
    return " ".join(said.split()).rstrip(".")
