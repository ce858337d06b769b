"""What stands in the docs exists, and what exists stands in the docs."""

import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from acl_engine.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "policies/*/README.md", "bench/*.md", "deploy/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
# What a page may call a file of the project: a path below one of these folders.
_FILE = re.compile(r"(src|tests|tools|docs|policies|scenarios|seeds|bench|deploy)/[\w./-]+\.\w+\Z")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def tool(name: str) -> ModuleType:
    """A tool that makes a page: `text()` is what should stand in `FILE`."""
    spec = spec_from_file_location(name, ROOT / "tools" / f"{name}_reference.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("name", ["settings", "command", "control", "threat"])
def test_a_page_made_by_a_tool_is_up_to_date(name: str) -> None:
    """A command, control, setting or scenario without documentation fails here."""
    page = tool(name)
    written = page.FILE.read_text(encoding="utf-8")
    assert written == page.text(), f"{page.FILE.name} is behind: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_every_file_named_exists(page: Path) -> None:
    """A page that points to what is not there teaches its reader to distrust the rest."""
    text = page.read_text(encoding="utf-8")
    missing = [link for link in _LINK.findall(text) if not _resolves(page, link)]
    named = [code for code in _CODE.findall(text) if _FILE.match(code)]
    missing += [name for name in named if "*" not in name and not _named(name)]
    assert not missing


def _resolves(page: Path, link: str) -> bool:
    if link.startswith(("http://", "https://", "mailto:")):
        return True
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or anchor in map(_anchor, _HEADING.findall(target.read_text("utf-8")))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _named(name: str) -> bool:
    return any(
        (folder / name).exists() for folder in (ROOT, ROOT / "src" / "acl_engine", ROOT / "tests")
    )


def test_every_active_scenario_stands_in_the_threat_model() -> None:
    """A leak that answers no threat, or a threat whose scenario went, is noticed."""
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    for path in ROOT.glob("scenarios/*/*.yaml"):
        active = yaml.safe_load(path.read_text(encoding="utf-8"))["status"] == "active"
        named = f"(../{path.relative_to(ROOT).as_posix()})" in page
        assert named == active, path.name


# --- commands and flags that a page shows --------------------------------------------------------


def _shown(page: Path) -> Iterator[str]:
    """Every `acl ...` of a page, in a block or in a sentence."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"\\\n\s*", " ", text)
    for code in (*_CODE.findall(text), *(line.strip() for line in text.splitlines())):
        found = re.match(r"(?:\$ )?(?:sudo (?:-u \w+ )?)?(?:\S*/)?acl( [a-z-].*)", code)
        if found:
            yield found[1].split("|")[0].split(" #")[0].split(">")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists_with_its_flags(page: Path) -> None:
    """A renamed command or flag is noticed in the docs, not by the reader."""
    for line in _shown(page):
        assert not (wrong := _unknown(line.split())), f"`acl {line}`: no {wrong}"


def _unknown(words: list[str]) -> str:
    """The first command or flag that `acl` does not have."""
    command: click.Command = cli
    context = click.Context(cli, info_name="acl")
    for word in words:
        if word.startswith("--"):
            flag = word.partition("=")[0].rstrip("`.,;:)")
            known = {name for one in (*command.params, *cli.params) for name in one.opts}
            known |= {name for one in command.params for name in one.secondary_opts} | {"--help"}
            if flag not in known:
                return flag
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            if word in ("zh", "en"):
                continue
            found = command.get_command(context, word)
            if found is None:
                return word
            command = found
    return ""


def _commands() -> Iterator[tuple[str, click.Command]]:
    for context in tool("command").every_command():
        yield context.command_path, context.command


def test_every_option_says_what_it_is() -> None:
    """An option without a word of help is a guess; choices of a format say it themselves."""
    bare = [
        f"{path} {one.opts[0]}"
        for path, command in _commands()
        for one in command.params
        if isinstance(one, click.Option) and not (one.help or one.hidden)
        if not isinstance(one.type, click.Choice)
    ]
    assert not bare


def test_every_command_says_what_it_does() -> None:
    """And in one sentence at its head, which the list of commands shows."""
    for path, command in _commands():
        first = (command.help or "").split("\n\n")[0]
        assert first.rstrip().endswith("."), path
