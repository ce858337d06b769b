"""A million generated policies x requests against both casbins: `make soak`.

`ACL_SOAK_CASES` cases of 40 requests, from the number `ACL_SOAK_FIRST` on; a difference is
printed as the smallest case that shows it.
"""

import os
import time

import pytest

from tests.oracle.cases import case
from tests.oracle.comparing import check
from tests.oracle.distributions import OTHER, distributions

pytestmark = pytest.mark.soak
CASES = int(os.environ.get("ACL_SOAK_CASES", "28000"))
FIRST = int(os.environ.get("ACL_SOAK_FIRST", "1000000"))


@pytest.mark.skipif(not OTHER, reason="ACL_CASBIN_143 is not set; `make soak` makes and names it")
def test_a_million_answers_are_those_of_both_casbins() -> None:
    """28,000 policies, 40 requests each; what is refused is not counted."""
    started = time.monotonic()
    with distributions() as casbins:
        numbers = range(FIRST, FIRST + CASES)
        tally = check(((number, case(number)) for number in numbers), casbins)
    print(f"\n{tally} in {time.monotonic() - started:.0f} s")
    assert tally.answers / len(casbins) > CASES * 36
    assert tally.refused < CASES / 10
