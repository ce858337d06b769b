"""The service's log: one shape of line, whichever way it took."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from acl_engine.web.log_lines import _Lines, shortest_way

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO 100% said")


@pytest.fixture
def alone() -> Iterator[_Lines]:
    """The root logger with nothing but the service's own handler, as `acl serve` has it."""
    root, own = logging.getLogger(), _Lines(io.StringIO())
    before, level = root.handlers[:], root.level
    root.handlers[:] = [own]
    root.setLevel(logging.INFO)
    yield own
    root.handlers[:] = before
    root.setLevel(level)


def test_both_ways_write_the_same(alone: _Lines) -> None:
    log = logging.getLogger("test.lines")
    shortest_way(log)("100% said")
    log.info("100% said")
    first, second = alone.stream.getvalue().splitlines()  # type: ignore[attr-defined]
    assert LINE.fullmatch(first)
    assert LINE.fullmatch(second)


def test_whoever_else_listens_is_told(alone: _Lines, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger().addHandler(caplog.handler)
    shortest_way(logging.getLogger("test.lines"))("100% said")
    assert "100% said" in caplog.messages


def test_a_level_above_says_nothing(alone: _Lines) -> None:
    log = logging.getLogger("test.lines.quiet")
    log.setLevel(logging.WARNING)
    shortest_way(log)("100% said")
    assert alone.stream.getvalue() == ""  # type: ignore[attr-defined]


def test_a_stream_that_is_gone_fails_no_request(alone: _Lines) -> None:
    alone.stream.close()
    shortest_way(logging.getLogger("test.lines"))("100% said")
