"""The order of sets and dicts decides nothing: the same under twenty values of PYTHONHASHSEED."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = range(20)
# Decisions with their rows and versions, explanations, lists, and what a refused policy says.
CODE = """
import hashlib
from tests.oracle.cases import case
from tests.oracle.comparing import asked, compiled
from tests.oracle.server import FUNCTIONS
from acl_engine.decision import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors
said = []
for one in map(case, range(30)):
    try:
        CompiledPolicy.from_text(one.model, one.policy, functions=FUNCTIONS)
    except PolicyErrors as refused:
        said.append(refused.render("zh"))
    policy = compiled(one)
    if policy is None:
        continue
    for request in asked(one):
        said.append(policy.decide(*request))
    if not one.suffix:
        said.append(policy.explain(*asked(one)[0]).render("zh"))
        said.append(policy.subjects_for(obj="/a", act="read", dom="north")
                    if "dom" in one.fields else policy.subjects_for(obj="/a", act="read"))
print(len(said), hashlib.sha256(repr(said).encode()).hexdigest())
"""


def _run(seed: int) -> str:
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_same_answers_under_any_hash_seed() -> None:
    """Decisions, rows, explanations, lists and refusals, word for word."""
    with ThreadPoolExecutor(2) as two:
        answers = set(two.map(_run, SEEDS))
    assert len(answers) == 1, answers
    assert int(answers.pop().split()[0]) > 25 * 40
