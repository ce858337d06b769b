"""Who may, what may be reached, why not: complete, paged, and never other than `decide`."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.cases import PEOPLE, case
from tests.oracle.comparing import asked, compiled

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import InputError

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
ROWS = "p, staff, /a, read, allow\np, bob, /a, write, allow\np, eve, /a, read, deny\n"
POLICY = CompiledPolicy.from_text(MODEL, ROWS + "g, bob, staff\ng, eve, staff\n")


@settings(max_examples=120, deadline=None)
@given(number=st.integers(0, 10**9))
def test_a_list_is_what_decide_says_of_each(number: int) -> None:
    """Of the policy's words exactly those that are allowed, for every field that can be asked."""
    one = case(number)
    policy = compiled(one)
    if policy is None or one.suffix or "rule" in one.columns:
        return
    fields = one.fields
    asking = (policy.subjects_for, policy.resources_for, policy.actions_for)
    for request in asked(one)[:5]:
        for at, ask in zip((0, -2, -1), asking, strict=True):
            fixed = dict(zip(fields, request, strict=True))
            del fixed[fields[at]]
            page = ask(**fixed)
            right = [
                word
                for word in policy.words(fields[at])
                if policy.enforce(*(fixed.get(name, word) for name in fields))
            ]
            assert [*page.items] == right
            if page.closed and at == 0:
                assert {name for name in PEOPLE if policy.enforce(name, *request[1:])} <= {*right}


def test_a_role_key_that_is_tested_row_by_row_is_still_asked_about() -> None:
    """With too many roles for two look-ups, the lists stay complete."""
    model = MODEL.replace("r.obj == p.obj", "g2(r.obj, p.obj)").replace(
        "g = _, _", "g = _, _\ng2 = _, _"
    )
    rows = "".join(f"p, r{n}, o{n}, read, allow\n" for n in range(50))
    links = "".join(f"g, bob, r{n}\ng2, /a, o{n}\n" for n in range(50))
    policy = CompiledPolicy.from_text(model, rows + links)
    assert policy.snapshot.indexes["m"].branches[0].tested_keys
    assert policy.resources_for(sub="bob", act="read").items[:2] == ("/a", "o0")
    assert policy.subjects_for(obj="/a", act="read").items[:2] == ("bob", "r0")


def test_pages_join_to_the_whole_list() -> None:
    rows = "".join(f"p, u{i:03}, /a, read, allow\n" for i in range(25))
    policy = CompiledPolicy.from_text(MODEL, rows)
    found: list[str] = []
    after = ""
    while True:
        page = policy.subjects_for(obj="/a", act="read", after=after, limit=10)
        found += page.items
        if not page.more:
            break
        after = page.items[-1]
    assert found == [f"u{i:03}" for i in range(25)]


def test_who_what_and_which() -> None:
    assert POLICY.subjects_for(obj="/a", act="read").items == ("bob", "staff")
    assert POLICY.resources_for(sub="bob", act="read").items == ("/a",)
    assert POLICY.actions_for(sub="bob", obj="/a").items == ("read", "write")
    assert POLICY.actions_for(sub="nobody", obj="/a").items == ()


def test_a_field_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="`object`"):
        POLICY.subjects_for(object="/a", act="read")


def test_half_a_question_is_refused_and_a_page_of_nothing() -> None:
    """Nobody is no answer to who may do something; pages that hold nothing never end."""
    with pytest.raises(InputError, match="`act`"):
        POLICY.subjects_for(obj="/a")
    with pytest.raises(InputError, match="`limit`"):
        POLICY.subjects_for(obj="/a", act="read", limit=0)


def test_the_nearest_miss_names_the_condition_that_failed() -> None:
    why = POLICY.explain("bob", "/a", "delete")
    (reading,) = why.readings
    assert reading.rule == "policy.csv:1"
    assert [one.render("en") for one in reading.lacking] == [
        "lacking: r.act == p.act (p.act=read, r.act=delete)"
    ]
    assert "p, staff, /a, read, allow" in why.render("zh")


def test_an_allow_names_its_row_and_the_links_to_it() -> None:
    """The shortest way from the name to the role, with the lines of the policy."""
    why = POLICY.explain("bob", "/a", "read")
    assert [one.rule for one in why.readings] == ["policy.csv:1"]
    assert "g, bob, staff (line=policy.csv:4)" in why.render("en")
    assert "g, eve, staff" not in why.render("en")
    assert POLICY.explain("bob", "/a", "write").readings[0].rule == "policy.csv:2"


def test_a_prohibition_names_its_row() -> None:
    why = POLICY.explain("eve", "/a", "read")
    assert [one.rule for one in why.readings] == ["policy.csv:3"]
    assert "forbids" in why.render("en")


def test_a_row_condition_is_told_part_by_part() -> None:
    """Exactly what is lacking of a condition in a row, and where a value is missing."""
    model = MODEL.replace("p = sub, obj, act, eft", "p = sub, obj, act, cond, eft")
    model = model.replace("r.act == p.act", "r.act == p.act && eval(p.cond)")
    model = model.replace("r.sub, p.sub", "r.sub.role, p.sub")
    row = 'p, staff, /a, read, r.sub.branch == "b1" && r.sub.level > 2, allow\n'
    policy = CompiledPolicy.from_text(model, row)
    why = policy.explain({"role": "staff", "branch": "b1", "level": 1}, "/a", "read")
    (lacking,) = why.readings[0].lacking
    assert lacking.render("en") == "lacking: r.sub.level > 2 (r.sub.level=1)"
    doubt = policy.explain({"role": "staff", "branch": "b1"}, "/a", "read")
    (lacking,) = doubt.readings[0].lacking
    assert lacking.render("en") == "lacking: r.sub.level > 2 (r.sub.level=-)"
    assert "could not be decided" in doubt.render("en")


@settings(max_examples=150, deadline=None)
@given(number=st.integers(0, 10**9))
def test_the_rows_and_links_of_an_explanation_decide_the_same_alone(number: int) -> None:
    """Throw away every other line of the policy."""
    one = case(number)
    policy = compiled(one)
    if policy is None:
        return
    for request in asked(one)[:6]:
        why = policy.explain(*request)
        assert why.render("en") == policy.explain(*request).render("en")
        if not why.decision.rules:
            assert why.decision.allowed or why.readings
            continue
        named = [reading.rule for reading in why.readings]
        facts = [fact for reading in why.readings for fact in reading.facts]
        named += [value for fact in facts for name, value in fact.values if name == "line"]
        kept = {int(place.rpartition(":")[2]) for place in named}
        rows = tuple(row for at, row in enumerate(one.rows, 1) if at in kept)
        alone = compiled(replace(one, rows=rows))
        assert alone is not None
        assert alone.decide(*request).allowed == why.decision.allowed
