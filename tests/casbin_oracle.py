"""Stock casbin as the oracle: generated models, policies and requests, and a comparison.

Run with either distribution (`pycasbin` 2.8 or `casbin` 1.43): both import as `casbin`.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import casbin
from hypothesis import strategies as st

from acl_engine.decision import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors

EFFECTS = (
    "some(where (p.eft == allow))",
    "!some(where (p.eft == deny))",
    "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "priority(p.eft) || deny",
    "subjectPriority(p.eft) || deny",
)
MATCHERS = (
    "r.sub == p.sub && r.obj == p.obj && r.act == p.act",
    "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act",
    "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act",
    "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act",
    "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)",
    "r.sub == p.sub && keyMatch3(r.obj, p.obj) && r.act == p.act",
    "r.sub == p.sub && keyMatch4(r.obj, p.obj) && r.act == p.act",
    "r.sub == p.sub && keyMatch5(r.obj, p.obj) && r.act == p.act",
    "(g(r.sub, p.sub) || p.sub == '*') && globMatch(r.obj, p.obj) && r.act != p.act",
    'r.sub == p.sub && r.obj == p.obj && r.act == p.act || r.sub == "root"',
    "r.obj in ('/a', '/b') && r.sub == p.sub || g(r.sub, p.sub) && r.act == p.act",
    "!(r.sub == p.sub) && r.obj == p.obj && r.act == p.act",
    "g(p.sub, r.sub) && r.obj == p.obj && !(r.act == p.act || r.obj == 'x')",
    "g(r.sub, p.sub) && r.obj + 'x' == p.obj + 'x' && r.act == p.act",
)
NAMES = ("alice", "bob", "root", "admin", "staff", "*")
_PATHS = ("/a", "/b", "/a/*", "/a/:id", "/a/{id}", "/a/{id}/b/{id}", "/a/?", "/a/[b-d]", "/*")
_ASKED = ("/a", "/b", "/a/b", "/a/1", "/a/1/b/1", "/a/1/b/2", "/a/b?x=1", "/c")
_ACTS = ("read", "write")


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str, str]]]:
    """A model, a policy and some requests."""
    effect = draw(st.sampled_from(EFFECTS))
    matcher = draw(st.sampled_from(MATCHERS))
    priority = "priority, " if effect.startswith("priority") and draw(st.booleans()) else ""
    model = (
        "[request_definition]\nr = sub, obj, act\n"
        f"[policy_definition]\np = {priority}sub, obj, act, eft\n"
        f"[role_definition]\ng = _, _\ng2 = _, _\n[policy_effect]\ne = {effect}\n"
        f"[matchers]\nm = {matcher}\n"
    )
    row = st.tuples(
        st.sampled_from("123"),
        st.sampled_from(NAMES),
        st.sampled_from(_PATHS),
        st.sampled_from(_ACTS),
        st.sampled_from(("allow", "allow", "deny")),
    )
    rows = draw(st.lists(row, min_size=1, max_size=6))
    lines = ["p, " + ", ".join(one if priority else one[1:]) for one in rows]
    # Upwards only, so that no cycle arises.
    pairs = [(a, b) for at, a in enumerate(NAMES[:5]) for b in NAMES[at + 1 : 5]]
    lines += [f"g, {a}, {b}" for a, b in draw(st.lists(st.sampled_from(pairs), max_size=4))]
    lines += [
        f"g2, {a}, {b}" for a, b in draw(st.sampled_from(([], [("/a", "/b")], [("/c", "/a")])))
    ]
    asked = st.tuples(st.sampled_from(NAMES), st.sampled_from(_ASKED), st.sampled_from(_ACTS))
    return model, "\n".join(lines) + "\n", draw(st.lists(asked, min_size=1, max_size=8))


def stock(model: str, policy: str) -> casbin.Enforcer:
    """casbin's own enforcer over the same two texts."""
    with tempfile.TemporaryDirectory() as folder:
        files = (Path(folder) / "model.conf", Path(folder) / "policy.csv")
        for file, text in zip(files, (model, policy), strict=True):
            file.write_text(text, encoding="utf-8")
        return casbin.Enforcer(*map(str, files))


def answer(enforcer: casbin.Enforcer, request: tuple[Any, ...]) -> bool | None:
    """casbin's answer, or None where it raises."""
    with contextlib.suppress(Exception):
        return bool(enforcer.enforce(*request))
    return None


def compare(model: str, policy: str, requests: list[Any], *, compat: bool = True) -> int:
    """Assert that both answer the same; the number of answers compared."""
    try:
        ours = CompiledPolicy.from_text(model, policy, compat=compat)
    except PolicyErrors:
        return 0
    enforcer = stock(model, policy)
    compared = 0
    for request in requests:
        expected = answer(enforcer, request)
        if expected is None:
            continue
        found = ours.enforce(*request)
        assert found == expected, f"{request}: casbin {expected}, ours {found}\n{model}\n{policy}"
        compared += 1
    return compared


__all__ = ["NAMES", "answer", "cases", "compare", "stock"]
