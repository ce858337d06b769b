"""Sealing one payload: AES-256-GCM under a key of its own, which a data key wraps.

INVARIANTS
- A record key seals one version of one payload; a new version gets a new key. So no nonce repeats.
- Payload and wrapping are bound to suite, table and row (additional data): moved to another row,
  neither opens.
- A data key wraps with random 96-bit nonces: fewer than 2^32 wrappings each (NIST SP 800-38D,
  8.3). Rotate long before; `acl keys list` counts.
- Whatever does not open raises StoreError. Nothing is read unauthenticated.
"""

import os
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from acl_engine.domain.errors import StoreError
from acl_engine.domain.keeping import RecordKey
from acl_engine.domain.text import Text
from acl_engine.storage.payload import pack_fields, unpack_fields

# RFC 7518 names it. SM4-GCM (GB/T 32907, RFC 8998) would be a second name beside it.
SUITE = "A256GCM"
KEY_BYTES, NONCE_BYTES = 32, 12

BROKEN = Text(
    "store.seal-broken",
    "表 `{store}` 中有一行打不开：被改动，或不属于此处",
    "a row of `{store}` does not open: it was changed, or is not from here",
    "核对审计日志与备份",
    "compare with the audit log and a backup",
)
UNKNOWN_SUITE = Text(
    "store.unknown-suite",
    "表 `{store}` 使用未知的密码套件 `{suite}`",
    "`{store}` names an unknown cipher suite, `{suite}`",
    "升级程序",
    "upgrade this program",
)

Draw = Callable[[int], bytes]


def seal(
    data_key: AESGCM,
    generation: int,
    store: str,
    row: str,
    fields: Mapping[str, str],
    draw: Draw = os.urandom,
) -> tuple[bytes, RecordKey]:
    """The sealed payload of one row and its wrapped key. `draw` gives that many random bytes."""
    own = draw(KEY_BYTES)
    nonce = draw(NONCE_BYTES)
    payload = nonce + AESGCM(own).encrypt(nonce, pack_fields(fields), _bound(store, row))
    return payload, _wrap(data_key, own, generation, store, row, draw)


def unseal(data_key: AESGCM, key: RecordKey, payload: bytes) -> dict[str, str]:
    """The clear fields. Raises StoreError for anything that is not exactly what was sealed."""
    own = _unwrap(data_key, key)
    try:
        clear = AESGCM(own).decrypt(
            payload[:NONCE_BYTES], payload[NONCE_BYTES:], _bound(key.store, key.row)
        )
    except (InvalidTag, ValueError):
        raise StoreError(BROKEN.of(store=key.store)) from None
    return unpack_fields(clear)


def rewrap(old: AESGCM, new: AESGCM, key: RecordKey, generation: int) -> RecordKey:
    """The same record key under another data key; the payload stays as it is."""
    return _wrap(new, _unwrap(old, key), generation, key.store, key.row, os.urandom)


def _wrap(
    data_key: AESGCM, own: bytes, generation: int, store: str, row: str, draw: Draw
) -> RecordKey:
    nonce = draw(NONCE_BYTES)
    wrapped = nonce + data_key.encrypt(nonce, own, _bound(store, row, generation))
    return RecordKey(store, row, generation, SUITE, wrapped)


def _unwrap(data_key: AESGCM, key: RecordKey) -> bytes:
    if key.suite != SUITE:
        raise StoreError(UNKNOWN_SUITE.of(store=key.store, suite=key.suite))
    bound = _bound(key.store, key.row, key.generation)
    try:
        return data_key.decrypt(key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise StoreError(BROKEN.of(store=key.store)) from None


def _bound(store: str, row: str, generation: int = 0) -> bytes:
    return f"{SUITE}\x1f{store}\x1f{row}\x1f{generation}".encode()
