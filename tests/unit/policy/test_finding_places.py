"""Every finding says where, to the column, and what to do; all of a policy's come at once."""

import importlib
import pkgutil

import pytest

import acl_engine.policy
from acl_engine import CompiledPolicy, PolicyErrors
from acl_engine.domain.text import Text

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = priority, sub, obj, act, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && r.act == p.act && eval(p.cond)
"""
POLICY = """# priority, sub, obj, act, cond, eft
p, 1, staff, ^/a$, read, r.sub.age > 3, Deny
  p, high, staff, ^/a$, read, r.sub.age > 3, deny
pp, 1, staff, ^/a$, read, r.sub.age > 3, allow
p, 1, staff, ^/a$, read, r.sub.age > 3
p, 1, staff, ^/a$, read, r.sub.age > 3, allow, more
p, 1,  , ^/a$, read, r.sub.age > 3, allow
p, 1, staff, ^(a, read, r.sub.age > 3, allow
g, ann
"""
PLACES = {
    ("rows.effect", 2, 41),
    ("rows.priority", 3, 6),
    ("rows.line-type", 4, 1),
    ("rows.columns", 5, 39),
    ("rows.columns", 6, 48),
    ("rows.empty-cell", 7, 8),
    ("rows.brackets", 8, 15),
    ("rows.columns", 9, 7),
}


def places(model: str, policy: str) -> set[tuple[str, int, int]]:
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(model, policy)
    found = [(one.message.code, one.where) for one in caught.value.errors]
    return {(code, where.line, where.column) for code, where in found if where}


def test_every_finding_of_the_rows_has_its_column() -> None:
    """And one mistake does not hide another."""
    assert places(MODEL, POLICY) >= PLACES


def test_what_is_found_in_patterns_conditions_and_roles_has_its_column() -> None:
    """The pattern, what in the condition cannot be read, and the link of a cycle."""
    rows = (
        "p, 1, staff, /a, read, r.sub.age > 3, deny\n"
        "p, 1, staff, ^/a$, read, r.sub.age > > 3, deny\n"
        "p, 1, staff, ^/a$, read, True, deny\n"
        "g, ann, bob\ng, bob, ann\n"
    )
    assert places(MODEL, rows) == {
        ("pattern.open", 1, 14),
        ("expression.unreadable", 2, 38),
        ("reading.constant", 3, 26),
        ("roles.cycle", 4, 1),
        ("roles.cycle", 5, 1),
    }


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column"),
    [
        ("[matchers]", "[matcher]", "model.section", 9, 1),
        ("g = _, _", "gg = _, _", "model.key", 6, 1),
        ("g = _, _", "g = _, (_, _)", "model.role", 6, 5),
        ("act, cond", "act, 9cond", "model.field", 4, 30),
        ("|| deny", "|| allow", "model.effect", 8, 5),
        ("r.act == p.act", "r.act === p.act", "expression.unreadable", 10, 60),
        ("r.act ==", "\\\n  r.act ===", "expression.unreadable", 11, 11),
        ("r = sub, obj, act", "r sub, obj, act", "model.pair", 2, 1),
    ],
)
def test_every_finding_of_the_model_has_its_column(
    old: str, new: str, code: str, line: int, column: int
) -> None:
    """Across a continued line too; and the rows are read all the same where they can be."""
    found = places(MODEL.replace(old, new), POLICY)
    assert (code, line, column) in found
    if code not in ("model.pair", "model.section"):
        assert ("rows.line-type", 4, 1) in found


def test_every_text_of_this_room_says_what_to_do() -> None:
    """A finding without a hint leaves its author alone with it."""
    for info in pkgutil.iter_modules(acl_engine.policy.__path__):
        for value in vars(importlib.import_module(f"acl_engine.policy.{info.name}")).values():
            if isinstance(value, Text):
                assert value.hint_en, value.code
                assert value.hint_zh, value.code
