"""A policy diff names every right that changes, and none that does not."""

import json
from pathlib import Path

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pack_grid

from acl_engine.analysis.policy_diff import diff
from acl_engine.cli import cli
from acl_engine.decision import PackDecider
from acl_engine.domain.errors import PolicyErrors
from acl_engine.domain.facts import Facts
from acl_engine.domain.request import Action
from acl_engine.policy.pack import load_pack, pack_from_files

ROOT = Path(__file__).parents[3] / "policies" / "courier"
PACK = load_pack(ROOT / "after")
LOAD = next(row for row in PACK.rows if row.id == "courier.load")


def edited(file: str, old: str, new: str):  # type: ignore[no-untyped-def]
    files = dict(PACK.files)
    assert old in files[file]
    files[file] = files[file].replace(old, new, 1)
    return pack_from_files(files, folder=PACK.folder)


def test_the_same_pack_has_no_diff() -> None:
    found = diff(PACK, PACK)
    assert (found.changes, found.wider, found.narrower) == ((), 0, 0)
    assert "no right" in found.summary().render("en")


def test_a_stage_more_is_a_gain_and_backwards_a_loss() -> None:
    line = PACK.files["policy.csv"].splitlines()[LOAD.line - 1]
    wider = edited("policy.csv", line, line.replace("OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY|CLAIM"))
    there, back = diff(PACK, wider), diff(wider, PACK)
    (change,) = there.changes
    assert (change.wider, change.role, change.stages) == (True, "courier", ("CLAIM",))
    assert (there.wider, there.narrower) == (back.narrower, back.wider)
    assert not any(change.wider for change in back.changes)


def test_a_relation_that_means_something_else_is_a_change() -> None:
    """The rows stay the same to the letter; the rights do not."""
    other = edited("relations.yaml", '"sub.on_shift"', '"sub.on_shift || sub.device_bound"')
    assert {change.role for change in diff(PACK, other).changes} >= {"courier", "warehouse_keeper"}


def test_a_prohibition_more_is_a_loss() -> None:
    row = "p, more.deny, courier, waybill, read, anyone, any, none, deny\n"
    files = dict(PACK.files)
    files["policy.csv"] += row
    found = diff(PACK, pack_from_files(files, folder=PACK.folder))
    assert [(c.wider, c.prohibition, c.role) for c in found.changes] == [(False, True, "courier")]
    assert "forbidden" in found.changes[0].line().render("en")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_role_without_changes_is_decided_alike(data: st.DataObject) -> None:
    """Remove a random row: whoever the diff does not name is answered as before."""
    row = data.draw(st.sampled_from(PACK.rows))
    lines = PACK.files["policy.csv"].splitlines(keepends=True)
    files = dict(PACK.files) | {"policy.csv": "".join(lines[: row.line - 1] + lines[row.line :])}
    try:
        other = pack_from_files(files, folder=PACK.folder)
    except PolicyErrors:  # a relation or a control that only this row used
        return
    named = {(change.role, change.action) for change in diff(PACK, other).changes}
    subject = data.draw(pack_grid.subjects(PACK))
    parcel = data.draw(pack_grid.parcels(PACK))
    request = pack_grid.request(data.draw(st.sampled_from(list(Action))))
    if (subject["role"], str(request.action)) not in named:
        before = PackDecider(PACK).decide(request, Facts(subject, parcel))
        after = PackDecider(other).decide(request, Facts(subject, parcel))
        assert (before.allowed, before.grants) == (after.allowed, after.grants)


def test_the_command_says_it_in_both_languages() -> None:
    before, after = str(ROOT / "before"), str(ROOT / "after")
    for lang, word in (("en", "loses"), ("zh", "失去")):
        done = CliRunner().invoke(
            cli, ["--lang", lang, "policy", "diff", before, after, "--role", "branch_mgr"]
        )
        assert done.exit_code == 0
        assert word in done.output
    done = CliRunner().invoke(cli, ["policy", "diff", before, after, "--format", "json"])
    document = json.loads(done.output)
    assert document["schema"] == "acl-policy-diff/1"
    assert document["narrower"] > 0


def test_the_command_explains_an_allow_and_a_denial() -> None:
    given_ = "--sub person=p1 --sub device_bound=true --sub released_stop=3 --res stop_seq=2"
    given_ += " --res assignee=p1 --res assignee_sound=true --res stage=OUT_FOR_DELIVERY"
    base = ["policy", "explain", str(ROOT / "after"), "read", "--role", "courier", *given_.split()]
    allowed = CliRunner().invoke(cli, [*base, "--sub", "on_shift=true"])
    assert allowed.exit_code == 0
    assert "res.assignee == sub.person" in allowed.output
    denied = CliRunner().invoke(cli, [*base, "--sub", "on_shift=false", "--format", "json"])
    assert denied.exit_code == 1
    assert json.loads(denied.output)["controls"] == ["shift"]


def test_a_fact_that_does_not_exist_is_refused() -> None:
    base = ["policy", "explain", str(ROOT / "after"), "read", "--role", "courier"]
    assert CliRunner().invoke(cli, [*base, "--sub", "on_shift=maybe"]).exit_code == 2
    assert CliRunner().invoke(cli, [*base, "--sub", "shift=true"]).exit_code == 2
