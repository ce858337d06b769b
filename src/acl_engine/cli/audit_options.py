"""What the `acl audit` commands share: options, times, one line for a record."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from acl_engine.domain.accountability import FILED_CHARS, AuditEntry
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Lang, Text

BAD_NAME = Text(
    "audit.bad-name",
    "记入日志的名称（案件、经办人）为空、过长或含不可见字符",
    "a name that goes on record (a case, who asks) is empty, too long or not printable",
    "写 1 到 {most} 个可见字符",
    "write 1 to {most} printable characters",
)
NO_SPAN = Text(
    "audit.no-span",
    "`--from` 不在 `--to` 之前，其间没有任何时刻",
    "`--from` is not before `--to`: no moment lies between",
    "对调两者；`--to` 是最后一刻之后",
    "swap them; `--to` is the moment after the last",
)
Asking = TypeVar("Asking", bound=Callable[..., Any])

trust_option = click.option(
    "--trust",
    type=click.Path(path_type=Path),
    envvar="ACL_AUDIT_TRUST",
    help="File of the keys to believe: `log VKEY`, `witness VKEY`, `quorum N` (also"
    " ACL_AUDIT_TRUST). Without it: this service's own keys.",
)


def _name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A name that is put on record: something, on one line, as long as the log files it."""
    if value is not None and not (
        value.strip() and value.isprintable() and len(value) <= FILED_CHARS
    ):
        raise InputError(BAD_NAME.of(most=FILED_CHARS))
    return value


_by = partial(click.option, "--by", envvar="ACL_OPERATOR", callback=_name)
by_option = _by(default="operator", help="Who asks; stands in the log.")
# No default: who asks the log about people is one named person, as who looks at them is.
asker_option = _by(
    required=True, help="The login of whoever asks; stands in the log (also ACL_OPERATOR)."
)
case_argument = click.argument("case", required=False, callback=_name)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def span_options(function: Asking) -> Asking:
    """`--from` and `--to`, handed over as epoch milliseconds; a span that holds no moment is
    refused."""
    ends = {"--to": ("until", 2**62, "The moment after the last, UTC."),
            "--from": ("since", 0, "First moment, UTC.")}  # fmt: skip
    for flag, (name, default, words) in ends.items():
        moment = click.option(flag, name, type=click.DateTime(), help=words, callback=_or(default))
        function = moment(function)
    return function


def _or(default: int) -> Callable[[click.Context, click.Parameter, datetime | None], int]:
    def millis(context: click.Context, end: click.Parameter, value: datetime | None) -> int:
        at = default if value is None else int(value.replace(tzinfo=UTC).timestamp() * 1000)
        ends = {**context.params, str(end.name): at}  # whichever was read first stands there
        if ends.get("since", 0) >= ends.get("until", 2**62):
            raise InputError(NO_SPAN.of())
        return at

    return millis


def say(lang: Lang, text: Text, **params: object) -> None:
    """One line of a text."""
    click.echo(text.of(**params).render(lang))


def line_document(fields: Mapping[str, object]) -> None:
    """One JSON document on one line, of a stream that does not end."""
    click.echo(json.dumps(fields, ensure_ascii=False))


def document(schema: str, **fields: object) -> None:
    """A machine-readable answer: one JSON document whose first field is its schema."""
    click.echo(json.dumps({"schema": schema, **fields}, ensure_ascii=False, indent=2))


def moment(millis: int) -> str:
    """Epoch milliseconds as UTC, to the second."""
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def line(index: int | None, entry: AuditEntry) -> str:
    """One record on one line: who, on what, did what, with which end."""
    person = f"({entry.person or '-'}, {entry.role or '-'}, {entry.unit or '-'})"
    what = f"{entry.action} {entry.kind} {entry.effect} at {entry.line}"
    place = "" if index is None else f"{index:>8}  "
    fields = ",".join(entry.fields)
    who = f"{entry.account or '-'} {person}  {entry.device or '-'}"
    return f"{place}{moment(entry.at)}  {who}  {what}  {entry.count} {fields}"


def busy(name: str) -> Progress:
    """A spinner on stderr for whatever may take over two seconds."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    bar.add_task(name, total=None)
    return bar
