"""Password hashes: Argon2id, a bounded pool, and the same work for a login that does not exist.

INVARIANTS
- Every check costs one hash, known login or not.
- At most `slots` hashes run at once and `waiting` more wait: a flood spends no more memory than
  that (a hash takes 19 to 64 MiB).
- Text is compared in NFKC, whole: nothing is cut off.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# OWASP's minimum for Argon2id, about 50 ms: for synthetic worlds and tests.
_OWASP_KIB, _OWASP_PASSES, _OWASP_LANES = 19456, 2, 1
# A token: replay logs in a thousand times, in worlds that are made for one run and forgotten.
_TOKEN_KIB = 64
# Longer input is refused unhashed. Source: at most 128 characters, four UTF-8 bytes each.
_MAX_BYTES = 512


class Busy(Exception):
    """The pool is full: refuse at once rather than queue without bound."""


class HashPool:
    """Bounds how many hashes run and wait. One for proven devices, one for everyone else, so that
    a flood of strangers does not hold up the staff."""

    def __init__(self, slots: int = 1, waiting: int = 16) -> None:
        self._running = threading.BoundedSemaphore(slots)
        self._room = threading.BoundedSemaphore(slots + waiting)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a turn. Raises Busy when too many wait already."""
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            with self._running:
                yield
        finally:
            self._room.release()


class Passwords:
    """Hashing with one set of parameters. `synthetic` worlds take the cheap ones."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        # Made once a parameter set: an engine opens in less than a hash.
        self._nobody = _nobody(hasher.time_cost, hasher.memory_cost, hasher.parallelism)

    @classmethod
    def production(cls) -> "Passwords":
        """argon2-cffi's default: RFC 9106, second choice (64 MiB, 3 passes, 4 lanes)."""
        return cls(PasswordHasher())

    @classmethod
    def synthetic(cls) -> "Passwords":
        """OWASP's minimum (19 MiB, 2 passes, 1 lane): for worlds of invented people."""
        return cls(PasswordHasher(_OWASP_PASSES, _OWASP_KIB, _OWASP_LANES))

    @classmethod
    def rehearsal(cls) -> "Passwords":
        """A token cost, for replay's own worlds alone: no file of theirs outlives the run."""
        return cls(PasswordHasher(1, _TOKEN_KIB, 1))

    def hash(self, password: str, *, salt: bytes | None = None) -> str:
        """A salted hash to store. Whether the password may be set is `password_rules`' matter.

        `salt` (16 bytes) only for a synthetic world, which comes out the same from its seed.
        """
        return self._hasher.hash(normal(password), salt=salt)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. `stored` None or empty: the same work, and False."""
        text = normal(password)
        if len(text.encode("utf-8", "replace")) > _MAX_BYTES:
            text, stored = "", None
        try:
            matches = self._hasher.verify(stored or self._nobody, text)
        except InvalidHashError:
            # An account whose password is still to be set costs a hash like any other.
            return self.verify(None, password) if stored else False
        except Argon2Error:
            return False
        return matches and bool(stored)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


@cache
def _nobody(passes: int, kib: int, lanes: int) -> str:
    """A hash that no password is meant to fit, as dear as a real one."""
    return PasswordHasher(passes, kib, lanes).hash("nobody's password")


def normal(password: str) -> str:
    """NFKC: the same password typed on two keyboards is one password."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
