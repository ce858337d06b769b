"""A casbin policy read with its record unknown: the scope is `enforce`, record by record."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.cases import EFFECTS

from acl_engine import CompiledPolicy
from acl_engine.decision.partial import Rows
from acl_engine.domain.errors import InputError, PolicyError, PolicyErrors
from acl_engine.domain.scope import EVERYTHING, NOTHING, Compare, Member, all_of, any_of, holds

MATCHERS = (
    "g(r.sub.name, p.sub) && r.obj.kind == p.kind && r.act == p.act && eval(p.cond)",
    "g(r.sub.name, p.sub) && r.act == p.act && (eval(p.cond) || r.obj.owner == r.sub.name)",
    "r.obj.open && g(r.sub.name, p.sub) || g2(r.obj.kind, p.kind) && eval(p.cond)",
    "g2(r.obj.kind, p.kind) && g(r.sub.name, p.sub) && r.act == p.act",
    "g3(r.sub.name, p.sub, r.obj.owner) && r.act == p.act && eval(p.cond)",
    "g3(r.obj.kind, p.sub, r.sub.name) && r.act == p.act || !g2(r.obj.owner, p.kind)",
    "r.sub.name == p.sub && !(eval(p.cond)) && r.obj.kind in (p.kind, r.sub.name, r.obj.owner)",
    "r.obj.n > 1 && r.sub.name == p.sub && eval(p.cond) || r.sub.n in (r.obj.n, r.obj.m)",
    "r.obj.missing_is_refused == p.sub",
    "g(r.sub.name, p.sub) && r.obj.kind != p.kind && r.obj.owner in r.sub.friends",
)  # fmt: skip
CONDITIONS = (
    "r.obj.owner == r.sub.name", "r.obj.n < r.sub.n", "r.obj.n <= r.obj.m || r.obj.open",
    "r.obj.open && r.obj.n != 2", "!(r.obj.owner == r.sub.name)", "r.obj.kind > 'b'",
    "r.obj.n >= 1.5 && r.obj.n < 2.0", "r.obj.owner in r.sub.friends", "r.obj.owner < r.obj.n",
    "r.sub.n > 1 || r.obj.owner == None", "r.obj.owner == r.sub.nothing", "r.obj.kind < r.sub.n",
    "!(r.obj.n > 1) && !(r.obj.open)", "r.obj.kind == r.obj.owner", "r.obj.n in (1, 2.0, None)",
    "r.obj.open == true", "r.obj.n == r.obj.open", "r.obj.tall", "r.sub.friends == r.obj.kind",
)  # fmt: skip
KINDS: dict[str, Any] = {"kind": "text", "owner": "text", "n": "int", "m": "int", "open": "bool"}
WORDS = ("a", "b", "c", "%", "１", "A", "None")


@st.composite
def models(draw: st.DrawFn, matchers: tuple[str, ...]) -> tuple[str, str]:
    effect = draw(st.sampled_from(EFFECTS))
    model = (
        "[request_definition]\nr = sub, obj, act\n"
        "[policy_definition]\np = sub, kind, act, cond, eft\n"
        "[role_definition]\ng = _, _\ng2 = _, _\ng3 = _, _, _\n"
        f"[policy_effect]\ne = {effect}\n[matchers]\nm = {draw(st.sampled_from(matchers))}\n"
    )
    word = st.sampled_from(WORDS[:3])
    row = st.tuples(
        word, word, st.just("read"), st.sampled_from(CONDITIONS), st.sampled_from(("allow", "deny"))
    )
    lines = ["p, " + ", ".join(one) for one in draw(st.lists(row, min_size=1, max_size=6))]
    up = [("a", "b"), ("b", "c"), ("a", "c"), ("%", "a"), ("１", "b")]
    for kind in ("g", "g2"):
        lines += [f"{kind}, {x}, {y}" for x, y in draw(st.lists(st.sampled_from(up), max_size=3))]
    lines += [
        f"g3, {x}, {y}, {draw(word)}" for x, y in draw(st.lists(st.sampled_from(up), max_size=3))
    ]
    return model, "\n".join(lines) + "\n"


def records() -> st.SearchStrategy[dict[str, Any]]:
    text = st.one_of(st.none(), st.sampled_from(WORDS))
    number = st.one_of(st.none(), st.integers(0, 3))
    return st.fixed_dictionaries(
        {
            "kind": text,
            "owner": text,
            "n": number,
            "m": number,
            "open": st.sampled_from([None, True, False]),
        }
    )


def allowed(policy: CompiledPolicy, *request: Any) -> bool:
    try:
        return policy.enforce(*request)
    except InputError:
        return False


@settings(max_examples=250, deadline=None)
@given(
    case=models(MATCHERS),
    name=st.sampled_from(WORDS),
    number=st.sampled_from([None, 0, 2, 1.5]),
    friends=st.sampled_from([None, (), ["a", "%"], frozenset({"A"}), [None, "b"], 3]),
    found=st.lists(records(), min_size=1, max_size=8),
    act=st.sampled_from(("read", "write")),
)
def test_scope_is_enforce_record_by_record(
    case: tuple[str, str], name: str, number: Any, friends: Any, found: list[Any], act: str
) -> None:
    """NULLs, mixed kinds, doubts, deny rows and priorities: the same records, no more, no fewer."""
    try:
        policy = CompiledPolicy.from_text(*case, compat=True)
        subject = SimpleNamespace(name=name, n=number, friends=friends, nothing=None)
        scope = policy.scope(subject, Rows(KINDS), act)
    except (PolicyErrors, PolicyError):
        return
    for record in found:
        assert holds(scope, record) == allowed(policy, subject, record, act), (scope, record)


WHOLE = (
    "g(r.sub, p.sub) && r.obj == p.kind && r.act == p.act",
    "g(r.sub, p.sub) && g2(r.obj, p.kind) && r.act == p.act",
    "r.sub == p.sub && r.obj != p.kind || r.sub == '%'",
    "!(r.sub == p.sub) && !(r.obj in ('a', p.kind))",
    "r.sub == p.sub && r.obj < p.kind",
)


@settings(max_examples=150, deadline=None)
@given(
    case=models(WHOLE),
    subject=st.sampled_from(WORDS),
    found=st.lists(st.one_of(st.none(), st.sampled_from(WORDS)), min_size=1, max_size=6),
    compat=st.booleans(),
)
def test_scope_of_records_that_are_a_text(
    case: tuple[str, str], subject: str, found: list[Any], compat: bool
) -> None:
    """Where the policy compares the record itself, one attribute stands for it."""
    try:
        policy = CompiledPolicy.from_text(*case, compat=compat)
    except PolicyErrors:
        return
    scope = policy.scope(subject, Rows({"path": "text"}, text="path"), "read")
    for text in found:
        assert holds(scope, {"path": text}) == allowed(policy, subject, text, "read"), scope


MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, act, cond
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.act == p.act && eval(p.cond)
"""
PARCELS = Rows({"branch": "text", "stage": "text", "weight": "int"}, {"type": "parcel"})


def policy_of(*conditions: str) -> CompiledPolicy:
    rows = "".join(f"p, clerk, read, {one}\n" for one in conditions)
    return CompiledPolicy.from_text(MODEL, rows + "g, ann, clerk\n")


def test_a_scope_is_plain() -> None:
    """What an index can serve stays as simple as it was written."""
    policy = policy_of(
        'r.obj.branch == "b1" && r.obj.stage in ("OUT", "IN")', "r.obj.stage == r.sub"
    )
    assert policy.scope("ann", PARCELS, "read") == any_of(
        all_of(Compare("branch", "==", "b1"), Member("stage", frozenset({"OUT", "IN"}))),
        Compare("stage", "==", "ann"),
    )
    assert policy.scope("eve", PARCELS, "read") == NOTHING
    assert policy.scope("ann", PARCELS, "write") == NOTHING
    assert policy_of('r.obj.type == "parcel"').scope("ann", PARCELS, "read") == EVERYTHING


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ('keyMatch(r.obj.branch, "b*")', "partial.unsayable"),
        ("r.obj.weight + 1 > 3", "partial.unsayable"),
        ('"b" in r.obj.branch', "partial.unsayable"),
        ('r.obj.branch.city == "sz"', "partial.unsayable"),
        ('r.obj.sender == "x"', "partial.attribute"),
        ('r.obj == "x"', "partial.no-text"),
        ('r.obj.weight < 1 || own(r.obj.branch)', "partial.unsayable"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_its_place(condition: str, code: str) -> None:
    """By name and line, and not only where it would have mattered."""
    policy = CompiledPolicy.from_text(
        MODEL,
        f'p, clerk, read, r.obj.stage == "IN"\np, clerk, read, {condition}\ng, ann, clerk\n',
        functions={"own": lambda value: True},
    )
    with pytest.raises(PolicyError) as caught:
        policy.scope("ann", PARCELS, "read")
    assert caught.value.message.code == code
    assert caught.value.where is not None
    assert caught.value.where.line == 2


def test_many_rows_that_differ_in_one_value_are_one_list() -> None:
    """Ten thousand rows of the policy do not become ten thousand alternatives of a query."""
    many = [f'r.obj.branch == "b{n}" && r.obj.stage == "IN"' for n in range(50)]
    scope = policy_of(*many).scope("ann", PARCELS, "read")
    branches = frozenset(f"b{n}" for n in range(50))
    assert scope == all_of(Member("branch", branches), Compare("stage", "==", "IN"))


def test_one_value_is_unknown_and_one_only() -> None:
    policy = policy_of('r.obj.branch == "b1"')
    for request in [("ann", "x", "read"), ("ann", PARCELS), (PARCELS, PARCELS, "read")]:
        with pytest.raises(InputError):
            policy.scope(*request)
