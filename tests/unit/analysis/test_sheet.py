"""The signed sheet is what is enforced: never less than a decision grants, nothing made up."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pack_grid

from acl_engine.analysis.sheet import sheet
from acl_engine.decision import PackDecider
from acl_engine.domain.decision import Effect
from acl_engine.domain.request import Action
from acl_engine.policy.pack import load_pack

ROOT = Path(__file__).parents[3]
PACKS = {name: load_pack(ROOT / "policies" / "courier" / name) for name in ("before", "after")}
DECIDERS = {name: PackDecider(pack) for name, pack in PACKS.items()}
SHEETS = {name: {part.role: part for part in sheet(pack)} for name, pack in PACKS.items()}


@pytest.mark.parametrize("name", PACKS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_allowed_stands_on_the_sheet(name: str, data: st.DataObject) -> None:
    """Whoever signs the sheet has seen every right that the engine gives."""
    pack = PACKS[name]
    subject: dict[str, Any] = data.draw(pack_grid.subjects(pack))
    parcel: dict[str, Any] = data.draw(pack_grid.parcels(pack))
    action = data.draw(st.sampled_from(list(Action)))
    found = DECIDERS[name].decide(pack_grid.request(action), pack_grid.facts(subject, parcel))
    if found.effect is not Effect.ALLOW:
        return
    lines = [
        line
        for line in SHEETS[name][subject["role"]].lines
        if parcel["stage"] in line.stages and action in line.actions
    ]
    assert lines


def test_every_allow_row_is_on_the_sheet_of_its_role() -> None:
    """No row is lost in the merging, and none is on it twice for one role."""
    for name, pack in PACKS.items():
        shown = {rule for part in SHEETS[name].values() for one in part.lines for rule in one.rules}
        assert shown == {row.id for row in pack.rows if row.allow}


def test_a_denied_action_is_not_on_the_sheet() -> None:
    """The deny row of the reverse lookup wins on paper too, for every member of staff."""
    for part in SHEETS["after"].values():
        assert not any("reverse_lookup" in line.actions for line in part.lines)
    staff = [part for part in SHEETS["after"].values() if part.denied]
    assert len(staff) == 21


def test_reach_is_the_strongest_view() -> None:
    """A courier reaches the room in clear, a name by its surname, and no phone at all."""
    reach = dict(SHEETS["after"]["courier"].reach)
    assert reach["unit"] == ("clear",)
    assert reach["recipient_name"] == ("screen-strict",)
    assert "recipient_phone" not in reach


def test_no_human_member_of_staff_reaches_a_clear_phone_after() -> None:
    """The number that the case sold is in clear for nobody at a desk or on the road."""
    pack = PACKS["after"]
    inside = [p for p in SHEETS["after"].values() if p.spec.human and p.spec.level > 0]
    assert len(inside) > 15
    for part in inside:
        for field in ("recipient_phone", "sender_phone"):
            assert "clear" not in dict(part.reach).get(field, ()), (part.role, pack.name)
