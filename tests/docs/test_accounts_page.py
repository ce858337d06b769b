"""docs/how-to/accounts.md, typed line by line over an empty database of real keys."""

import os
import re
import stat
from pathlib import Path

import pytest

from acl_engine.storage.database import Database, create_or_upgrade
from tests import signed_policy
from tests.docs.reading import blocks, check, commands
from tests.docs.test_pages_run import Shell, shell

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "accounts.md"
_FILE = re.compile(r"^`([\w.]+)`:\n\n```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
__all__ = ["shell"]


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the administrators' machine: a key, a signed policy, no database yet."""
    key = tmp_path / "master.key"
    key.write_bytes(os.urandom(32))
    key.chmod(stat.S_IRUSR | stat.S_IWUSR)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(key))
    monkeypatch.setenv("ACL_DATABASE", f"sqlite:///{tmp_path / 'company.db'}")
    signed_policy.in_environment(tmp_path, monkeypatch)


@pytest.mark.usefixtures("company")
def test_a_company_as_the_page_makes_it(shell: Shell, tmp_path: Path) -> None:
    """Each command prints what the page shows; a digest is the one that the dry run told."""
    for name, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    url = os.environ["ACL_DATABASE"]
    create_or_upgrade(url).close()
    with Database.open(url) as database:
        signed_policy.loaded(database, tmp_path)
    digest, run = "", 0

    def told(words: list[str]) -> tuple[str, int]:
        nonlocal digest
        out, code = shell([digest if word == "DIGEST" else word for word in words])
        if found := re.search(r"--apply (\w+)", out):
            digest = found[1]
        return out.replace(digest, "DIGEST") if digest else out, code

    for _, block in blocks(PAGE):
        for command in commands(block):
            check(command, told)
            run += 1
    assert run > 30
