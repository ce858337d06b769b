"""The acl command: one file a group, loaded only when it is called."""

import os
import sys
from importlib import import_module

try:
    import click
except ModuleNotFoundError:  # the light install of the decision core
    sys.exit("acl: the command needs more than the core: pip install 'acl-engine[cli]'")

from acl_engine.cli.help import HelpContext, speaking
from acl_engine.cli.wanted_language import wanted_language
from acl_engine.cli.wrong_usage import one_line
from acl_engine.domain.errors import AclError, InputError, Where
from acl_engine.domain.text import Text

REFUSED = Text(
    "cli.system-refused",
    "系统拒绝：{why}",
    "the system refused: {why}",
    "检查路径、权限与磁盘空间",
    "check paths, permissions and the space on disk",
)

# command -> (module in this room that holds `command`, one line for `acl --help`).
COMMANDS: dict[str, tuple[str, str]] = {
    "approval": ("approval", "Rights for minutes: ask, approve, refuse, review; break-glass."),
    "audit": ("audit", "The audit log: verify, prove, export; who saw what."),
    "budget": ("budget", "Budgets: how much of each an account, a device or a unit has used."),
    "account": ("account", "Accounts: one accountable person each; join, move, leave, audit."),
    "database": ("database", "The database: create, upgrade, back up."),
    "export": ("export", "Many records to named recipients: two persons, masked, marked."),
    "publish": ("publish", "A list for everybody: two persons, masked, taken down in time."),
    "device": ("device", "Devices: enrol, bind, lease, revoke."),
    "control": ("control", "Named controls: what each is and where it acts."),
    "judicial": ("judicial", "Judicial requests: two persons agree, sealed for the authority."),
    "keys": ("keys", "Encryption at rest: list, rotate and destroy data keys."),
    "mask": ("mask", "Masking profiles: their strength; mask a spreadsheet."),
    "lookup": ("lookup", "One lookup as a given account: what it would see, and why."),
    "policy": ("policy", "Check, explain, print and compare policies."),
    "replay": ("replay", "Replay leaks against the engine, before and after."),
    "retention": ("retention", "Put personal data away, destroy it when its time is up."),
    "serve": ("serve", "Serve the central login and the lookup API over TLS."),
    "service": ("service", "Applications that the central login serves."),
    "scenario": ("scenario", "Check scenario files; print their schema."),
    "unit": ("unit", "Organisation units: add, import, list."),
    "world": ("world", "Build the synthetic company; import a published parcel trace."),
}


class _LazyGroup(click.Group):
    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"acl_engine.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return speaking(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    envvar="ACL_LANG",
    default="en",
    show_default=True,
    is_eager=True,
    help="Language of what is printed (also ACL_LANG). 输出语言。",
)
@click.version_option(package_name="acl-engine")
@click.pass_context
def cli(ctx: click.Context, lang: str) -> None:
    """Least privilege for personal data, proven by replaying real leaks.

    个人信息最小授权引擎：重放真实泄露案例，证明每一例都被挡住。

    Start with `acl replay`, then `acl lookup --help`.
    """
    ctx.obj = lang


def main() -> None:
    """Run the command. Every expected error is one line on stderr; the exit code says whose."""
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="acl"))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:  # `acl policy`: what there is to say
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _say(f"acl: {one_line(error, wanted_language())}\n")
        sys.exit(2)
    except AclError as error:
        _say(f"acl: {error.render(wanted_language())}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `acl ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as failure:
        if os.environ.get("ACL_DEBUG"):
            raise
        where = Where(str(failure.filename)) if failure.filename else None
        refused = InputError(REFUSED.of(why=failure.strerror or type(failure).__name__), where)
        click.echo(f"acl: {refused.render(wanted_language())}", err=True)
        sys.exit(refused.exit_code)
    except Exception as error:
        if os.environ.get("ACL_DEBUG"):
            raise
        # The text of a foreign exception may quote data: only its type is shown.
        name = type(error).__name__
        click.echo(f"acl: internal error `{name}` (set ACL_DEBUG=1 for the traceback)", err=True)
        sys.exit(2)


def _say(text: str) -> None:
    """On stderr, without what looks like a person's data among the words that were typed."""
    # Only a mistake pays for the tables of names.
    saying = import_module("acl_engine.cli.saying")
    click.echo(saying.unquoted(text), err=True, nl=False)
