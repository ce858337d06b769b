"""An explanation is enough: its rows and its facts, alone, give the decision again."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pack_grid

from acl_engine.decision import PackDecider
from acl_engine.decision.explain import explain
from acl_engine.domain.errors import Where
from acl_engine.domain.facts import Facts
from acl_engine.domain.request import Action
from acl_engine.policy.expression import parse
from acl_engine.policy.pack import load_pack
from acl_engine.policy.written import written

PACK = load_pack(Path(__file__).parents[2] / "policies" / "courier" / "after")
DECIDER = PackDecider(PACK)
COURIER = {
    "role": "courier",
    "person": "p-1",
    "on_shift": True,
    "device_bound": True,
    "released_stop": 3,
}
PARCEL = {
    "type": "waybill",
    "stage": "OUT_FOR_DELIVERY",
    "assignee": "p-1",
    "assignee_sound": True,
    "stop_seq": 2,
    "cod": False,
}


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_rows_and_facts_of_an_allow_alone_allow_the_same(data: st.DataObject) -> None:
    """Throw away every other row and every other fact: the same fields are shown."""
    subject = data.draw(pack_grid.subjects(PACK))
    resource = data.draw(pack_grid.parcels(PACK))
    if data.draw(st.booleans()):
        subject, resource = subject | COURIER, resource | PARCEL
    request = pack_grid.request(data.draw(st.sampled_from(list(Action))))
    whole = explain(DECIDER, request, Facts(subject, resource))
    if not whole.decision.allowed:
        return
    named = {reading.rule for reading in whole.readings}
    read = {key for one in whole.readings for fact in one.facts for key, _ in fact.values}
    bare_subject = {k: v for k, v in subject.items() if k == "role" or f"sub.{k}" in read}
    bare_resource = {k: v for k, v in resource.items() if f"res.{k}" in read}
    alone = PackDecider(replace(PACK, rows=tuple(r for r in PACK.rows if r.id in named)))
    again = alone.decide(request, Facts(bare_subject, bare_resource))
    assert again.allowed
    assert again.grants == whole.decision.grants


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_denial_says_what_is_lacking_and_says_it_twice_alike(data: st.DataObject) -> None:
    """Both languages, the same line each time; a row that is named lacks something or forbids."""
    subject = data.draw(pack_grid.subjects(PACK))
    resource = data.draw(pack_grid.parcels(PACK))
    request = pack_grid.request(data.draw(st.sampled_from(list(Action))))
    facts = Facts(subject, resource)
    found = explain(DECIDER, request, facts)
    assert found.render("zh") == explain(DECIDER, request, facts).render("zh")
    assert found.render("en")
    for reading in found.readings:
        row = next(row for row in PACK.rows if row.id == reading.rule)
        assert found.decision.allowed or not row.allow or reading.lacking


def test_the_nearest_miss_names_exactly_what_is_lacking() -> None:
    """A courier off duty, everything else in place: the shift, and nothing but the shift."""
    facts = Facts(COURIER | {"on_shift": False}, PARCEL)
    found = explain(DECIDER, pack_grid.request(Action.READ), facts)
    (reading,) = found.readings
    assert [one.text.code for one in reading.lacking] == ["relation.on_shift"]
    assert [fact.text for fact in reading.facts] == ["sub.on_shift"]
    assert found.decision.controls == ("shift",)


def test_the_stage_is_named_when_it_is_what_is_lacking() -> None:
    facts = Facts(COURIER, PARCEL | {"stage": "DELIVERED"})
    found = explain(DECIDER, pack_grid.request(Action.DIAL), facts)
    assert "DELIVERED" in found.render("en")
    assert "stage-window" in found.decision.controls


def test_actions_and_reach_agree_with_decide() -> None:
    """What may be done with one parcel, and which fields can be reached at all."""
    request = pack_grid.request(Action.READ)
    facts = Facts(COURIER, PARCEL)
    actions = DECIDER.actions_for(request, facts)
    assert Action.READ in actions
    assert Action.REVERSE_LOOKUP not in actions
    reach = DECIDER.fields_reached(request, Facts(COURIER, None))
    shown = DECIDER.decide(request, facts).grants
    assert set(shown) <= {field for field, _ in reach}


def test_a_tree_as_text_is_the_tree_again() -> None:
    for spec in PACK.relations.values():
        tree = parse(spec.expression, Where("r"))
        assert parse(written(tree), Where("r")) == tree
    for text in ('!(r.a == "x\\"y" || r.b in ("a", "b",)) && f(r.c, 1 + 2 * 3) != None', "!!r.a"):
        tree = parse(text, Where("r"))
        assert parse(written(tree), Where("r")) == tree
