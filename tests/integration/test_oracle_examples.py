"""casbin's own example models, asked about everything: the same answers, or a named reason."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors
from tests.oracle.comparing import Context
from tests.oracle.distributions import OTHER, Distribution, distributions
from tests.oracle.server import FUNCTIONS, given

# Policies whose model has another name.
POLICY_OF = {
    "basic_model_without_spaces": "basic_policy",
    "basic_with_root_model": "basic_policy",
    "keymatch_custom_model": "keymatch2_policy",
    "priority_model_explicit": "priority_policy_explicit",
    "rbac_model_matcher_using_in_op_bracket": "rbac_policy",
    "rbac_with_domains_without_policy_matcher": "rbac_with_hierarchy_without_policy_domains",
    "rbac_with_multiply_matched_pattern": "rbac_with_multiply_matched_pattern",
    "rbac_with_not_deny_model": "rbac_with_deny_policy",
    "subject_priority_model_with_domain": "subject_priority_policy_with_domain",
}
MORE = {
    "rbac_model": ("rbac_with_hierarchy_policy", "basic_policy"),
    "rbac_with_domains_model": (
        "rbac_with_domains_policy2",
        "rbac_with_hierarchy_with_domains_policy",
    ),
    "priority_model": ("priority_indeterminate_policy",),
}
# Refused by name, in either mode: the deliberate deviations.
REFUSED = {
    "rbac_with_temporal_roles_model": "model.role",  # a link that a clock switches
    "rbac_with_domain_temporal_roles_model": "model.role",
    "rbac_with_multiple_policy_model": "model.mixed",  # m2 reads p and p2: casbin raises
}
# Refused, unless `compat`: casbin lets it through.
STRICT = {
    "globmatch_model": "pattern.open",
    "keymatch2_model": "pattern.open",
    "keymatch_custom_model": "pattern.open",
    "keymatch_model": "pattern.open",
    "rbac_with_pattern_model": "pattern.open",
    "priority_model": "rows.effect",  # the indeterminate policy
}
SUBJECTS = "alice bob cathy root admin jane root@localhost nobody 192.168.2.123 10.0.9.9".split()
OBJECTS = """data1 data2 data3 data /data /data1 /data2 /alice_data/resource1 /alice_data/resource2
/alice_data/5 /bob_data/resource1 /bob_data/5 /bob_data/x /cathy_data /alice_data2/1/using/res
/pen/1 /pen2/1 /book/1 read write *""".split()
ACTS = "read write GET POST PUT data1 data2 domain1 domain2 viewer *.read".split()
DOMAINS = "domain1 domain2 domain3 domain.1 domain.3 *".split()
POOLS = {
    "sub": SUBJECTS,
    "user": SUBJECTS,
    "obj": OBJECTS,
    "thing": OBJECTS,
    "act": ACTS,
    "action": ACTS,
    "dom": DOMAINS,
}


@pytest.fixture(scope="module")
def casbins() -> Iterator[tuple[Distribution, ...]]:
    with distributions() as found:
        yield found


@pytest.mark.skipif(not OTHER, reason="ACL_CASBIN_143 is not set; `make test` makes and names it")
def test_both_distributions_are_asked(casbins: tuple[Distribution, ...]) -> None:
    """Each proves its name and version when it starts."""
    assert [one.name for one in casbins] == ["pycasbin", "casbin"]


def _cases() -> list[tuple[str, str]]:
    folder = os.environ.get("ACL_TEST_DATA")
    if not folder:
        return []
    found: list[tuple[str, str]] = []
    for model in sorted((Path(folder) / "casbin-examples").glob("*.conf")):
        first = POLICY_OF.get(model.stem, model.stem.replace("_model", "_policy"))
        if model.stem == "abac_model":
            first = "basic_policy"
        found += [(model.stem, one) for one in (first, *MORE.get(model.stem, ()))]
    return found


def _requests(fields: tuple[str, ...], abac: bool) -> list[tuple[Any, ...]]:
    if abac:
        people = [{"name": n, "age": a} for n in ("alice", "bob") for a in (16, 30, 70)]
        things = [*OBJECTS, {"Owner": "alice"}]
        return list(itertools.product([*people, "alice"], things, ("read", "write")))
    return list(itertools.product(*(POOLS[field] for field in fields)))


@pytest.mark.skipif(not os.environ.get("ACL_TEST_DATA"), reason="ACL_TEST_DATA is not set")
@pytest.mark.parametrize(("model", "policy"), _cases())
def test_an_example_is_answered_as_casbin_answers(
    model: str, policy: str, acl_test_data: Path, casbins: tuple[Distribution, ...]
) -> None:
    """Every request over the example's words; where casbin raises, ours denies or explains."""
    folder = acl_test_data / "casbin-examples"
    files = (str(folder / f"{model}.conf"), str(folder / f"{policy}.csv"))
    if model in REFUSED:
        for compat in (False, True):
            with pytest.raises(PolicyErrors) as caught:
                CompiledPolicy.from_files(*files, compat=compat)
            assert REFUSED[model] in {one.message.code for one in caught.value.errors}
        return
    if (model in STRICT and "priority" not in model) or "indeterminate" in policy:
        with pytest.raises(PolicyErrors) as caught:
            CompiledPolicy.from_files(*files, functions=FUNCTIONS)
        assert {one.message.code for one in caught.value.errors} == {STRICT[model]}
    ours = CompiledPolicy.from_files(*files, compat=True, functions=FUNCTIONS)
    fields = ours.snapshot.indexes["m"].words.request
    requests = _requests(fields, "abac" in model)[:3000]
    texts = [Path(file).read_text(encoding="utf-8") for file in files]
    for stock in casbins:
        stock.ask(*texts, requests)
    for stock in casbins:
        answers = stock.answers()
        assert any(expected is not None for expected in answers)
        for request, expected in zip(requests, answers, strict=True):
            if expected is not None:
                assert ours.enforce(*map(given, request)) == expected, (stock.name, request)


def test_every_deviation_is_an_example() -> None:
    """A name in the lists that is no example would be a deviation that nobody checks."""
    models = {model for model, _ in _cases()}
    if models:
        assert set(REFUSED) | set(STRICT) <= models


def test_a_second_matcher_is_chosen_by_context(
    acl_test_data: Path, casbins: tuple[Distribution, ...]
) -> None:
    """casbin's EnforceContext, with the same answers."""
    folder = acl_test_data / "casbin-examples"
    texts = [
        (folder / f"multiple_policy_definitions_{end}").read_text()
        for end in ("model.conf", "policy.csv")
    ]
    ours = CompiledPolicy.from_text(*texts)
    requests = list(
        itertools.product(
            ({"context": "2"},),
            [{"age": n} for n in (10, 30, 70, 200)],
            ("/data1", "/data2"),
            ("read",),
        )
    )
    mine = [ours.enforce(Context("2"), *map(given, request[1:])) for request in requests]
    assert set(mine) == {True, False}
    for stock in casbins:
        stock.ask(*texts, requests)
        assert stock.answers() == mine
