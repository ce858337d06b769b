"""How a synthetic world's secrets are stored, from its seed: known to all, so for nobody real."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256, shake_256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from acl_engine.bootstrap.keys import Keys, LocalKeyService
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.totp import Totp
from acl_engine.replay.world.build import Sealing
from acl_engine.storage.payload import phone_index
from acl_engine.storage.sealing import KEY_BYTES, seal
from acl_engine.storage.vault import first_data_key

_SALT_BYTES, _NONCE_BYTES = 16, 12


def synthetic_sealing(seed: str, passwords: Passwords | None = None) -> Sealing:
    """The sealing under the keys that `Engine` uses for a synthetic world of this seed.

    The same seed gives the same bytes, so salts and nonces come from the seed too.
    """
    keys = Keys.synthetic(seed)
    hasher, totp = passwords or Passwords.synthetic(), Totp(keys.totp)

    def drawn(purpose: str, word: str, size: int) -> bytes:
        return sha256(f"{seed}\x1f{purpose}\x1f{word}".encode()).digest()[:size]

    service = LocalKeyService(keys.wrapping, lambda size: drawn("nonce", "data-key", size))
    data_key = drawn("data-key", "1", KEY_BYTES)
    wrapping = AESGCM(data_key)

    def record(
        table: str, row: object, fields: Mapping[str, str]
    ) -> tuple[bytes, tuple[object, ...]]:
        # The key's 32 bytes and two nonces of 12, in the order in which `seal` asks for them.
        stream = shake_256(f"{seed}\x1f{table}\x1f{row}".encode()).digest(56)
        parts = iter((stream[:32], stream[32:44], stream[44:]))
        payload, key = seal(wrapping, 1, table, str(row), fields, lambda size: next(parts))
        return payload, (key.store, key.row, key.generation, key.suite, key.wrapped)

    return Sealing(
        # The same text hashes to the same here: once is enough, for however many logins and builds.
        password=cache(lambda text: hasher.hash(text, salt=drawn("salt", text, _SALT_BYTES))),
        totp=lambda login, secret: totp.seal(
            login, secret, nonce=drawn("nonce", login, _NONCE_BYTES)
        ),
        index=lambda phone: phone_index(keys.index, phone),
        record=record,
        data_key=first_data_key(service, data_key, 0),
    )
