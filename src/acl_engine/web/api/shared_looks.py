"""Looks at the database's state that many requests share, as a group commit shares its sync.

INVARIANT: whoever asks gets a look that began after it asked. While one is under way, all who come
wait for the next.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

_T = TypeVar("_T")


class SharedLooks(Generic[_T]):
    """`look` waits for the database: it runs in a thread of its own, one at a time."""

    def __init__(self, look: Callable[[], _T]) -> None:
        self._look = look
        self._thread = ThreadPoolExecutor(1, "look")
        self._under_way: asyncio.Task[_T] | None = None
        self._next: asyncio.Task[_T] | None = None

    async def one(self) -> _T:
        """What a look gives that begins after this call. Raises what it raises."""
        if self._next is None:
            begun = self._begin(self._under_way)
            self._next = asyncio.get_running_loop().create_task(begun)
        # One caller that goes away takes the look from nobody.
        return await asyncio.shield(self._next)

    async def _begin(self, before: "asyncio.Task[_T] | None") -> _T:
        if before is not None and not before.done():
            with suppress(Exception):
                await asyncio.shield(before)
        self._under_way, self._next = self._next, None
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
