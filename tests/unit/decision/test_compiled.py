"""CompiledPolicy: whole arrays, swaps under threads, hash seeds, and what it pulls in."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests import casbin_oracle

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import InputError, PolicyErrors

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
NEW = "p, staff, /a, read, allow\np, staff, /a, write, allow\ng, bob, staff\n"
ASKED = [
    (s, o, a) for s in ("bob", "staff", "eve") for o in ("/a", "/b") for a in ("read", "write")
]


@settings(max_examples=100, deadline=None)
@given(case=casbin_oracle.cases())
def test_whole_arrays_answer_as_single_calls(
    case: tuple[str, str, list[tuple[str, str, str]]],
) -> None:
    """decide_many is enforce, row by row."""
    model, policy, requests = case
    try:
        ours = CompiledPolicy.from_text(model, policy, compat=True)
    except PolicyErrors:
        return
    columns = list(zip(*requests, strict=True))
    assert list(ours.decide_many(*columns)) == [ours.enforce(*one) for one in requests]


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InputError):
        CompiledPolicy.from_text(MODEL, OLD).decide_many(["bob"], ["/a", "/b"], ["read"])


def test_a_request_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(InputError, match="2 values"):
        CompiledPolicy.from_text(MODEL, OLD).enforce("bob", "/a")


def test_threads_see_one_version_or_the_other() -> None:
    """Eight threads decide while the policy is swapped: no answer that neither version gives."""
    versions = [CompiledPolicy.from_text(MODEL, text) for text in (OLD, NEW)]
    right = {one.version: {q: one.enforce(*q) for q in ASKED} for one in versions}
    live = CompiledPolicy.from_text(MODEL, OLD)
    wrong: list[object] = []
    seen: set[str] = set()
    stop = threading.Event()

    def ask() -> None:
        for _ in range(1500):
            for request in ASKED:
                decision = live.decide(*request)
                seen.add(decision.version)
                if decision.allowed != right[decision.version][request]:
                    wrong.append(request)

    def swap() -> None:
        while not stop.is_set():
            for one in versions:
                live.swap(one)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    swapper = threading.Thread(target=swap)
    for thread in (swapper, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    swapper.join()
    assert not wrong
    assert seen == set(right)


def test_the_same_answers_under_any_hash_seed() -> None:
    """The order of sets and dicts decides nothing."""
    code = f"""
from acl_engine.decision import CompiledPolicy
model = {MODEL!r}.replace("some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "priority(p.eft) || deny")
effects = ("allow", "deny")
rows = "".join(f"p, s{{i % 5}}, /{{i % 3}}, read, {{effects[i % 2]}}\\n" for i in range(40))
links = "".join(f"g, u{{i}}, s{{j}}\\n" for i in range(9) for j in range(5) if (i + j) % 3)
policy = CompiledPolicy.from_text(model, rows + links)
for i in range(9):
    for j in range(4):
        print(policy.decide(f"u{{i}}", f"/{{j}}", "read").rules)
"""
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(answers) == 1
    assert "policy.csv" in answers.pop()


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
