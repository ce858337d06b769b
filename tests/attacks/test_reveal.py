"""A look that an approval gave is no look for whoever finds the session open later."""

import pytest
from tests.line_world import Line

from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.request import Query


def test_an_approved_look_asks_for_a_factor_shown_just_now(line: Line) -> None:
    """Logged in nine minutes before the grant, gone for two: the code is asked for anew."""
    stage, key = line.stage, line.key("done-today")
    clerk = line.token("claims-03", "pc-13")
    stage.clock.advance(9 * 60)
    case = line.engine.approvals.ask(clerk, key, "precheck").made
    line.engine.approvals.approve(line.token("region-01", "pc-17"), case)
    look = Query("read", "waybill", key=key, purpose="precheck")
    assert line.engine.ask(clerk, look).views
    stage.clock.advance(2 * 60)
    with pytest.raises(AccessDenied) as denied:
        line.engine.ask(clerk, look)
    assert "step-up" in line.entries(denied.value.request_id)[-1].controls
    line.engine.prove(clerk, stage.code("claims-03"), device=stage._proof("pc-13"))
    assert line.engine.ask(clerk, look).views
