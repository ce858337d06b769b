"""What an application that brought a good ticket is given: a token that speaks for one person.

    acla_<session's id>.<application>.<expiry>.<HMAC-SHA256 of the three>

INVARIANTS
- It lives no longer than its person's session, which is read at each use, nor than its own term.
- It is made and read with a key of its own; nothing is stored, so nothing can be stolen from here.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

PREFIX = "acla_"
SECONDS = 600
_SHAPE = re.compile(r"acla_([0-9a-f]{64})\.([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Visiting:
    """An application at work for the person of a session."""

    session: str = field(repr=False)
    application: str


class Visits:
    """Makes and reads such tokens. `now` is epoch seconds UTC."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, visiting: Visiting, now: int) -> str:
        said = f"{visiting.session}.{visiting.application}.{now + SECONDS}"
        return f"{PREFIX}{said}.{self._sum(said)}"

    def read(self, token: str, now: int) -> Visiting | None:
        """Who it speaks for; None if it is not ours, or over."""
        found = _SHAPE.fullmatch(token)
        if found is None:
            return None
        session, application, expiry, code = found.groups()
        said = f"{session}.{application}.{expiry}"
        if not hmac.compare_digest(code, self._sum(said)) or int(expiry) <= now:
            return None
        return Visiting(session, application)

    def _sum(self, said: str) -> str:
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()
