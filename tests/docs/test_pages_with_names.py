"""How-to pages whose commands take what an earlier one printed, typed as the pages have them."""

import re
import shutil
from pathlib import Path

import pytest

from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from tests.docs.reading import blocks, check, commands, edit
from tests.docs.test_pages_run import ROOT, Shell, shell

__all__ = ["shell"]
# What a page calls it, and where it is first told.
TOLD = {
    "CASE": re.compile(r"case (A-\w+) \("),
    "COPY": re.compile(r"\(copy (R-\w+-1)\)"),
    "KEY": re.compile(r"public key (\S{44})"),
}
_CSV = re.compile(r"^`([\w.-]+)`:\n\n```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A network, or a service that runs on: tests/integration/serving types those.
ELSEWHERE = ("curl", "acl serve")


@pytest.mark.parametrize(
    ("page", "least"),
    [
        ("central-login", 4),
        ("judicial", 8),
        ("lookup-api", 4),
        ("releases", 12),
        ("scanner-page", 2),
        ("try-a-policy", 5),
    ],
)
def test_each_command_does_what_its_page_says(
    page: str, least: int, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Placeholders stand for what the command before printed; a diff is an edit of the copy."""
    monkeypatch.setenv("ACL_LANG", "en")
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    Path("paper.pdf").write_bytes(b"%PDF-1.7 a made-up paper")
    names = {"NUMBER": Truth(small_world(ROOT), 300).by_name["done-3-days"].waybill_no}
    file = ROOT / "docs" / "how-to" / f"{page}.md"

    def filled(text: str) -> str:
        for name, value in names.items():
            text = re.sub(rf"\b{name}\b", value, text)
        return text

    def told(words: list[str]) -> tuple[str, int]:
        if words[0] == "mkdir":
            for folder in words[1:]:
                Path(folder).mkdir()
            return "", 0
        out, code = shell([filled(word) for word in words])
        names.update({name: found[1] for name, told in TOLD.items() if (found := told.search(out))})
        for name, value in names.items():
            out = out.replace(value, name)
        return out, code

    for name, text in _CSV.findall(file.read_text(encoding="utf-8")):
        Path(name).write_text(filled(text), encoding="utf-8")
    run = 0
    for kind, block in blocks(file):
        if kind == "diff":
            edit(filled(block), Path("mine/settings.yaml"))
        for command in commands(block):
            if not command.line.startswith(ELSEWHERE):
                check(command, told)
                run += 1
    assert run >= least
