"""A deny row more never widens; an allow row less never widens; the rows named make the answer."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.cases import Case, case
from tests.oracle.comparing import asked, compiled

NUMBERS = st.integers(0, 10**9)


def _rows(one: Case) -> list[int]:
    """Where the rows stand that the case's own matcher reads."""
    return [at for at, row in enumerate(one.rows) if row.startswith(f"p{one.suffix},")]


def _never_wider(before: Case, after: Case) -> None:
    first, second = compiled(before), compiled(after)
    if first is None or second is None:
        return
    for request in asked(before):
        assert first.enforce(*request) or not second.enforce(*request), request


@settings(max_examples=150, deadline=None)
@given(number=NUMBERS, data=st.data())
def test_an_allow_row_less_never_widens(number: int, data: st.DataObject) -> None:
    one = case(number)
    allows = [at for at in _rows(one) if not one.rows[at].endswith("deny")]
    if allows:
        at = data.draw(st.sampled_from(allows))
        _never_wider(one, replace(one, rows=one.rows[:at] + one.rows[at + 1 :]))


@settings(max_examples=150, deadline=None)
@given(number=NUMBERS, data=st.data())
def test_a_deny_row_more_never_widens(number: int, data: st.DataObject) -> None:
    """Put before all: where only the order decides, a later one may come too late."""
    one = case(number)
    if "eft" in one.columns:
        row = one.rows[data.draw(st.sampled_from(_rows(one)))].replace("allow", "deny")
        _never_wider(one, replace(one, rows=(row, *one.rows)))


@settings(max_examples=100, deadline=None)
@given(number=NUMBERS)
def test_the_rows_of_a_decision_alone_reproduce_it(number: int) -> None:
    """Keep the links and the one row that decided: the same answer."""
    one = case(number)
    whole = compiled(one)
    links = [row for row in one.rows if row[0] == "g"]
    for request in asked(one)[:8] if whole else ():
        decision = whole.decide(*request)  # type: ignore[union-attr]
        for rule in decision.rules:
            row = one.rows[int(rule.partition(":")[2]) - 1]
            first = [other for other in one.rows if one.suffix and other.startswith("p,")]
            alone = compiled(replace(one, rows=(row, *first, *links)))
            assert alone is not None
            assert alone.enforce(*request) == decision.allowed
