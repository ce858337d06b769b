"""CompiledPolicy: whole arrays, and what it pulls in."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.cases import case
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
OLD = (
    "p, staff, /a, read, allow\np, staff, /b, read, allow\np, bob, /b, read, deny\ng, bob, staff\n"
)


@settings(max_examples=100, deadline=None)
@given(number=st.integers(0, 10**9))
def test_whole_arrays_answer_as_single_calls(number: int) -> None:
    """decide_many is enforce, row by row."""
    one = case(number)
    policy = compiled(one)
    if policy is None or one.suffix:
        return
    requests = asked(one)
    columns = list(zip(*requests, strict=True))
    assert list(policy.decide_many(*columns)) == [policy.enforce(*each) for each in requests]


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InputError):
        CompiledPolicy.from_text(MODEL, OLD).decide_many(["bob"], ["/a", "/b"], ["read"])


@pytest.mark.parametrize(
    "column", [{"bob", "eve"}, {"bob": 1, "eve": 2}, "be", iter(["bob", "eve"]), None]
)
def test_columns_without_an_order_are_refused(column: object) -> None:
    """A set pairs each subject with whatever object comes by: no answer would be anybody's."""
    pytest.importorskip("numpy")
    with pytest.raises(InputError, match="1"):
        CompiledPolicy.from_text(MODEL, OLD).decide_many(column, ["/a", "/b"], ["read"] * 2)


def test_a_request_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(InputError, match="2 values"):
        CompiledPolicy.from_text(MODEL, OLD).enforce("bob", "/a")


def test_the_decision_core_is_light() -> None:
    """`import acl_engine.decision` loads no database, web, crypto or array package."""
    heavy = "sqlalchemy starlette uvicorn cryptography argon2 pyotp numpy casbin click rich jinja2"
    code = (
        "import sys, acl_engine.decision\n"
        "from acl_engine import CompiledPolicy\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["model.conf", "policy.csv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.conf").write_text(MODEL)
    (tmp_path / "policy.csv").write_text(OLD)
    (tmp_path / name).unlink()
    with pytest.raises(Exception, match=name):
        CompiledPolicy.from_files(tmp_path / "model.conf", tmp_path / "policy.csv")
