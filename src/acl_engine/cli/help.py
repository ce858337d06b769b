"""`--help` in the language that is asked for: English beside the code, Chinese in `help_zh/`.

INVARIANTS
- Chinese is loaded only where Chinese help is shown.
- A command without Chinese is shown in English whole (`tests/unit/cli/test_help.py` allows none).
"""

from importlib import import_module

import click
from click.core import ParameterSource

from acl_engine.cli.wanted_language import wanted_language
from acl_engine.domain.text import Lang


class HelpContext(click.Context):
    """A context whose help speaks the language of `--lang` and ACL_LANG."""

    def get_help(self) -> str:
        if _asked(self) == "zh":
            chinese = import_module("acl_engine.cli.help_chinese").of(self)
            if chinese is not None:
                return str(chinese)
        return super().get_help()


def speaking(command: click.Command) -> click.Command:
    """`command` and all below it, so that each shows its help in the language asked for."""
    command.context_class = HelpContext
    if isinstance(command, click.Group):
        for below in command.commands.values():
            speaking(below)
    return command


def _asked(ctx: click.Context) -> Lang:
    """Of this command's own `--lang`, else of `acl`'s, else of words that are not read yet."""
    for one in (ctx, ctx.find_root()):
        if one.get_parameter_source("lang") not in (None, ParameterSource.DEFAULT):
            return "zh" if one.params.get("lang") == "zh" else "en"
    return wanted_language()
