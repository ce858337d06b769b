"""The short way to what is kept for a row says what the whole search says, or nothing."""

import random
from itertools import product

import pytest

from acl_engine import CompiledPolicy
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import InputError

PLAIN = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""
ROLES = PLAIN.replace("[policy_eff", "[role_definition]\ng = _, _\n[policy_eff").replace(
    "r.sub == p.sub", "g(r.sub, p.sub)"
)
DOMAINS = ROLES.replace("g = _, _", "g = _, _, _").replace(
    "g(r.sub, p.sub)", "g(r.sub, p.sub, r.obj)"
)
PEOPLE = ("ann", "bob", "cy", "staff", "boss", "nobody")
OBJECTS, ACTIONS = ("here", "there", "nowhere"), ("read", "write", "burn")
LINKS = {
    PLAIN: "",
    ROLES: "g, ann, staff\ng, bob, staff\ng, bob, boss\ng, boss, staff\n",
    DOMAINS: "g, ann, staff, here\ng, ann, boss, there\ng, bob, staff, here\ng, bob, boss, here\n",
}


def policies(model: str, dice: random.Random) -> str:
    """Rows over the small world, some of them prohibitions, and the links of the model."""
    every = list(product(("ann", "staff", "boss"), OBJECTS[:2], ACTIONS[:2], ("allow", "deny")))
    rows = dice.sample(every, 9)
    return "".join(f"p, {', '.join(row)}\n" for row in rows) + LINKS[model]


@pytest.mark.parametrize("model", LINKS, ids=("plain", "roles", "domains"))
@pytest.mark.parametrize("seed", range(8))
def test_every_way_decides_the_same(model: str, seed: int) -> None:
    """Asked for the first time or again, `decide` names the row that the whole search finds."""
    policy = CompiledPolicy.from_text(model, policies(model, random.Random(seed)), compat=True)
    index = policy.snapshot.indexes["m"]
    assert index.search.cells is not None
    for request in [*product(PEOPLE, OBJECTS, ACTIONS)] * 2:
        rank = index.find(*request)
        decision = policy.decide(*request)
        assert decision.allowed == policy.enforce(*request)
        assert decision is policy.snapshot.decision("m", rank)
        assert policy.snapshot.known(*request) is decision


def test_what_is_asked_leaves_nothing_behind() -> None:
    """Unknown names, objects and actions make no cell."""
    policy = CompiledPolicy.from_text(ROLES, "p, staff, here, read, allow\ng, ann, staff\n")
    cells: object = policy.snapshot.indexes["m"].search.cells
    for number in range(100):
        policy.decide("ann", f"place{number}", f"act{number}")
        policy.decide(f"stranger{number}", "here", "read")
    assert policy.decide("ann", "here", "read").allowed
    size, level = 0, cells
    while isinstance(level, dict):
        (level,) = level.values()
        size += 1
    assert size == 3
    assert isinstance(level, Decision)


def test_a_number_is_refused_after_a_denial_was_kept() -> None:
    """A denial that is kept does not answer for a value that could never match."""
    policy = CompiledPolicy.from_text(PLAIN, "p, ann, here, read, allow\n")
    assert not policy.decide("ann", "there", "read").allowed
    with pytest.raises(InputError):
        policy.decide("ann", 1, "read")
