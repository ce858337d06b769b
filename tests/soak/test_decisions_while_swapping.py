"""A million decisions from eight threads, with the policy swapped all the while: `make soak`."""

import pytest

from tests.integration.test_decision_threads import busy_switching, decide_while_swapping

__all__ = ["busy_switching"]
pytestmark = pytest.mark.soak


@pytest.mark.usefixtures("busy_switching")
def test_a_million_decisions_are_each_one_version_s_own() -> None:
    """None is an answer that neither version would give."""
    decide_while_swapping(1_000_000)
