"""The code of an enrolment: handed to its person by an administrator, good once, for minutes.

It has 120 random bits, so that a plain digest may be stored (ASVS 5, 6.5.2). It opens nothing by
itself: who has set a password types it too, and who logs in on a bound device shows that.
"""

import hashlib

from acl_engine.identity.recovery import plain_code

MINUTES, MOST_MINUTES = 30, 24 * 60


def digest_of(typed: str) -> str | None:
    """What is stored of a code, from how it was typed; None: it has not the shape of one."""
    plain = plain_code(typed)
    if plain is None:
        return None
    return hashlib.sha256(f"acl-engine enrolment code v1\n{plain}".encode()).hexdigest()
