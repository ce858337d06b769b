"""C12: an approver who stamps is noticed, broken glass that nobody looks at shows up, and the
roster is nobody's own to write."""

import pytest
from tests.line_world import Line

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.duty_roster import DutyAdministration, Watched
from acl_engine.domain.errors import AccessDenied, ChangeRefused, InputError
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.standing import Rules


def roster(line: Line) -> DutyAdministration:
    stage = line.stage
    pack = stage.site.pack
    desk = Desk.over(stage.database, stage.site.keys, stage.clock, Rules.of(pack))
    return DutyAdministration(Administration(desk, Passwords.rehearsal()), pack, stage.database)


def answered(line: Line, seconds: int) -> Watched:
    """Six cases of a clerk, each agreed to after so long."""
    clerk, approver = line.token("claims-03", "pc-13"), line.token("region-01", "pc-17")
    parcels = [one for one in line.stage.truth.parcels if one.facts["stage"] == "DELIVERED"]
    for parcel in parcels[:6]:
        case = line.engine.approvals.ask(clerk, parcel.waybill_no, "precheck").made
        line.stage.clock.advance(seconds)
        line.engine.approvals.approve(approver, case)
    return roster(line).watch()


def test_who_agrees_faster_than_one_can_read_stamps(line: Line) -> None:
    (found,) = answered(line, 2).stamps
    assert found.person == line.stage.person("region-01").person
    assert (found.answers, found.agreed, found.median_seconds) == (6, 6, 2)


def test_who_reads_does_not(line: Line) -> None:
    assert answered(line, 40).stamps == ()


def test_broken_glass_that_nobody_looks_at(line: Line) -> None:
    """Waiting at once, overdue the next day, and gone once a third person has looked."""
    dba = line.token("dba-01", "pc-20")
    case = line.engine.approvals.ask(dba, line.key("hub-parcel"), "repair", urgent=True).made
    line.engine.approvals.refuse(line.token("dpo-01", "pc-23"), case)
    assert [(one.case, one.urgent) for one in roster(line).watch().waiting] == [(case, True)]
    line.stage.clock.advance(25 * 3600)
    assert [one.case for one in roster(line).watch().overdue] == [case]
    line.stage._tokens.clear()
    line.engine.approvals.review(line.token("auditor-01", "pc-21"), case, sound=False)
    assert roster(line).watch().overdue == ()


def test_broken_glass_that_nobody_answered_is_looked_at_too(line: Line) -> None:
    """Not while it can still be granted: the look that follows would then go unreviewed."""
    dba, auditor = line.token("dba-01", "pc-20"), ("auditor-01", "pc-21")
    approvals = line.engine.approvals
    case = approvals.ask(dba, line.key("hub-parcel"), "repair", urgent=True).made
    early = line.token(*auditor)
    assert approvals.cases(early, due=True).views == ()
    with pytest.raises(AccessDenied):
        approvals.review(early, case, sound=True)
    line.stage.clock.advance(31 * 60)
    line.stage._tokens.clear()
    late = line.token(*auditor)
    assert [one.fields["approval_no"] for one in approvals.cases(late, due=True).views] == [case]
    approvals.review(late, case, sound=True)
    line.stage.clock.advance(25 * 3600)
    assert roster(line).watch().overdue == ()
    line.stage._tokens.clear()
    approvals.ask(line.token("dba-01", "pc-20"), line.key("hub-parcel"), "repair", urgent=True)


@pytest.mark.parametrize(
    ("desk", "login", "by", "substitute"),
    [
        ("claims", "claims-04", "claims-03", False),  # by no administrator
        ("privacy", "acct-admin-01", "acct-admin-01", False),  # oneself
        ("ba-xixiang", "sup-0427", "acct-admin-01", False),  # of another unit, as the desk's own
        ("ba-xixiang", "keeper-07", "acct-admin-01", True),  # of the desk's own unit, to stand in
        ("claims", "dpo-01", "acct-admin-01", True),  # of the unit of those who keep it
        ("privacy", "dpo-02x", "acct-admin-01", False),  # nobody
        ("secret", "dpo-02", "acct-admin-01", False),  # no desk
    ],
)
def test_a_desk_cannot_close_ranks(
    line: Line, desk: str, login: str, by: str, substitute: bool
) -> None:
    before = roster(line).roster()
    with pytest.raises((InputError, ChangeRefused)):
        roster(line).add(desk, login, 8, by, substitute=substitute)
    assert roster(line).roster() == before


def test_an_ended_line_answers_no_more(line: Line) -> None:
    """By an administrator, on record."""
    desk = roster(line)
    desk.add("claims", "claims-04", 8, "acct-admin-01", substitute=False)
    made = max(desk.roster(), key=lambda one: one.id)
    assert made.duty.made_by == "acct-admin-01"
    desk.end(made.id, "acct-admin-01")
    assert made.id not in [one.id for one in desk.roster()]
    assert [entry.action for entry in line.stage.news()][-2:] == ["duty.add", "duty.end"]
