"""One-time codes (RFC 6238): seeds sealed at rest, steps compared in constant time.

pyotp computes the code; which step a code belongs to and whether it was used before is ours:
`match` gives the step, the store's `open_session` uses it up by compare-and-set. A drift of one
step either way is let in (a documented deviation from ASVS 6.5.5's 30 seconds).
"""

import base64
import secrets
from hmac import compare_digest

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STEP_SECONDS = 30
_DRIFT = (-1, 0, 1)
_NONCE_BYTES = 12
# A code of no seed: the same work for an account that has none.
_NO_SEED = "A" * 32


class Totp:
    """Codes under one sealing key (32 bytes). The login is bound in: a seed moved is no seed."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @staticmethod
    def new_seed() -> str:
        """160 random bits in base 32, as authenticator apps read them."""
        return pyotp.random_base32()

    def seal(self, login: str, seed: str, *, nonce: bytes | None = None) -> bytes:
        """The seed as it is stored: AES-256-GCM, nonce first.

        `nonce` (12 bytes, a different one for each login) only for a synthetic world, which comes
        out the same from its seed.
        """
        nonce = nonce or secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, seed.encode(), _bound(login))

    def offer(self, login: str, enrolment: str, seed: str) -> str:
        """A seed for a page to bring back: sealed for one enrolment (its digest) of one login."""
        return base64.urlsafe_b64encode(self.seal(_offered(login, enrolment), seed)).decode()

    def offered(self, login: str, enrolment: str, brought: str) -> str | None:
        """The seed that was offered for this enrolment; None: it is not what we gave."""
        try:
            sealed = base64.urlsafe_b64decode(brought)
        except ValueError:
            return None
        return self._open(_offered(login, enrolment), sealed)

    def match(self, login: str, sealed: bytes | None, code: str | None, now: int) -> int | None:
        """The step the code is of, or None. Does not use the code up. `now` in epoch seconds."""
        seed = self._open(login, sealed)
        generator = pyotp.TOTP(seed or _NO_SEED)
        typed = (code or "").replace(" ", "").encode("utf-8", "replace")
        found: int | None = None
        for drift in _DRIFT:
            step = now // STEP_SECONDS + drift
            if compare_digest(generator.generate_otp(step).encode(), typed):
                found = step
        return found if seed is not None else None

    def _open(self, login: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        try:
            opened = self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(login)
            )
        except (InvalidTag, ValueError):
            return None  # sealed under another key, or moved from another account: no factor
        return opened.decode()


def code_at(seed: str, now: int) -> str:
    """The code that an authenticator shows at `now`. For enrolment checks, tests and replay."""
    return pyotp.TOTP(seed).generate_otp(now // STEP_SECONDS)


def enrolment_uri(login: str, seed: str, issuer: str = "acl-engine") -> str:
    """What the enrolment QR holds. It is a secret: shown once, never written down."""
    return pyotp.TOTP(seed).provisioning_uri(name=login, issuer_name=issuer)


def _offered(login: str, enrolment: str) -> str:
    """No login holds a line's end, so what is sealed for an offer is no stored seed."""
    return f"{login}\noffered for {enrolment}"


def _bound(login: str) -> bytes:
    return b"acl-engine totp seed v1\n" + login.encode()
