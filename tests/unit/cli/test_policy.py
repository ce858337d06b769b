"""acl policy and acl control: what they print, and their exit codes."""

import csv
import io
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from acl_engine.cli import cli
from acl_engine.domain.errors import AclError
from acl_engine.policy.pack import load_pack

ROOT = Path(__file__).parents[3]
AFTER = ROOT / "policies" / "courier" / "after"
BEFORE = ROOT / "policies" / "courier" / "before"
PACKS = ROOT / "tests" / "assets" / "packs"
GOLDEN = ROOT / "tests" / "golden"


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in args], catch_exceptions=False)


def broken(name: str, into: Path) -> Path:
    folder = into / "a pack" / "v 1"
    shutil.copytree(PACKS / "small" / "v1", folder)
    shutil.copytree(PACKS / "bad" / name, folder, dirs_exist_ok=True)
    return folder


def test_a_sound_policy_passes() -> None:
    done = run("policy", "check", AFTER)
    assert done.exit_code == 0
    assert "errors: 0, warnings: 0" in done.output


def test_strict_counts_warnings() -> None:
    """The company of 2020 loads for replay, and no pipeline lets it through."""
    assert run("policy", "check", BEFORE).exit_code == 0
    assert run("policy", "check", BEFORE, "--strict").exit_code == 1


def test_every_error_is_shown_at_once(tmp_path: Path) -> None:
    done = run("policy", "check", broken("two-files-at-once", tmp_path))
    assert done.exit_code == 2
    assert "policy.csv:7:63: error:" in done.output
    assert "roles.yaml:4:" in done.output


def test_what_will_not_load_is_bad_input(tmp_path: Path) -> None:
    """As a scenario or a call that is wrong: 2; 1 is for what loads and falls short."""
    assert run("policy", "check", tmp_path / "nowhere").exit_code == 2
    (broken("row-too-short", tmp_path) / "roles.yaml").unlink()
    assert run("policy", "check", tmp_path / "a pack" / "v 1").exit_code == 2


def test_json_names_the_version_that_the_sheet_shows() -> None:
    document = json.loads(run("policy", "check", AFTER, "--format", "json").output)
    assert document["schema"] == "acl-check/1"
    assert document["version"] == load_pack(AFTER).version
    assert document["version"] in run("policy", "matrix", AFTER).output


def test_sarif_has_what_2_1_0_requires(tmp_path: Path) -> None:
    """Required by the standard: version, runs, tool.driver.name, message.text; URIs are encoded."""
    folder = broken("stage-mistyped", tmp_path)
    done = run("policy", "check", folder, "--format", "sarif")
    assert done.exit_code == 2
    document = json.loads(done.output)
    assert document["version"] == "2.1.0"
    (only,) = document["runs"]
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    (result,) = only["results"]
    assert result["level"] == "error"
    assert rules[result["ruleIndex"]] == result["ruleId"] == "pack.unknown-word"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 6, "startColumn": 63}
    assert place["artifactLocation"]["uri"].startswith("file:///")
    assert "a%20pack/v%201/policy.csv" in place["artifactLocation"]["uri"]
    assert result["message"]["text"]


def test_sarif_below_here_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code hosts match relative paths with the files of a change."""
    broken("stage-mistyped", tmp_path)
    monkeypatch.chdir(tmp_path)
    document = json.loads(run("policy", "check", "a pack/v 1", "--format", "sarif").output)
    place = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20pack/v%201/policy.csv"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("pack", [AFTER, BEFORE], ids=["after", "before"])
def test_the_text_sheet_fits_100_columns(pack: Path, lang: str) -> None:
    for command in (("policy", "matrix", pack), ("control", "list", pack)):
        done = run("--lang", lang, *command)
        assert done.exit_code == 0
        assert max(map(cell_len, done.output.splitlines())) <= 100


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_sheet_is_the_golden_one(lang: str) -> None:
    """Whoever changes a right changes this file with it, and the reviewer sees both."""
    found = run("policy", "matrix", PACKS / "small" / "v1", "--format", "markdown", "--lang", lang)
    assert found.output == (GOLDEN / f"sheet-small.{lang}.md").read_text()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_courier_sheet_is_the_golden_one(lang: str) -> None:
    """The matrix of the remediated company, as people read it (version digest apart)."""
    found = run("policy", "matrix", AFTER, "--format", "markdown", "--lang", lang).output
    golden = (GOLDEN / f"sheet-courier-after.{lang}.md").read_text()
    assert found.replace(load_pack(AFTER).version, "VERSION") == golden


def test_csv_has_one_line_a_cell() -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("policy", "matrix", AFTER, "--format", "csv").output))
    )
    clear = {
        (row["stage"], row["field"])
        for row in rows
        if row["role"] == "branch_mgr" and row["shown"] == "clear" and row["standing"] == "yes"
    }
    assert ("AT_BRANCH", "area") in clear
    assert not [cell for cell in clear if "phone" in cell[1]]
    assert {row["standing"] for row in rows} == {"yes", "pending"}
    assert {row["version"] for row in rows} == {load_pack(AFTER).version}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.sources.append(tag)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_html_stands_alone_and_can_be_signed(lang: str) -> None:
    """One file without scripts or references, with the version, a date and lines to sign."""
    done = run(
        "policy", "matrix", AFTER, "--format", "html", "--lang", lang, "--date", "2026-03-02"
    )
    page = _Page()
    page.feed(done.output)
    assert page.sources == []
    assert done.output.count("2026-03-02") == 3
    assert load_pack(AFTER).version in done.output
    assert f'<html lang="{lang}">' in done.output


def test_html_escapes_what_a_pack_says(tmp_path: Path) -> None:
    """A pack's texts are data: they do not become markup on the sheet of whoever prints it."""
    folder = tmp_path / "x" / "v1"
    shutil.copytree(PACKS / "small" / "v1", folder)
    roles = (folder / "roles.yaml").read_text()
    (folder / "roles.yaml").write_text(roles.replace("en: clerk", 'en: "<script>x</script>"'))
    assert "<script>" not in run("policy", "matrix", folder, "--format", "html").output


def test_a_bad_date_is_refused() -> None:
    assert run("policy", "matrix", AFTER, "--date", "02.03.2026").exit_code == 2


def test_the_folder_is_found_without_being_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "src")
    assert run("control", "list").exit_code == 0


def test_the_schema_accepts_what_the_reader_accepts() -> None:
    """An editor that is given the schema underlines what the loader refuses."""
    check = jsonschema.Draft202012Validator(
        json.loads(run("policy", "schema", "roles.yaml").output)
    )
    role = {"level": 1, "human": True, "zh": "收", "en": "c"}
    assert check.is_valid({"schema": "acl-roles/1", "roles": {"courier": role}})
    assert not check.is_valid({"schema": "acl-roles/1", "roles": {"courier": {**role, "x": 1}}})


def test_controls_as_json_name_their_relations_and_edits() -> None:
    document = json.loads(run("control", "list", AFTER, "--format", "json").output)
    controls = {one["id"]: one for one in document["controls"]}
    assert "assigned" in controls["assignment-scope"]["relations"]
    assert controls["no-reverse-lookup"]["rules"] == ["staff.no-reverse-lookup"]
    assert all(one["off"] for one in controls.values())


CASBIN_MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && r.act == p.act
"""


def casbin_folder(into: Path, policy: str) -> Path:
    (into / "rbac_model.conf").write_text(CASBIN_MODEL)
    (into / "rbac_policy.csv").write_text(policy)
    return into


def test_a_stock_casbin_folder_is_checked_too(tmp_path: Path) -> None:
    """One model and one CSV; every trap with its place, and --compat only warns."""
    folder = casbin_folder(tmp_path, "p, staff, /a, read\np, staff, ^/b$\ng, ann, staf\n")
    done = run("policy", "check", folder)
    assert done.exit_code == 2
    assert "rbac_policy.csv:2:15: error:" in done.output
    folder = casbin_folder(tmp_path, "p, staff, /a, read\ng, ann, staf\n")
    assert run("policy", "check", folder).exit_code == 2
    done = run("policy", "check", folder, "--compat")
    assert done.exit_code == 0
    assert "warning: the pattern `/a` has no end anchor" in done.output
    assert "the role `staf` has no row" in done.output
    assert run("policy", "check", folder, "--compat", "--strict").exit_code == 1
    document = json.loads(run("policy", "check", folder, "--format", "sarif").output)
    assert document["runs"][0]["results"][0]["ruleId"] == "pattern.open"


def test_compat_shows_its_warnings_beside_errors(tmp_path: Path) -> None:
    """One run tells everything: the short row that stops it, and what it only warns of."""
    folder = casbin_folder(tmp_path, "p, staff, /a, read\np, staff, read\n")
    done = run("policy", "check", folder, "--compat")
    assert done.exit_code == 2
    assert "rbac_policy.csv:1:11: warning: the pattern `/a` has no end anchor" in done.output
    assert "rbac_policy.csv:2:" in done.output
    assert "errors: 1, warnings: 1" in done.output


def test_two_models_in_one_folder_are_not_guessed_between(tmp_path: Path) -> None:
    (casbin_folder(tmp_path, "p, staff, ^/a$, read\n") / "other.conf").write_text(CASBIN_MODEL)
    with pytest.raises(AclError, match=r"one \.conf file"):
        run("policy", "check", tmp_path)


def test_a_casbin_decision_is_explained(tmp_path: Path) -> None:
    """The row, the links, and on a miss exactly what was lacking."""
    folder = casbin_folder(tmp_path, "p, staff, ^/a$, read\ng, ann, staff\n")
    done = run("policy", "explain", folder, "ann", "/a", "read")
    assert done.exit_code == 0
    assert "g, ann, staff (line=rbac_policy.csv:2)" in done.output
    done = run("--lang", "zh", "policy", "explain", folder, "ann", "/a", "write")
    assert done.exit_code == 1
    assert "缺：r.act == p.act" in done.output
    assert run("policy", "explain", folder, '{"a": 1', "/a", "read").exit_code == 2
