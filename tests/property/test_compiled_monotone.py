"""A deny row more never widens; an allow row less never widens; the rows named make the answer."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests import casbin_oracle

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import PolicyErrors

Case = tuple[str, str, list[tuple[str, str, str]]]


def _compiled(model: str, policy: str) -> CompiledPolicy | None:
    try:
        return CompiledPolicy.from_text(model, policy, compat=True)
    except PolicyErrors:
        return None


@settings(max_examples=150, deadline=None)
@given(case=casbin_oracle.cases(), data=st.data())
def test_an_allow_row_less_never_widens(case: Case, data: st.DataObject) -> None:
    model, policy, requests = case
    lines = policy.splitlines()
    allows = [at for at, line in enumerate(lines) if line.startswith("p,") and "allow" in line]
    if not allows or not (before := _compiled(model, policy)):
        return
    at = data.draw(st.sampled_from(allows))
    after = _compiled(model, "\n".join(lines[:at] + lines[at + 1 :]))
    for request in requests:
        assert after is None or before.enforce(*request) or not after.enforce(*request)


@settings(max_examples=150, deadline=None)
@given(case=casbin_oracle.cases(), data=st.data())
def test_a_deny_row_more_never_widens(case: Case, data: st.DataObject) -> None:
    model, policy, requests = case
    lines = policy.splitlines()
    row = data.draw(st.sampled_from([line for line in lines if line.startswith("p,")]))
    before = _compiled(model, policy)
    after = _compiled(model, f"{row.replace('allow', 'deny')}\n{policy}")
    for request in requests:
        if before and after:
            assert before.enforce(*request) or not after.enforce(*request)


@settings(max_examples=150, deadline=None)
@given(case=casbin_oracle.cases())
def test_the_rows_of_a_decision_alone_reproduce_it(case: Case) -> None:
    """Keep the links and the one row that decided: the same answer."""
    model, policy, requests = case
    whole = _compiled(model, policy)
    lines = policy.splitlines()
    links = [line for line in lines if line.startswith("g")]
    for request in requests if whole else ():
        decision = whole.decide(*request)  # type: ignore[union-attr]
        for rule in decision.rules:
            row = lines[int(rule.partition(":")[2]) - 1]
            alone = CompiledPolicy.from_text(model, "\n".join([row, *links]), compat=True)
            assert alone.enforce(*request) == decision.allowed
