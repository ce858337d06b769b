"""How-to pages for those who run the service, typed over real keys and an empty real database."""

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from acl_engine.cli import cli
from tests import signed_policy
from tests.docs.reading import Command, blocks, check, commands, edit
from tests.docs.test_pages_run import ROOT, Shell, shell

pytestmark = pytest.mark.xdist_group("pages-for-operators")
__all__ = ["shell"]
PAGES = ROOT / "docs" / "how-to"
# It runs on: tests/integration/serving types it.
ELSEWHERE = "acl serve --database"


class Console:
    """What `Shell` types, and what else an operator's page has: `export`, `head`, `chmod`."""

    def __init__(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        self._shell, self._monkeypatch = shell, monkeypatch
        self.run = 0

    def page(self, name: str) -> None:
        for kind, block in blocks(PAGES / f"{name}.md"):
            if kind == "diff":
                edit(block, Path("policies/courier/after/policy.csv"))
            for command in commands(block):
                if not command.line.startswith(ELSEWHERE):
                    self.type(command)

    def type(self, command: Command) -> None:
        name = command.words[0]
        if name == "export":
            self._monkeypatch.setenv(*command.words[1].split("=", 1))
        elif name in ("head", "chmod"):
            subprocess.run(command.line, shell=True, check=True)
        else:
            check(command, self._acl)
        self.run += 1

    def _acl(self, words: list[str]) -> tuple[str, int]:
        return self._shell(words)


@pytest.fixture
def console(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("ACL_LANG", "en")
    for name in ("ACL_MASTER_KEY", "ACL_MASTER_KEY_FILE", "ACL_POLICY", "ACL_POLICY_TRUST"):
        monkeypatch.delenv(name, raising=False)
    return Console(shell, monkeypatch)


def test_the_page_about_operation(console: Console) -> None:
    """Tried, configured, backed up, verified and upgraded, as the page says."""
    console.page("operate")
    assert console.run >= 9


def test_the_page_about_keys_and_retention(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old key opens nothing once it was changed, and a hold stops destruction."""
    signed_policy.in_environment(tmp_path, monkeypatch)
    console.page("keys-and-retention")
    assert console.run >= 16


class Desk(Console):
    """Two people at the policy's desk: they answer `y`, and copy what the key command printed."""

    def _acl(self, words: list[str]) -> tuple[str, int]:
        if words[1:3] == ["policy", "bundle"]:
            words = [*words, "--no-ablation"]  # which controls hold what is proven elsewhere
        if words[1:3] != ["policy", "sign"]:
            out, code = self._shell(words)
        else:
            done = CliRunner().invoke(cli, words[1:], input="y\n", catch_exceptions=False)
            out, code = done.output, done.exit_code
        if words[1:3] == ["policy", "key"]:
            _trust(out)
        return out, code


def _trust(line: str) -> None:
    file = Path("trust.yaml")
    before = file.read_text() if file.exists() else "schema: acl-policy-trust/1\npeople:\n"
    file.write_text(before + re.sub(r"author(?=\].*)", "approver", line) if "bob" in line
                    else before + line)  # fmt: skip
    file.chmod(0o600)


def test_the_page_about_signing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed, signed by two, loaded, refused, taken back, and each of it on record."""
    desk = Desk(shell, monkeypatch)
    monkeypatch.setenv("ACL_LANG", "en")
    for folder in ("seeds", "scenarios"):
        Path(folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("ACL_MASTER_KEY", base64.b64encode(os.urandom(32)).decode())
    desk.type(Command("acl database create --database sqlite:///acl.db", (), 0))
    desk.page("sign-a-policy")
    assert desk.run >= 18
