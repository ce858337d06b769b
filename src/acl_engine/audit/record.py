"""The canonical bytes of one audit record, and their RFC 6962 leaf hash.

Field order is fixed by the type and defaults are written out, so that equal entries have equal
bytes in every version that knows the same fields.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text

# C2SP tlog-tiles writes an entry's length in 16 bits.
MAX_BYTES = 65_535

TOO_LARGE = Text(
    "audit.too-large",
    "审计记录超过 65535 字节",
    "the audit record is larger than 65,535 bytes",
    "请缩小一次查询的页数",
    "ask for a smaller page",
)
UNREADABLE = Text(
    "audit.unreadable",
    "审计记录 `{index}` 不可读",
    "audit record `{index}` cannot be read",
    "运行 `acl audit verify`",
    "run `acl audit verify`",
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AuditEntry)


def encode(entry: AuditEntry) -> bytes:
    """The bytes that are stored and hashed. Raises StoreError beyond 65,535 bytes."""
    body = _encoder.encode(entry)
    if len(body) > MAX_BYTES:
        raise StoreError(TOO_LARGE.of())
    return body


def decode(body: bytes, index: int = 0) -> AuditEntry:
    """The entry of stored bytes. Raises StoreError naming the record."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        raise StoreError(UNREADABLE.of(index=index)) from None


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256 over 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + body).digest()


def leaf_hashes(bodies: Iterable[bytes]) -> list[bytes]:
    """The same of many: copying a hash that has begun takes less than beginning each anew."""
    begun, hashes = hashlib.sha256(b"\x00").copy, list[bytes]()
    for body in bodies:
        one = begun()
        one.update(body)
        hashes.append(one.digest())
    return hashes
