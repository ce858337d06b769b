"""Who may, what may be reached, why not: complete, paged, and never other than `decide`."""

import itertools

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


@settings(max_examples=80, deadline=None)
@given(number=st.integers(0, 10**9))
def test_a_list_is_what_decide_says_of_each(number: int) -> None:
    """Who is listed is allowed; a person of the policy who is allowed is listed."""
    one = case(number)
    policy = compiled(one)
    if policy is None or one.suffix or "rule" in one.columns:
        return
    for request in asked(one)[:8]:
        fixed = dict(zip(one.fields[1:], request[1:], strict=True))
        page = policy.subjects_for(**fixed)
        assert all(policy.enforce(name, *request[1:]) for name in page.items)
        if page.closed:
            allowed = {name for name in PEOPLE if policy.enforce(name, *request[1:])}
            assert set(page.items) >= allowed


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


def test_the_nearest_miss_names_the_condition_that_failed() -> None:
    why = POLICY.explain("bob", "/a", "delete")
    assert why.row == ("staff", "/a", "read", "allow")
    assert why.lacking == ("r.act == p.act",)
    assert "policy.csv:1" in why.said.render("zh")


def test_an_allow_and_a_prohibition_name_their_row() -> None:
    assert POLICY.explain("bob", "/a", "write").row == ("bob", "/a", "write", "allow")
    assert POLICY.explain("eve", "/a", "read").row == ("eve", "/a", "read", "deny")


def test_every_denial_has_its_reason() -> None:
    for request in itertools.product(("bob", "x"), ("/a", "/z"), ("read", "write", "z")):
        why = POLICY.explain(*request)
        assert bool(why.lacking) == (not why.decision.allowed)
