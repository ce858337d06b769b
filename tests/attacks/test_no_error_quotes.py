"""No message says personal data back: typed into the wrong place of a command or a request, it
stands in no error, no output of a failed call and no log.

Every command of `acl` and every operation of the API is driven, each with a person's values where
something else belongs.
"""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import cycle
from pathlib import Path

import click
import pytest
from tests import api_world
from tests.api_world import Api
from tests.line_world import ROOT, template

from acl_engine.cli import cli, main
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.masking.quoting import without_quotes, without_typed
from acl_engine.web.api.operations import OPERATIONS, Operation

PHONE, ID, NAME, PLACE = (
    "13987654321",
    "110101199003078814",
    "欧阳晓明",
    "宝安区西乡街道盐田新村3栋502",
)
PERSON = (PHONE, NAME, ID, f"+86 {PHONE}", PLACE)
# What answers only when it is stopped, or makes another world.
NOT_DRIVEN = {"acl serve", "acl world build"}


def commands() -> Iterator[tuple[str, click.Command]]:
    def below(context: click.Context) -> Iterator[tuple[str, click.Command]]:
        command = context.command
        if not isinstance(command, click.Group):
            yield context.command_path, command
            return
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from below(click.Context(found, parent=context, info_name=name))

    yield from below(click.Context(cli, info_name="acl"))


COMMANDS = dict(commands())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quotes")
    template(folder)[0].close()
    return folder / "line.db"


def given(one: click.Parameter, database: Path, value: str) -> list[str]:
    """A parameter with a person's value, but the database: without one nothing goes on."""
    if one.name in ("database", "url"):
        value = f"sqlite:///{database}"
    if isinstance(one, click.Argument):
        return [value]
    if one.is_flag or one.count:
        return [one.opts[-1]]
    return [one.opts[-1], *[value] * max(1, one.nargs)]


def calls(command: click.Command, database: Path) -> Iterator[list[str]]:
    """Whatever is required, and then each option beside it."""
    value = cycle(PERSON)
    params = [one for one in command.params if not (isinstance(one, click.Option) and one.hidden)]
    always = [
        word
        for one in params
        if one.required or isinstance(one, click.Argument) or one.name in ("database", "url")
        for word in given(one, database, next(value))
    ]
    yield always
    for one in params:
        if isinstance(one, click.Option) and not (one.required or one.is_flag):
            yield [*always, *given(one, database, next(value))]


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["acl", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0), said.getvalue()


@pytest.mark.parametrize("path", sorted(set(COMMANDS) - NOT_DRIVEN))
def test_no_command_says_it_back(
    path: str,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A call that succeeded may print what it was asked to."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    for lang, words in zip(cycle(("en", "zh")), calls(COMMANDS[path], database), strict=False):
        code, said = run(["--lang", lang, *path.split()[1:], *words], monkeypatch)
        assert "Traceback" not in said, said
        told = caplog.text + (said if code else "")
        assert not [one for one in PERSON if one in told], (words, told)


def test_an_unknown_command_or_option_is_not_said_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ([NAME], ["audit", PHONE], [f"--{PHONE}"], ["--lang", NAME], ["audit", f"--{ID}"]):
        code, said = run(words, monkeypatch)
        assert code == 2
        assert said
        assert not [one for one in PERSON if one in said], said


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    database, truth = template(tmp_path_factory.mktemp("api"))
    database.close()
    made = api_world.api(f"sqlite:///{database.path}", truth)
    yield made
    made.service.close()


def bodies(kind: type | None) -> Iterator[dict[str, object]]:
    """Every field with a person's value as a text, a list and a name of its own."""
    names = tuple(getattr(kind, "__struct_fields__", ()))
    for value in PERSON:
        yield dict.fromkeys(names, value)
        yield {name: {value: value} for name in names}
        yield {name: [value] for name in names} | {value: 1}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_no_operation_says_it_back(
    operation: Operation, service: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = service.token("courier-88")
    for body in bodies(operation.takes):
        answer = service.post(operation.path, body, token)
        assert answer.status != 500
        told = caplog.text + (answer.body.decode() if answer.status >= 400 else "")
        escaped = [one for one in PERSON if one in told or json.dumps(one)[1:-1] in told]
        assert not escaped, (body, told)


@pytest.mark.parametrize("value", [PHONE, f"+86{PHONE}", "139-8765-4321", ID, "110101900307881"])
def test_no_exception_holds_a_number(value: str) -> None:
    """Neither its text nor its parts, for whoever embeds the engine and logs them."""
    text = Text("test", "没有 `{what}`", "no `{what}`", "见 {what}", "see {what}")
    error = InputError(text.of(what=f"account {value}."))
    said = repr(error) + error.render("zh") + error.render("en") + repr(error.args)
    assert value not in said
    assert "***" in said


def test_what_is_no_person_is_said_back() -> None:
    """Or nobody would find the mistake: a waybill's number, a date, a count, a login, a column."""
    text = Text("test", "没有 `{what}`", "no `{what}`")
    for value in ("SF1390000000001", "20260302T214000", "1790000000123", "courier-88", "waybil_no"):
        message = text.of(what=value)
        assert value in without_quotes(message).render()
        assert value in without_typed(message.render(), [value])


def test_the_root_is_there() -> None:
    """What is driven is the whole tree."""
    assert len(COMMANDS) > 60
    assert (ROOT / "policies").exists()
