"""The verdict table, by name."""

import pytest

from acl_engine.replay.result import VERDICTS, Verdict
from acl_engine.replay.verdict import Findings, keeps, verdict_of

BLOCKED = Findings(reached=False, positive_leaks=True)


@pytest.mark.parametrize(
    ("name", "found", "want"),
    [
        ("out of reach, for the stated reason", BLOCKED, Verdict.BLOCKED),
        (
            "another control did it",
            Findings(reached=False, positive_leaks=True, as_stated=False),
            Verdict.BLOCKED_WRONG_REASON,
        ),
        ("goal holds", Findings(reached=True, positive_leaks=True), Verdict.LEAKED),
        (
            "a stated leak within rights",
            Findings(reached=True, residual=True),
            Verdict.RESIDUAL,
        ),
        (
            "masked value above the tolerance",
            Findings(reached=False, positive_leaks=True, candidates=1993, tolerance=1000),
            Verdict.DEGRADED,
        ),
        (
            "masked value below the tolerance leaks",
            Findings(reached=False, positive_leaks=True, candidates=55, tolerance=1000),
            Verdict.LEAKED,
        ),
        (
            "tests nothing",
            Findings(reached=False, positive_leaks=False),
            Verdict.VACUOUS,
        ),
        (
            "a policy that denies everything is no answer",
            Findings(reached=False, positive_leaks=True, legit_denied=True),
            Verdict.FALSE_DENIAL,
        ),
        ("a skipped run is never blocked", Findings(False, skipped=True), Verdict.SKIPPED),
        ("a failed run is never blocked", Findings(False, failed=True), Verdict.ERROR),
        ("work stays possible", Findings(False, utility=True), Verdict.KEPT),
        (
            "work is denied",
            Findings(False, utility=True, legit_denied=True),
            Verdict.FALSE_DENIAL,
        ),
        (
            "work shows more than it needs",
            Findings(False, utility=True, overshown=True),
            Verdict.OVERSHOWN,
        ),
    ],
)
def test_verdict(name: str, found: Findings, want: Verdict) -> None:
    """Each row of the format page's table."""
    assert verdict_of(found) is want, name


@pytest.mark.parametrize("bad", [v for v in Verdict if v is not Verdict.BLOCKED])
def test_nothing_but_blocked_counts_as_blocked(bad: Verdict) -> None:
    """No other verdict passes where a file says blocked."""
    assert not keeps("blocked", bad)


def test_a_leak_wins_over_a_false_denial() -> None:
    """Denying honest work does not hide a leak."""
    found = Findings(reached=True, legit_denied=True, positive_leaks=True)
    assert verdict_of(found) is Verdict.LEAKED


def test_every_verdict_has_a_text() -> None:
    """A report never prints a bare code."""
    assert set(VERDICTS) == set(Verdict)
