"""Throttling before hashing: a bucket of tries for each key, in bounded memory.

The key is the login as typed, known or not, so that the throttle tells nothing; a try that comes
with a bound device's proof has a bucket of its own, so that strangers cannot spend it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

TRIES = 20
REFILL_SECONDS = 6.0
_KEYS = 50_000


class Throttle:
    """`TRIES` at once for each key, then one more every `REFILL_SECONDS`."""

    def __init__(
        self,
        tries: int = TRIES,
        refill_seconds: float = REFILL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tries = tries
        self._refill = refill_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Whether one more try is in the bucket; it is taken."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(key, (float(self._tries), now))
            left = min(self._tries, left + (now - at) / self._refill)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            if len(self._buckets) > _KEYS:
                self._buckets.popitem(last=False)
        return allowed
