"""How a synthetic world's secrets are stored, from its seed: known to all, so for nobody real."""

from functools import cache
from hashlib import sha256

from acl_engine.bootstrap.keys import Keys
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.totp import Totp
from acl_engine.replay.world.build import Sealing
from acl_engine.storage.payload import phone_index

_SALT_BYTES, _NONCE_BYTES = 16, 12


def synthetic_sealing(seed: str, passwords: Passwords | None = None) -> Sealing:
    """The sealing under the keys that `Engine` uses for a synthetic world of this seed.

    The same seed gives the same bytes, so salts and nonces come from the seed too.
    """
    keys = Keys.synthetic(seed)
    hasher, totp = passwords or Passwords.synthetic(), Totp(keys.totp)

    def drawn(purpose: str, word: str, size: int) -> bytes:
        return sha256(f"{seed}\x1f{purpose}\x1f{word}".encode()).digest()[:size]

    return Sealing(
        # The same text hashes to the same here: once is enough, for however many logins and builds.
        password=cache(lambda text: hasher.hash(text, salt=drawn("salt", text, _SALT_BYTES))),
        totp=lambda login, secret: totp.seal(
            login, secret, nonce=drawn("nonce", login, _NONCE_BYTES)
        ),
        index=lambda phone: phone_index(keys.index, phone),
    )
