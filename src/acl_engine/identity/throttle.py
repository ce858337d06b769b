"""Throttling before hashing: a bucket of tries for each key, in bounded memory.

The key is the login as typed, known or not, so that the throttle tells nothing; a try that comes
with a bound device's proof has a bucket of its own, so that strangers cannot spend it.

INVARIANTS
- A flood costs a dictionary entry: the database is asked only for a try that this process allows.
- What all processes together allow is one bucket in the database, under a digest of the key.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from acl_engine.domain.factors import FactorStore
from acl_engine.domain.ports import Clock

TRIES = 20
REFILL_SECONDS = 6.0
_KEYS = 50_000


class Throttle:
    """`TRIES` at once for each key, then one more every `REFILL_SECONDS`."""

    def __init__(
        self,
        tries: int = TRIES,
        refill_seconds: float = REFILL_SECONDS,
        ticks: Callable[[], float] = time.monotonic,
        *,
        shared: FactorStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`ticks`: seconds that only grow; `clock`: the time by which processes agree. Without
        `shared` and `clock` the buckets are this process's alone."""
        self._tries = tries
        self._refill = refill_seconds
        self._ticks = ticks
        self._shared, self._clock = shared, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Whether one more try is in the bucket; it is taken."""
        return self._take_here(key) and self._take_shared(key)

    def _take_here(self, key: str) -> bool:
        now = self._ticks()
        with self._lock:
            left, at = self._buckets.pop(key, (float(self._tries), now))
            left = min(self._tries, left + (now - at) / self._refill)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            if len(self._buckets) > _KEYS:
                self._buckets.popitem(last=False)
        return allowed

    def _take_shared(self, key: str) -> bool:
        if self._shared is None or self._clock is None:
            return True
        digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        now, refill = int(self._clock.now().timestamp() * 1000), int(self._refill * 1000)
        return self._shared.take_try(digest, now, tries=self._tries, refill_ms=refill)
