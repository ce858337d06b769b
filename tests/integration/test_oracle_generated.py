"""Generated policies and requests: the same answer as stock casbin."""

from hypothesis import given, settings

from tests import casbin_oracle


@settings(max_examples=300, deadline=None)
@given(case=casbin_oracle.cases())
def test_the_same_answer_as_casbin(case: tuple[str, str, list[tuple[str, str, str]]]) -> None:
    """Five effects, fourteen matchers, roles, priorities: no difference in either direction."""
    casbin_oracle.compare(*case)
