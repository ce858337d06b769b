"""One look serves many, and nobody is given one that began before they asked."""

import asyncio
import itertools
import threading
from collections.abc import Callable

import pytest

from acl_engine.web.api.shared_looks import SharedLooks


class Clocked:
    """A look that takes a while, and says at which tick it began."""

    def __init__(self) -> None:
        self.tick = itertools.count(1)
        self.begun: list[int] = []
        self.go_on = threading.Semaphore(0)
        self.fails = False

    def look(self) -> int:
        began = next(self.tick)
        self.begun.append(began)
        self.go_on.acquire()
        if self.fails:
            raise ValueError
        return began


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0)


def test_whoever_comes_while_a_look_is_under_way_gets_the_next() -> None:
    """It may have begun before a commit that they must see."""

    async def run() -> None:
        clocked = Clocked()
        looks = SharedLooks(clocked.look)
        early = asyncio.create_task(looks.one())
        await until(lambda: len(clocked.begun) == 1)
        asked = next(clocked.tick)
        late = [asyncio.create_task(looks.one()) for _ in range(50)]
        clocked.go_on.release()
        assert await early < asked
        clocked.go_on.release()
        assert {began > asked for began in await asyncio.gather(*late)} == {True}
        assert len(clocked.begun) == 2, "fifty shared one look"

    asyncio.run(run())


def test_many_callers_at_all_times_are_never_given_an_earlier_look() -> None:
    """Two thousand callers, coming whenever: each look begins after those asked whom it serves."""

    async def run() -> None:
        clocked = Clocked()
        clocked.go_on.release(10_000)
        looks = SharedLooks(clocked.look)

        async def one(number: int) -> None:
            for _ in range(number % 7):
                await asyncio.sleep(0)
            asked = next(clocked.tick)
            assert await looks.one() > asked

        await asyncio.gather(*(one(number) for number in range(2000)))
        assert len(clocked.begun) < 1000

    asyncio.run(run())


def test_a_look_that_fails_fails_those_it_was_for_and_no_others() -> None:
    async def run() -> None:
        clocked = Clocked()
        looks = SharedLooks(clocked.look)
        clocked.fails = True
        clocked.go_on.release()
        with pytest.raises(ValueError):
            await looks.one()
        clocked.fails = False
        clocked.go_on.release()
        assert await looks.one() == 2

    asyncio.run(run())


def test_a_caller_that_goes_away_takes_the_look_from_nobody() -> None:
    async def run() -> None:
        clocked = Clocked()
        looks = SharedLooks(clocked.look)
        gone, stays = asyncio.create_task(looks.one()), asyncio.create_task(looks.one())
        await until(lambda: len(clocked.begun) == 1)
        gone.cancel()
        clocked.go_on.release()
        assert await stays == 1

    asyncio.run(run())
