"""One policy, several readings: decide, scope and stock casbin agree on random parcels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import casbin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pack_grid

from acl_engine.decision import PackDecider, kleene
from acl_engine.decision.holding import holding
from acl_engine.decision.pack_decider import expand
from acl_engine.domain.decision import Effect
from acl_engine.domain.errors import Where
from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action
from acl_engine.domain.scope import NOTHING, holds
from acl_engine.policy.expression import parse
from acl_engine.policy.pack import load_pack

ROOT = Path(__file__).parents[2]
PACKS = {name: load_pack(ROOT / "policies" / "courier" / name) for name in ("before", "after")}
DECIDERS = {name: PackDecider(pack) for name, pack in PACKS.items()}
ACTIONS = st.sampled_from(list(Action))
# A row that denies to all staff, whatever the fields and the stage.
FORBIDDEN = next(row for row in PACKS["after"].rows if row.id == "staff.no-reverse-lookup")


class _Attributes:
    """Attribute access over a dict, as casbin's matcher reads it."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.__dict__.update(facts)


def stock(pack: Pack) -> casbin.Enforcer:
    """A stock casbin enforcer over the same two files, with the two functions registered."""
    folder = Path(pack.folder)
    enforcer = casbin.Enforcer(str(folder / "model.conf"), str(folder / "policy.csv"))
    trees = {name: parse(spec.expression, Where("r")) for name, spec in pack.relations.items()}

    def related(sub: _Attributes, res: _Attributes, relation: str) -> bool:
        tree = expand(parse(relation, Where("p"), relation=True), trees)
        return kleene.truth(tree, sub.facts, res.facts) is True

    def staged(res: _Attributes, stages: str) -> bool:
        return stages == "any" or res.facts["stage"] in stages.split("|")

    enforcer.add_function("related", related)
    enforcer.add_function("staged", staged)
    return enforcer


@pytest.mark.parametrize("name", PACKS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_stock_casbin_agrees(name: str, data: st.DataObject) -> None:
    """The same files, given to casbin itself, allow and deny the same."""
    pack = PACKS[name]
    enforcer = _ENFORCERS.setdefault(name, stock(pack))
    subject = data.draw(pack_grid.subjects(pack))
    parcel = data.draw(pack_grid.parcels(pack))
    action = data.draw(ACTIONS)
    ours = DECIDERS[name].judge(pack_grid.request(action), Facts(subject, None), parcel)
    assert ours.allowed == enforcer.enforce(_Attributes(subject), _Attributes(parcel), str(action))


_ENFORCERS: dict[str, casbin.Enforcer] = {}


@pytest.mark.parametrize("name", PACKS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_scope_is_decide_row_by_row(name: str, data: st.DataObject) -> None:
    """A row is in the scope exactly if the same person is allowed that row.

    The scope of a decision about one record holds that record, and nothing beyond the whole scope.
    """
    pack, decider = PACKS[name], DECIDERS[name]
    subject = data.draw(pack_grid.subjects(pack))
    parcel = data.draw(pack_grid.parcels(pack))
    action = data.draw(ACTIONS)
    request = pack_grid.request(action)
    scope = decider.scope(request, Facts(subject, None))
    known = decider.decide(request, Facts(subject, parcel))
    assert holds(scope, parcel) == known.allowed
    if known.allowed:
        assert holds(known.scope, parcel)
    judged = decider.judge(request, Facts(subject, None), parcel)
    assert judged == replace(known, scope=NOTHING), "one row is judged as it would be decided"
    assert decider.permits(request, Facts(subject, parcel)) == known.allowed
    unknown = Facts(subject, None)
    assert decider.permits(request, unknown) == decider.decide(request, unknown).allowed
    other = data.draw(pack_grid.parcels(pack))
    assert holds(scope, other) or not holds(known.scope, other)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_deny_row_never_widens(data: st.DataObject) -> None:
    """Adding a prohibition takes rights away or changes nothing."""
    pack = PACKS["after"]
    relation = data.draw(st.sampled_from(sorted(pack.relations)))
    action = data.draw(ACTIONS)
    more = replace(FORBIDDEN, id="more.deny", action=str(action), relation=relation)
    narrower = PackDecider(replace(pack, rows=(*pack.rows, more)))
    subject = data.draw(pack_grid.subjects(pack))
    parcel = data.draw(pack_grid.parcels(pack))
    request = pack_grid.request(action)
    after = narrower.judge(request, Facts(subject, None), parcel)
    before = DECIDERS["after"].judge(request, Facts(subject, None), parcel)
    assert before.allowed or not after.allowed


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_reverse_lookup_is_denied_to_every_person(data: st.DataObject) -> None:
    """Whatever the facts, no human goes from a phone number to parcels."""
    pack = PACKS["after"]
    subject = data.draw(pack_grid.subjects(pack))
    decision = DECIDERS["after"].decide(
        pack_grid.request(Action.REVERSE_LOOKUP, None), Facts(subject, None)
    )
    assert decision.effect is Effect.DENY
    if subject["role"] in {role for role, _ in pack.role_links}:
        assert decision.controls == ("no-reverse-lookup",)


def test_unknown_never_equals_unknown() -> None:
    """A merchant without a tenant does not own the parcels without a tenant."""
    tree = parse("res.tenant == sub.tenant", Where("t"))
    assert kleene.truth(tree, {"tenant": None}, {"tenant": None}) is None
    assert kleene.truth(parse("!(res.tenant == sub.tenant)", Where("t")), {}, {}) is None


def test_a_decision_is_not_a_bool() -> None:
    """casbin's `(False, [])` is truthy; a decision refuses to be read that way."""
    decision = DECIDERS["after"].decide(pack_grid.request(Action.READ), Facts({}, None))
    with pytest.raises(TypeError):
        bool(decision)


VALUES = st.sampled_from([None, True, False, 0, 1, 5, "", "a", "ab", "5", frozenset({"a", 1})])
FACTS = st.dictionaries(st.sampled_from(["a", "b"]), VALUES)
SIDES = st.sampled_from(
    ["sub.a", "sub.b", "res.a", "res.b", "None", "True", "1", "5", "'a'", "'ab'", "''"]
)
ATOMS = st.one_of(
    st.builds(
        "{} {} {}".format, SIDES, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]), SIDES
    ),
    st.builds("startsWith({}, {})".format, SIDES, SIDES),
    st.sampled_from(["sub.a", "res.b", "True", "False"]),
)
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(TREES, FACTS, st.none() | FACTS)
def test_a_tree_made_ready_holds_as_it_is_read(
    text: str, subject: dict[str, Any], resource: dict[str, Any] | None
) -> None:
    """Nested functions and the reading of the tree give the same: true, false or unknown."""
    tree = parse(text, Where("t"))
    assert holding(tree)(subject, resource) is kleene.truth(tree, subject, resource)
