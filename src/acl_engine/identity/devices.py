"""Device challenges: a nonce, issued to one device, signed once by its Ed25519 key.

The key was made on the device and does not leave it, so a password and a code alone, which can be
read out over the phone, do not make a session.
"""

import re
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from acl_engine.domain.accounts import LEGACY, Device, DeviceProof, IdentityStore
from acl_engine.identity.old_scanners import adapter_of

CHALLENGE_SECONDS = 120
DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# The y of every point of small order, in each encoding that is read (RFC 7748 and libsodium name
# them): under such a key anybody signs, as under the row of zeros that stands for "later".
_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
_NONCE_BYTES = 32


class Challenges:
    """Issues nonces and checks what comes back."""

    def __init__(self, store: IdentityStore) -> None:
        self._store = store

    def issue(self, device: str, now: int) -> str:
        """A nonce for the device, known or not: the answer tells nothing about it."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        self._store.put_challenge(nonce, device, now, now + CHALLENGE_SECONDS)
        return nonce

    def adopt(self, nonce: str, device: str, now: int) -> None:
        """Take up a nonce of ours that another room issued and has just used up: it was made for
        whoever answers, and is now this device's."""
        self._store.put_challenge(nonce, device, now, now + CHALLENGE_SECONDS)

    def check(self, proof: DeviceProof | None, now: int) -> Device | None:
        """The device that signed, or None. A good signature uses its nonce up; a bad one costs one
        read, so that a flood of them keeps no writer waiting."""
        if proof is None:
            return None
        device = self._store.device(proof.device)
        if device is None:
            return None
        # For a scanner that cannot hold a key its adapter signs, and for nothing else.
        signer = adapter_of(self._store, device) if device.device_class == LEGACY else device
        if signer is None or signer.public_key is None:
            return None
        try:
            key = Ed25519PublicKey.from_public_bytes(signer.public_key)
            key.verify(proof.signature, message(proof.device, proof.nonce))
        except (InvalidSignature, ValueError):
            return None
        return device if self._store.take_challenge(proof.nonce, proof.device, now) else None


def anybody_signs(key: bytes) -> bool:
    """Whether this public key is none: signatures for it are made without a private half."""
    return key[:-1] + bytes([key[-1] & 0x7F]) in _SMALL_ORDER


def message(device: str, nonce: str) -> bytes:
    """What a device signs. The first line keeps the signature from meaning anything else."""
    return f"acl-engine device challenge v1\n{device}\n{nonce}\n".encode()


def sign(key: Ed25519PrivateKey, device: str, nonce: str) -> DeviceProof:
    """The device's side: its answer to a challenge."""
    return DeviceProof(device, nonce, key.sign(message(device, nonce)))
