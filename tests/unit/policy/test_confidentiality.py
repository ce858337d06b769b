"""The confidentiality table: every cell filled, in words that the policy has, or no load."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acl_engine.cli import cli
from acl_engine.domain.confidentiality import LINKS
from acl_engine.domain.errors import InputError, PolicyErrors
from acl_engine.policy.pack import load_pack

AFTER = Path(__file__).parents[3] / "policies" / "courier" / "after"
TEXT = (AFTER / "confidentiality.yaml").read_text(encoding="utf-8")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(AFTER, tmp_path / "courier" / "after"))


def changed(pack: Path, old: str, new: str) -> list[str]:
    """The codes of what is then wrong with the pack."""
    text = re.sub(old, new, TEXT, count=1)
    assert text != TEXT
    (pack / "confidentiality.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyErrors) as caught:
        load_pack(pack)
    assert all(one.where and one.where.line for one in caught.value.errors)
    return sorted({one.message.code for one in caught.value.errors})


def test_every_class_stands_at_every_link() -> None:
    loaded = load_pack(AFTER)
    table = loaded.confidentiality
    assert table is not None
    classes = {f.data_class for r in loaded.resources.values() for f in r.fields.values()}
    assert set(table.cells) == {(link, one) for link in LINKS for one in classes}
    assert len(table.cells) == 13 * 9


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (r"classes: \[secret\]", "classes: []", "confidentiality.empty-cell"),
        (r"classes: \[secret\]", "classes: [secret, item]", "confidentiality.cell-twice"),
        (r"  secret: \{.*\n", "", "confidentiality.empty-cell"),
        (r"rule: \{zh: 取件码只给收件人本人", "rule: {zh: ' '", "confidentiality.blank"),
        (r"controls: \[own-parcels\]", "controls: []", "confidentiality.blank"),
        (r"controls: \[own-parcels\]", "controls: [prayer]", "confidentiality.unknown-word"),
        (r"post: courier", "post: dial_broker", "confidentiality.unknown-word"),
        (r"post: courier", "post: nobody", "confidentiality.unknown-word"),
        (r"  pickup:", "  pikcup:", "confidentiality.no-link"),
        (r"title:", "process: [order]\ntitle:", "confidentiality.unknown-word"),
        (r"schema: .*", "schema: x", "yaml.wrong-value"),
    ],
)
def test_a_hole_in_the_table_is_refused(pack: Path, old: str, new: str, code: str) -> None:
    assert code in changed(pack, old, new)


def test_an_empty_cell_fails_the_check(pack: Path) -> None:
    changed(pack, r"classes: \[secret\]", "classes: []")
    done = run("policy", "check", str(pack))
    assert done.exit_code == 2
    assert "the cell of link `order` and data class `secret` is empty" in done.output
    assert "confidentiality.yaml:" in done.output


def test_a_changed_table_is_another_version(pack: Path) -> None:
    """It is signed with the rest of the policy."""
    before = load_pack(pack).version
    text = TEXT.replace("只能一键拨号，不显示号码", "只能一键拨号")
    (pack / "confidentiality.yaml").write_text(text, encoding="utf-8")
    assert load_pack(pack).version != before


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_it_prints_as_the_companys_document(form: str) -> None:
    """In Chinese, with every link and class, the version, and lines to sign on."""
    shown = run("policy", "confidentiality", "--format", form, "--date", "2026-03-02").output
    loaded = load_pack(AFTER)
    table = loaded.confidentiality
    assert table is not None
    for text in (*table.links.values(), *table.classes.values(), table.title):
        assert text.zh in shown
    for part in (loaded.version, "责任岗位", "网点主管", "2026-03-02", "个人信息保护负责人"):
        assert part in shown
    assert "routing (route code" in run("policy", "confidentiality", "--lang", "en").output


def test_the_table_as_csv_is_one_line_a_cell() -> None:
    lines = run("policy", "confidentiality", "--format", "csv").output.splitlines()
    assert len(lines) == 1 + 13 * 9


def test_who_has_an_undertaking_has_a_table(pack: Path) -> None:
    """A small policy may do without both; the command says that there is none."""
    (pack / "confidentiality.yaml").unlink()
    with pytest.raises(PolicyErrors) as caught:
        load_pack(pack)
    assert [one.message.code for one in caught.value.errors] == ["pack.no-confidentiality"]
    small = Path(__file__).parents[2] / "assets" / "packs" / "small" / "v1"
    with pytest.raises(InputError) as none:
        run("policy", "confidentiality", str(small))
    assert none.value.message.code == "confidentiality.no-file"
