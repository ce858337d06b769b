"""Scenarios shared out between processes: the same results, in the same order, the same errors."""

import os
import sys

import pytest

from acl_engine.domain.errors import ScenarioError
from acl_engine.domain.text import Text
from acl_engine.replay.troupe import FEW, players, shared_out

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shared out on Linux alone")

WRONG = Text("test.wrong", "第 {part} 个不行", "part {part} is wrong")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts(count: int) -> None:
    """Whoever finishes first; and each is heard of once."""
    heard: list[tuple[int, int]] = []
    done = shared_out(lambda part: part * part, range(20), count, lambda *one: heard.append(one))
    assert done == [part * part for part in range(20)]
    assert [number for number, _ in heard] == list(range(1, 21))
    assert sorted(part for _, part in heard) == list(range(20))


def test_parts_are_worked_on_elsewhere() -> None:
    """What a run does to its process, the next command does not see."""
    assert os.getpid() not in shared_out(lambda part: os.getpid(), range(8), 2)


@pytest.mark.parametrize("count", [1, 3])
def test_the_error_of_one_is_the_error_of_all(count: int) -> None:
    """With its text in both languages."""

    def work(part: int) -> int:
        if part == 3:
            raise ScenarioError(WRONG.of(part=part))
        return part

    with pytest.raises(ScenarioError) as found:
        shared_out(work, range(8), count)
    assert found.value.render("zh") == "第 3 个不行"


def test_a_few_are_not_worth_a_process() -> None:
    assert players(FEW - 1) == 1
    assert 1 <= players(100) <= len(os.sched_getaffinity(0))
