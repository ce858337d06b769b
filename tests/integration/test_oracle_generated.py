"""Generated policies and requests: the same answer as both casbins, and a check that can say no."""

from dataclasses import replace

from tests.oracle.cases import Case, case
from tests.oracle.comparing import check, ours, shrunk
from tests.oracle.distributions import distributions

CASES = 250


def test_the_same_answer_as_casbin() -> None:
    """Ten thousand answers here; a million in `make soak`."""
    with distributions() as casbins:
        tally = check(((number, case(number)) for number in range(CASES)), casbins)
    assert tally.answers > CASES * 35 * len(casbins)
    assert tally.allowed > tally.answers / 8
    assert tally.refused < CASES / 10


def test_a_difference_is_shown_as_the_smallest_case() -> None:
    """An oracle that is wrong about one row: what is left is that row, and one request."""

    def wrong(one: Case) -> bool:
        """Whether a casbin that does not know the person `bob` would differ."""
        known = replace(one, rows=tuple(row for row in one.rows if "bob" not in row))
        here, there = ours(one), ours(known) if known.rows else None
        return here is not None and there is not None and here != there

    found = next(one for one in map(case, range(1000)) if not one.suffix and wrong(one))
    small = shrunk(found, wrong)
    assert len(small.requests) == 1
    assert len(small.rows) <= 3
    assert wrong(small)
