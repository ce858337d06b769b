"""What the line writes down is what the detection rules read: attacks on a real engine, watched."""

from pathlib import Path

import pytest
from tests.line_world import Line

from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.bootstrap.watch import Watch, detector
from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.request import Query
from acl_engine.storage.scan_feed import ScanFeed

RULES = Path(__file__).parents[2] / "policies" / "courier" / "detection"


def watch_of(line: Line) -> Watch:
    stage = line.stage
    keys = KeyedPseudonyms(Keys.synthetic(stage.truth.world.seed).pseudonym)
    scans = ScanFeed(stage.database)
    return Watch(detector(RULES)[0], line.engine.audit, scans, keys, stage.clock)


def test_numbers_tried_in_a_row(line: Line) -> None:
    """Nine neighbours of a known number, every one refused: the courier is named."""
    token, key = line.token("courier-88", "pda-88"), line.key("load-1")
    for number in range(9):
        with pytest.raises(AccessDenied):
            line.engine.ask(token, Query("read", "waybill", key=f"{key[:-2]}{number:02}"))
    found = watch_of(line).catch_up()
    assert [alert.rule for alert in found] == ["sequential-numbers"]
    assert found[0].accounts == ("courier-88",)


def test_asking_after_the_shift(line: Line) -> None:
    """The shift is over and the account still asks: refused, written down so, and noticed."""
    line.stage.clock.advance(9 * 3600)
    token = line.token("courier-88", "pda-88")
    for _ in range(10):
        with pytest.raises(AccessDenied) as denied:
            line.engine.ask(token, line.read("load-1"))
    assert line.entries(denied.value.request_id)[-1].on_shift is False
    assert "off-shift" in [alert.rule for alert in watch_of(line).catch_up()]


def test_a_page_says_of_each_record_where_it_lies(line: Line) -> None:
    """One area for each subject, in order; whether on shift; the block of a number, not itself."""
    token = line.token("courier-88", "pda-88")
    listed = line.engine.ask(token, Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"}))
    page = line.entries(listed.request_id)[-1]
    assert len(page.areas) == len(page.subjects) > 1
    assert all(page.areas)
    looked = line.entries(line.engine.ask(token, line.read("load-1")).request_id)[-1]
    assert (looked.on_shift, len(looked.block)) == (True, 8)
    assert looked.areas == (dict(zip(page.subjects, page.areas, strict=True))[looked.subjects[0]],)
