"""A policy or a request made to be slow: bounded, or refused by name at load."""

import contextlib
import itertools
import time
from random import Random

import pytest
from tests.oracle.server import answer, enforcer

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors
from acl_engine.policy import heads, patterns, regex_steps
from acl_engine.policy.expression import MAX_DEPTH
from acl_engine.policy.findings import Findings
from acl_engine.policy.regex_steps import MAX_TEXT, Slow, Unreadable

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = {}
"""
ROW = "p, alice, /a, read\n"
# Of processor time, and far more than any of these takes: a runaway takes minutes.
SOON = 2.0


def codes(matcher: str, rows: str = ROW) -> set[str]:
    """What the load refuses."""
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(MODEL.format(matcher), rows, compat=True)
    return {error.message.code for error in caught.value.errors}


def soon(matcher: str, rows: str, *request: object) -> bool:
    """The answer to one request, if it comes soon."""
    policy = CompiledPolicy.from_text(MODEL.format(matcher), rows, compat=True)
    start = time.process_time()
    allowed = policy.enforce(*request)
    assert time.process_time() - start < SOON
    return allowed


@pytest.mark.parametrize(
    "matcher",
    {
        "brackets": "(" * (MAX_DEPTH + 1) + "r.sub == p.sub" + ")" * (MAX_DEPTH + 1),
        "minus": "r.sub == " + "-" * 5000 + "1",
        "sum": "r.sub == " + "+".join(["r.obj"] * 1000),
        "product": "r.sub == " + "*".join(["r.obj"] * 1000),
        "attributes": "r.sub" + ".x" * 3000 + " == p.sub",
        "negations": "!" * 5000 + "(r.sub == p.sub)",
        "length": " || ".join(["r.sub == p.sub"] * 1000),
    }.items(),
    ids=lambda one: one[0],
)
def test_a_matcher_that_is_too_deep_or_too_long(matcher: tuple[str, str]) -> None:
    assert codes(matcher[1]) == {"expression.too-large"}


def test_a_row_condition_that_is_too_deep() -> None:
    row = f"p, {'(' * 5000}r.sub == 'a'{')' * 5000}, /a, read\n"
    assert codes("eval(p.sub) && r.obj == p.obj", row) == {"expression.too-large"}


def test_what_is_as_deep_as_allowed_is_compiled() -> None:
    """The worst mixture of levels stays under the brackets that Python's own parser takes."""
    tree = "r.sub == p.sub"
    for _ in range(MAX_DEPTH - 1):
        tree = f'r.act == "x" || r.obj == p.obj && !({tree})'
    assert isinstance(soon(tree, ROW, "alice", "/a", "read"), bool)
    nested = "r.sub"
    for _ in range(MAX_DEPTH - 2):
        nested = f"({nested}, )"
    assert not soon(f"r.sub in {nested}", ROW, "alice", "/a", "read")


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|a)*$",
        "^(.*a){20}$",
        "^.*a.*b.*c$",
        "^" + "a?" * 30 + "a" * 30 + "$",
        "^" + "(a?a?)" * 20 + "$",
        "^" + "(a|ab)" * 30 + "$",
        "^" + "[ab]{1;16}" * 12 + "$",
        r"^(a)\1$",
        "^(?:x+x+)+y$",
        "^([a-z]+[0-9]*)*$",
        "^" + "a" * 600 + "$",
        "(?i)^" + "[a-z]*A" * 4 + "$",
        "^(?i:" + "a*A" * 4 + ")$",
        "(?i)^" + "[s]*\u017f" * 4 + "$",
        "(?i)^" + "\u212a*k" * 4 + "$",
    ],
)
def test_a_regex_made_to_be_slow(pattern: str) -> None:
    found = Findings(compat=True)
    patterns.regex_match(pattern.replace(";", ","), patterns.Where("policy.csv", 1), found)
    assert [one.message.code for one in found.refused] == ["pattern.slow"]


def _pattern(dice: Random, depth: int = 0) -> str:
    """A random pattern over few characters, so that pieces can take each other's place."""
    found = ""
    for _ in range(dice.choice((1, 2, 3, 4))):
        if depth > 2 or dice.random() < 0.6:
            atom = dice.choice(("a", "b", "/", "[^/]", ".", "[ab]", "A"))
            found += atom + dice.choice(("", "", "*", "+", "?", "{1,3}", "{0,9}", "*?"))
        else:
            inner = "|".join(_pattern(dice, depth + 1) for _ in range(dice.choice((1, 1, 2))))
            found += f"({inner}){dice.choice(('', '?', '*', '{1,4}'))}"
    return found


def test_a_regex_that_is_let_through_is_never_slow() -> None:
    """The bound holds for patterns of any shape, on texts that make them fail late."""
    texts = [one[:MAX_TEXT] for one in ("a" * 2000, "/a" * 600, "ab" * 600, "a" * 1023 + "c")]
    tried = 0
    for number in range(2500):
        try:
            compiled, steps, _ = regex_steps.compiled(
                "(?i)" * (number % 2) + f"^{_pattern(Random(number))}$"
            )
        except (Slow, Unreadable):
            continue
        assert steps <= regex_steps.MAX_STEPS
        for text in texts:
            start = time.process_time()
            compiled.match(text)
            assert time.process_time() - start < SOON, compiled.pattern
        tried += 1
    assert tried > 100


def test_many_slow_patterns_under_one_key() -> None:
    """Each is let through; together they would take a decision minutes."""
    rows = "".join(f"p, alice, ^.*a{n}.*$, read\n" for n in range(500))
    matcher = "g(r.sub, p.sub) && regexMatch(r.obj, p.obj)"
    assert codes(matcher, rows) == {"search.too-slow"}
    apart = "".join(f"p, user{n}, ^.*a{n}.*$, read\n" for n in range(500))
    assert soon(matcher, apart, "user7", "xa7x", "read")
    # A role that brings them together again.
    links = "".join(f"g, eve, user{n}\n" for n in range(500))
    assert codes(matcher, apart + links) == {"search.too-slow"}


def test_thousands_of_path_patterns_are_looked_up_by_their_heads() -> None:
    rows = "".join(f"p, alice, /site{n}/:id/*, read\n" for n in range(4_000))
    matcher = "keyMatch2(r.obj, p.obj) && r.act == p.act"
    policy = CompiledPolicy.from_text(MODEL.format(matcher), rows)
    start = time.process_time()
    for number in range(1000):
        assert policy.enforce("eve", f"/site{number}/7/x", "read")
        assert not policy.enforce("eve", f"/site{number}/7", "read")
    assert time.process_time() - start < SOON


def test_roles_times_roles() -> None:
    """1,500 roles of the person and 1,500 of the thing are not 2,250,000 look-ups."""
    links = "".join(f"g, alice, r{n}\ng2, /a, o{n}\n" for n in range(1500))
    rows = ROW + "".join(f"p, r{n}, o{n}, write\n" for n in range(1500))
    matcher = "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"
    policy = CompiledPolicy.from_text(MODEL.format(matcher), rows + links)
    start = time.process_time()
    for _ in range(100):
        assert policy.enforce("alice", "/a", "write")
        assert not policy.enforce("alice", "/a", "delete")
    assert time.process_time() - start < SOON


@pytest.mark.parametrize(
    "links",
    [
        "".join(f"g, alice, r{n}\n" for n in range(50_000)),
        "".join(f"g, n{n}, n{n + 1}\n" for n in range(4_000)),
        "".join(f"g, a{n}, b{m}\ng, b{n}, c{m}\n" for n in range(100) for m in range(100)),
    ],
    ids=["fan", "chain", "mesh"],
)
def test_many_roles_load_soon_or_are_refused(links: str) -> None:
    start = time.process_time()
    with contextlib.suppress(PolicyErrors):
        policy = CompiledPolicy.from_text(MODEL.format("g(r.sub, p.sub)"), ROW + links)
        assert policy.enforce("alice", "/b", "read")
    assert time.process_time() - start < 5 * SOON


def test_numbers_and_texts_that_grow() -> None:
    """A product of huge numbers, a text added to itself: denied, not computed."""
    assert not soon("r.sub * r.sub * r.sub == r.obj", ROW, 10**100_000, 1, "read")
    assert not soon("r.sub + r.sub + r.sub == r.obj", ROW, "a" * 10_000_000, "/a", "read")
    assert not soon("keyMatch2(r.sub, p.obj)", ROW, "/a" * 10_000_000, "/a", "read")


def test_a_person_and_a_domain_in_one_value_are_nobody() -> None:
    """A request whose subject is a pair does not pass for the pair of a name and its domain."""
    model = MODEL.replace("g = _, _\n", "g = _, _, _\n")
    matcher = "g(r.sub, p.sub, r.act) && r.obj == p.obj"
    policy = CompiledPolicy.from_text(
        model.format(matcher), "p, admin, /a, x\ng, bob, admin, north\n", compat=True
    )
    assert policy.enforce("bob", "/a", "north")
    assert not policy.enforce(("bob", "north"), "/a", "south")


@pytest.mark.parametrize("function", sorted(heads.WITH_HEADS))
def test_looking_under_heads_misses_no_pattern(function: str) -> None:
    """Whatever the function matches stands under a head of the path; casbin is asked too."""
    pieces = ("", "*", "/", "/a", "/*", "/:x", "/{x}", "/b.c", "/{2}", "|", "/a*", "?", "a", ":")
    paths = [
        "/",
        "/a",
        "/a/b",
        "/a/b/c",
        "/abc",
        "//",
        "a",
        "/b.c",
        "/bxc",
        "/a/7/a",
        "",
        "/a?x=/q",
    ]
    maker, reader = patterns.MAKERS[function], heads.reader(function)
    matched = 0
    for parts in itertools.product(pieces, repeat=3):
        pattern = "".join(parts)
        found = Findings(compat=True)
        test = maker(pattern, patterns.Where("policy.csv", 1), found).test
        for path in paths if pattern and not found.refused else ():
            try:
                hit = test(path)
            except patterns.Refused:
                continue
            if hit:
                assert heads.head_of(function, pattern) in reader(path), (pattern, path)
                matched += 1
    assert matched > 50


def test_the_long_chain_that_casbin_stops_at_is_still_casbin_s_in_compat() -> None:
    """The same closure serves decisions, lists and whole arrays."""
    links = "".join(f"g, n{n}, n{n + 1}\n" for n in range(12))
    matcher = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
    rows = "p, n12, /a, read\np, n5, /b, read\n" + links
    policy = CompiledPolicy.from_text(MODEL.format(matcher), rows, compat=True)
    stock = enforcer(MODEL.format(matcher), rows)
    for name, path in itertools.product(("n0", "n1", "n3", "n11"), ("/a", "/b")):
        request = (name, path, "read")
        assert policy.enforce(*request) == answer(stock, request)
        assert policy.decide_many([name], [path], ["read"])[0] == answer(stock, request)
