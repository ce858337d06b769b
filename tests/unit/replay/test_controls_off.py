"""Each control of the courier pack is real: with it the request is refused, without it it passes.

A control whose absence changes nothing would make every `BLOCKED` that names it worthless.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests import pack_grid

from acl_engine.decision import PackDecider
from acl_engine.domain.control import Control
from acl_engine.domain.decision import Decision, Effect, Show
from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.request import Action
from acl_engine.policy.expression import names, parse
from acl_engine.policy.pack import load_pack
from acl_engine.replay.ablation import without

AFTER = load_pack(Path(__file__).parents[3] / "policies" / "courier" / "after")
KEY = "W1"
# Facts under which every relation of the pack holds.
SUBJECT: dict[str, Any] = {
    "account": "a", "person": "p", "unit": "u", "unit_path": "cn/gd/", "tenant": "t",
    "customer": "c", "device_class": "pda", "device_bound": True, "on_shift": True,
    "roster_areas": frozenset({"aoi"}), "tickets": frozenset({KEY}), "claims": frozenset({KEY}),
    "batches": frozenset({KEY}), "print_jobs": frozenset({KEY}), "changes": frozenset({KEY}),
    "released_stop": 3, "bound_since": 0, "now": 900, "day_ago": 800, "week_ago": 700,
    "month_ago": 600, "approved": frozenset({KEY}), "overdue_review": False, "fresh_factor": True,
    "duties": frozenset({"u"}), "makers": frozenset({"board"}), "answered": frozenset({"A-0"}),
}  # fmt: skip
PARCEL: dict[str, Any] = {
    "type": "waybill", "waybill_no": KEY, "tenant": "t", "origin_unit": "o", "dest_unit": "u",
    "dest_path": "cn/gd/sz/", "custody_unit": "u", "custody_sound": True, "route": "r",
    "area": "aoi", "city": "sz", "pickup_courier": "p", "assignee": "p", "assignee_sound": True,
    "stop_seq": 2, "station": "u", "sender": "c", "recipient": "c", "cod": True,
    "ordered_at": 100, "out_at": 500, "delivered_at": 850,
}  # fmt: skip

# Somebody else's case, in time; the rows about one's own are asked with one's own.
CASE: dict[str, Any] = {
    "type": "approval", "approval_no": KEY, "kind": "look", "purpose": "precheck",
    "resource": "waybill", "object": KEY, "asker": "other", "account": "a", "unit": "v",
    "desk": "u", "urgent": True, "sampled": True, "reviewed": False, "asked_at": 100,
    "answer_until": 1000, "lives_until": None,
}  # fmt: skip
RECORDS = {"waybill": PARCEL, "approval": CASE}
PURPOSE = re.compile(r"\bfor_(\w+)")


def decided(pack: Pack, row: Row, stage: str, lost: frozenset[str] = frozenset()) -> Decision:
    """What the pack says to somebody with the row's role, with some subject facts missing."""
    role = next(one for one in AFTER.roles if one == row.role or (one, row.role) in pack.role_links)
    purpose = PURPOSE.search(row.relation)
    known = {**SUBJECT, "purpose": purpose[1].replace("_", "-") if purpose else None}
    subject = {name: None if name in lost else fact for name, fact in known.items()}
    request = replace(pack_grid.request(Action(row.action), KEY), resource=row.resource)
    record = {**RECORDS[row.resource], "stage": stage}
    if "urgent_unanswered" in words(row):  # no case is in time and over at once
        record["answer_until"] = SUBJECT["now"]
    facts = pack_grid.facts({**subject, "role": role}, record)
    return PackDecider(pack).decide(request, facts)


def applies(pack: Pack, row: Row, stage: str, lost: frozenset[str] = frozenset()) -> bool:
    """Whether the request is allowed, and by this row among others."""
    found = decided(pack, row, stage, lost)
    return found.allowed and row.id in found.rules


def stage_of(row: Row) -> str:
    return row.stages[0] if row.stages else AFTER.resources[row.resource].stages[0]


def read_by(role: str, action: str = "read") -> Row:
    return Row("asked", role, "waybill", action, "anyone", (), (), True, 0)


def relations_off(control: Control) -> set[str]:
    return {edit.name for edit in control.off if edit.kind == "relation"}


def owned() -> list[tuple[str, Row]]:
    """Each control that is a relation, with each row that it holds."""
    return [
        (control.id, row)
        for control in AFTER.controls.values()
        for row in AFTER.rows
        if row.allow and relations_off(control) & words(row)
    ]


def words(row: Row) -> set[str]:
    return {path[0] for path in names(parse(row.relation, Where("row"), relation=True))}


@pytest.mark.parametrize("row", [row for row in AFTER.rows if row.allow], ids=lambda row: row.id)
def test_every_row_can_be_used(row: Row) -> None:
    """A row that nobody could ever use is no right: all facts given, it is the one that allows."""
    assert applies(AFTER, row, stage_of(row))


@pytest.mark.parametrize(("control", "row"), owned(), ids=lambda one: getattr(one, "id", one))
def test_without_its_fact_a_row_is_refused_and_with_the_control_off_it_is_not(
    control: str, row: Row
) -> None:
    """The edits of a control are sufficient: what it alone held back comes through without it."""
    mine = relations_off(AFTER.controls[control]) & words(row)
    trees = [parse(AFTER.relations[name].expression, Where("relation")) for name in mine]
    lost = frozenset(path[1] for tree in trees for path in names(tree) if path[0] == "sub")
    stage = stage_of(row)
    assert lost
    assert not applies(AFTER, row, stage, lost)
    assert applies(without(AFTER, [control]).pack, row, stage, lost)


def test_every_relation_with_a_control_is_switched_off_by_it() -> None:
    """Otherwise the positive control of a scenario would still be held by a forgotten relation."""
    for name, spec in AFTER.relations.items():
        if spec.control is not None:
            control = AFTER.controls[spec.control]
            kinds = {edit.kind for edit in control.off}
            assert name in relations_off(control) or "unmask" in kinds, name


def test_the_reverse_lookup_comes_back_for_staff_only() -> None:
    """With its one control off, the branch manager's account does what it did in 2020."""
    off = without(AFTER, ["no-reverse-lookup"]).pack
    ask = read_by("branch_mgr", "reverse_lookup")
    assert decided(AFTER, ask, "DELIVERED").effect is Effect.DENY
    assert decided(off, ask, "DELIVERED").effect is Effect.ALLOW
    assert decided(off, read_by("sender", "reverse_lookup"), "DELIVERED").effect is Effect.DENY


def test_without_field_masking_a_row_that_applies_shows_everything() -> None:
    """Masked and hidden fields alike, where the row applies; and nothing where none does."""
    off = without(AFTER, ["field-masking"]).pack
    shown = decided(off, read_by("branch_mgr"), "AT_BRANCH").grants
    assert {field for field, grant in shown.items() if grant.show is Show.CLEAR} == set(
        AFTER.resources["waybill"].fields
    )
    assert decided(off, read_by("dpo"), "AT_BRANCH").effect is Effect.DENY


def test_masking_off_reaches_the_rows_that_another_control_adds() -> None:
    """All controls off is everything off, in whatever order they are named."""
    for order in (["field-masking", "least-privilege"], ["least-privilege", "field-masking"]):
        shown = decided(without(AFTER, order).pack, read_by("dpo"), "AT_BRANCH").grants
        assert shown["recipient_phone"].show is Show.CLEAR


def test_without_the_stage_window_a_delivered_parcel_is_read() -> None:
    """The 30 days of delivered parcels in the scanner come back."""
    row = next(row for row in AFTER.rows if row.id == "courier.stop")
    assert not applies(AFTER, row, "DELIVERED")
    assert applies(without(AFTER, ["stage-window"]).pack, row, "DELIVERED")


@pytest.mark.parametrize("control", AFTER.controls)
def test_a_weakened_pack_is_another_version_and_for_replay_only(control: str) -> None:
    """It can never be mistaken for the signed one, nor be served."""
    derived = without(AFTER, [control])
    changed = derived.pack.rows != AFTER.rows
    assert derived.pack.settings.replay_only
    assert derived.pack.version != AFTER.version
    relations = derived.pack.relations != AFTER.relations
    weak = derived.weak or derived.components
    tuned = derived.pack.settings != AFTER.settings
    assert changed or relations or weak or tuned, "switching it off changes nothing"


def test_all_controls_off_at_once_is_a_pack_that_loads() -> None:
    """The positive control of every scenario starts from here."""
    assert without(AFTER, AFTER.controls).pack.settings.replay_only


def test_a_control_that_does_not_exist_is_refused_by_name() -> None:
    """A mistyped control must not count as switched off."""
    with pytest.raises(ScenarioError):
        without(AFTER, ["no-reverse-lokup"])
