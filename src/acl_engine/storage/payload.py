"""Personal fields as they are stored, and the keyed index by which a phone can be found.

The one place that knows how a payload is written: field encryption changes this file alone.
"""

import hmac
import json
import unicodedata
from collections.abc import Mapping

# +86 and 0086 are written before a mainland mobile number or not at all; both are one number.
_COUNTRY = ("0086", "86")
_MOBILE_DIGITS = 11
# Made once: `json.dumps` with options builds an encoder at every call.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pack_fields(fields: Mapping[str, str]) -> bytes:
    """The payload of one record's clear fields."""
    return _ENCODE(dict(fields)).encode()


def unpack_fields(payload: bytes) -> dict[str, str]:
    """The clear fields of a payload; what is empty is left out."""
    loaded = json.loads(payload)
    return {name: str(value) for name, value in loaded.items() if value not in (None, "")}


def phone_index(key: bytes, phone: str) -> str:
    """The keyed hash of a phone number: equal for every way of writing the same number.

    HMAC-SHA256 over the digits, hex. Full-width digits, spaces and the mainland country code make
    no difference; an extension does.
    """
    digits = phone
    if not (phone.isascii() and phone.isdigit()):
        digits = "".join(c for c in unicodedata.normalize("NFKC", phone) if c.isdigit())
    for prefix in _COUNTRY:
        if len(digits) == _MOBILE_DIGITS + len(prefix) and digits.startswith(prefix):
            digits = digits.removeprefix(prefix)
    return hmac.digest(key, b"phone\0" + digits.encode(), "sha256").hex()
