"""Whether anybody watches the log: the watch leaves a mark, the service notices its absence.

Frozen accounts and held sessions are the watch's doing; while it is down the engine decides as ever
and nobody is stopped. So its absence is told to whoever runs the service, in its log and metrics,
and to no stranger: whoever knows that nobody watches knows when to steal.
"""

import logging
import threading
import time
from collections.abc import Callable

from acl_engine.domain.errors import AclError
from acl_engine.storage.watch_marks import WatchMarks

log = logging.getLogger("acl.web")

# A watch marks no more often than this, and the service looks as often.
MARK_SECONDS = 5.0
NEVER = float("inf")


class Marker:
    """A watch's sign of life, every few seconds at most."""

    def __init__(self, marks: WatchMarks, now: Callable[[], float] = time.time) -> None:
        self._marks, self._now = marks, now
        self._last = NEVER

    def at_work(self) -> None:
        """Whatever there was has been read. Raises StoreError."""
        now = self._now()
        if not 0 <= now - self._last < MARK_SECONDS:  # a clock that was set back marks at once
            self._marks.put(int(now * 1000))
            self._last = now


class Lookout:
    """Looks for the mark as long as the service answers. `silence` seconds without one are told,
    once; so is its return. With 0 nothing is looked for."""

    def __init__(
        self, marks: WatchMarks, silence: int, now: Callable[[], float] = time.time
    ) -> None:
        self._marks, self._silence, self._now = marks, silence, now
        self._stop = threading.Event()
        # A watch that is started with the service has as long to come.
        self._since = now()
        self._watched: bool | None = None

    def age(self) -> float:
        """Seconds since a watch was last at work, or `NEVER`. Raises StoreError."""
        last = self._marks.last()
        if last is None:
            return NEVER
        age = self._now() - last / 1000
        # A mark that lies ahead, by a clock that went wrong, would hold for as long as it does.
        return NEVER if age < -MARK_SECONDS else max(age, 0.0)

    def run(self) -> None:
        while self._silence and not self._stop.wait(MARK_SECONDS):
            self.look()

    def look(self) -> None:
        """One look; what changed is told. A database that cannot answer says so elsewhere."""
        try:
            age = self.age()
        except AclError:
            return
        if age <= self._silence:
            if self._watched is False:
                log.warning("the log is watched again")
            self._watched = True
        elif self._watched is not False and self._now() - self._since > self._silence:
            self._watched = False
            log.error(
                "nobody watches the log: alerts are neither raised nor acted upon"
                " (run `acl audit detect --follow --react`)"
            )

    def stop(self) -> None:
        self._stop.set()
