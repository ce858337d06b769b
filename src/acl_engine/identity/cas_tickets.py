"""Making tickets of the protocol's shapes, and the forms' own single-use tickets.

Specification 3.1 to 3.7: letters, figures and hyphens; a service or proxy ticket of 32 characters,
the rest of 64, are what every client accepts.
"""

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass

_ALPHABET = string.ascii_letters + string.digits
_TICKET_CHARS, _LONG_CHARS = 32, 64
# 61 characters in all: a device's challenge is kept in 64.
_HEX_TIME, _HEX_NONCE, _HEX_MAC = 8, 16, 32


def ticket(prefix: str, length: int = _TICKET_CHARS) -> str:
    """`prefix-` and random characters: 29 of them are 172 bits."""
    head = f"{prefix}-"
    return head + "".join(secrets.choice(_ALPHABET) for _ in range(length - len(head)))


def grant_ticket() -> str:
    return ticket("PGT", _LONG_CHARS)


def grant_iou() -> str:
    """Names a grant without being able to use it: random on its own, derived from nothing."""
    return ticket("PGTIOU", _LONG_CHARS)


def hash_ticket(text: str) -> str:
    """A ticket as it is stored. Random tickets need no salt and no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Forms:
    """Login tickets (LT): signed, for one browser, for a while. Making one stores nothing, so that
    a flood of forms costs nothing; the store learns of it when it is used up.

    `key` is shared by all processes of one service.
    """

    key: bytes
    seconds: int

    def make(self, browser: str, now: int) -> str:
        """A form's ticket for the browser that holds the cookie `browser`."""
        head = f"{now + self.seconds:0{_HEX_TIME}x}-{secrets.token_hex(_HEX_NONCE // 2)}"
        return f"LT-{head}-{self._mac(head, browser)}"

    def expiry(self, form: str, browser: str, now: int) -> int | None:
        """When the form's ticket runs out (epoch seconds), or None when it is not a good one."""
        prefix, _, rest = form.partition("-")
        head, _, mac = rest.rpartition("-")
        if prefix != "LT" or len(head) != _HEX_TIME + 1 + _HEX_NONCE or not browser:
            return None
        if not hmac.compare_digest(mac.encode(), self._mac(head, browser).encode()):
            return None
        expires_at = int(head[:_HEX_TIME], 16)
        return expires_at if now < expires_at <= now + self.seconds else None

    def _mac(self, head: str, browser: str) -> str:
        text = f"login form v1\n{head}\n{browser}".encode("utf-8", "replace")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()[:_HEX_MAC]
