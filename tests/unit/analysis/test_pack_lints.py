"""What loads and is still suspicious is said, with its line; what is sound raises nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from acl_engine.analysis import pack_lints
from acl_engine.analysis.findings import Finding
from acl_engine.analysis.pack_lints import check
from acl_engine.masking.profiles import PROFILES

ROOT = Path(__file__).parents[3]
SMALL = ROOT / "tests" / "assets" / "packs" / "small" / "v1"


def changed(into: Path, file: str, old: str, new: str) -> tuple[Finding, ...]:
    """The findings on the small pack after one change of one file."""
    folder = into / "pack"
    shutil.copytree(SMALL, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    return check(folder)


def test_the_remediated_company_has_no_error_and_no_warning() -> None:
    """What we ship as the answer has nothing that we would warn others of."""
    found = check(ROOT / "policies" / "courier" / "after")
    assert [one for one in found if one.level != "note"] == []


def test_the_company_of_2020_is_warned_of() -> None:
    """Rows for anyone are what the case was about: the lint sees each of them."""
    found = check(ROOT / "policies" / "courier" / "before")
    assert sum(one.message.code == "lint.anyone" for one in found) > 30


def test_the_small_pack_is_clean() -> None:
    """Otherwise the lints below would prove nothing."""
    assert check(SMALL) == ()


ROW = "p, clerk.read, clerk, waybill, read, in_custody, IN|OUT, waybill_no=clear, allow"


@pytest.mark.parametrize(
    ("file", "old", "new", "level", "code"),
    [
        ("policy.csv", "in_custody, IN", "anyone, IN", "error", "pack.unused-relation"),
        (
            "policy.csv",
            ROW,
            f"{ROW}\np, clerk.any, clerk, waybill, read, anyone, DONE, phone=clear, allow",
            "warning",
            "lint.anyone",
        ),
        (
            "policy.csv",
            ROW,
            f"{ROW}\np, clerk.any, clerk, waybill, trace, anyone, any, phone=mask:pickup, allow",
            "note",
            "lint.anyone-masked",
        ),
        (
            "policy.csv",
            ROW,
            f"{ROW}\np, clerk.shift, clerk, waybill, search, on_shift, any, none, allow",
            "note",
            "lint.no-record-tie",
        ),
        (
            "policy.csv",
            ROW,
            f"{ROW}\np, c.more, clerk, waybill, read, in_custody, OUT, phone=mask:pickup, allow",
            "note",
            "lint.overlap",
        ),
        (
            "roles.yaml",
            "  clerk:",
            "  idle: {level: 1, human: true, zh: 闲, en: idle}\n  clerk:",
            "note",
            "lint.role-without-rows",
        ),
        ("relations.yaml", "control: shift, ", "", "warning", "lint.relation-without-control"),
        (
            "controls.yaml",
            "rules: [staff.no-reverse], ",
            "",
            "warning",
            "lint.deny-without-control",
        ),
        (
            "controls.yaml",
            ", off: [{kind: relation, name: on_shift}]",
            "",
            "warning",
            "lint.control-without-off",
        ),
    ],
)
def test_each_suspicion_is_found_alone(
    file: str, old: str, new: str, level: str, code: str, tmp_path: Path
) -> None:
    """One change, one finding of that name, in the file that was changed or explains it."""
    found = changed(tmp_path, file, old, new)
    assert [(one.level, one.message.code) for one in found] == [(level, code)]
    assert found[0].where.line > 0


def test_a_prefix_beside_a_suffix_joins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mask differencing: `1381234****` beside `*******5678` is the whole number."""
    prefix = replace(PROFILES["label-gbt41833"], phone_first=7, phone_last=0)
    monkeypatch.setattr(pack_lints, "PROFILES", {**PROFILES, "label-gbt41833": prefix})
    rows = (
        "p, c.one, clerk, waybill, read, in_custody, IN, phone=mask:label-gbt41833, allow\n"
        "p, c.two, clerk, waybill, trace, in_custody, OUT, phone=mask:pickup, allow"
    )
    found = changed(tmp_path, "policy.csv", ROW, f"{ROW}\n{rows}")
    assert "lint.mask-join" in [one.message.code for one in found]


def test_nested_suffixes_do_not_join(tmp_path: Path) -> None:
    """Two digits beside the last four are the last four: no more than one of the views shows."""
    rows = (
        "p, c.one, clerk, waybill, read, in_custody, IN, phone=mask:label-gbt41833, allow\n"
        "p, c.two, clerk, waybill, trace, in_custody, OUT, phone=mask:pickup, allow"
    )
    found = changed(tmp_path, "policy.csv", ROW, f"{ROW}\n{rows}")
    assert "lint.mask-join" not in [one.message.code for one in found]
