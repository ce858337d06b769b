"""Signed notes (C2SP signed-note) with Ed25519, and witness cosignatures (C2SP tlog-cosignature).

INVARIANTS
- A note's text is used only after a signature of a trusted key over it was verified.
- A bad signature of a known key refuses the whole note; signatures of unknown keys are ignored.
- A key is bound to its name and to its signature type: the suite stands in the key itself.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

ED25519 = 0x01
COSIGNATURE = 0x04
# Bounds what an attacker makes us verify (the C2SP text allows a limit on signatures).
MOST_SIGNATURES = 100
_DASH = "\u2014 "

BAD_NOTE = Text(
    "audit.bad-note",
    "签名文本无效：{why}",
    "not a valid signed note: {why}",
    "向日志方索取原件",
    "ask the log for the original",
)
BAD_KEY = Text(
    "audit.bad-vkey",
    "验证公钥不可读",
    "the verifier key cannot be read",
    "写作 名称+八位十六进制+base64",
    "write it as name+8 hex digits+base64",
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name and signature type (ED25519 or COSIGNATURE)."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that a signature line names its key by."""
        text = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(text).digest()[:4]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """The key of its text form (a vkey). Raises InputError."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            key = cls(name, raw[0], raw[1:])
            good = name and key.id.hex() == key_id and key.kind in (ED25519, COSIGNATURE)
        except (ValueError, IndexError):
            good = False
        if not good or len(key.public) != 32:
            raise InputError(BAD_KEY.of())
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """The time of a cosignature (epoch seconds), None for a plain one. Raises InputError."""
        message, when = text.encode(), None
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                raise InputError(BAD_NOTE.of(why=f"the signature of {self.name}"))
            when = int(struct.unpack(">Q", signature[:8])[0])
            message, signature = _cosigned(text, when), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise InputError(BAD_NOTE.of(why=f"the signature of {self.name}")) from None
        return when


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name and signature type."""

    name: str
    seed: bytes = field(repr=False)
    kind: int = ED25519

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, self._key.public_key().public_bytes_raw())

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def line(self, text: str, now: int = 0) -> str:
        """The signature line over a text. `now` (epoch seconds) is in a cosignature alone."""
        if self.kind == COSIGNATURE:
            signature = struct.pack(">Q", now) + self._key.sign(_cosigned(text, now))
        else:
            signature = self._key.sign(text.encode())
        blob = base64.b64encode(self.verifier.id + signature).decode()
        return f"{_DASH}{self.name} {blob}\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified text, and by whom it is signed: key and cosignature time."""

    text: str
    by: tuple[tuple[Verifier, int | None], ...]


def sign(text: str, signers: Sequence[Signer], now: int = 0) -> str:
    """A note: the text, an empty line, a line for each signer. Raises InputError for a bad text."""
    control = any(ord(sign) < 0x20 and sign != "\n" for sign in text)
    if not text.endswith("\n") or "\n\n" in text or control or len(text) < 2:
        raise InputError(BAD_NOTE.of(why="the text"))
    return text + "\n" + "".join(signer.line(text, now) for signer in signers)


def open_note(note: str, verifiers: Sequence[Verifier]) -> Opened:
    """The text and its trusted signatures. Raises InputError without one, or with a bad one."""
    text, lines = _parts(note)
    known = {(key.name, key.id): key for key in verifiers}
    by: dict[tuple[str, bytes], tuple[Verifier, int | None]] = {}
    for name, key_id, signature in lines:
        key = known.get((name, key_id))
        if key is not None and (name, key_id) not in by:
            by[name, key_id] = (key, key.verify(text, signature))
    if not by:
        raise InputError(BAD_NOTE.of(why="no trusted key has signed it"))
    return Opened(text, tuple(by.values()))


def unverified_text(note: str) -> str:
    """The text of a note whose signatures nobody has looked at: for messages alone."""
    return _parts(note)[0]


def _parts(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    at = note.rfind("\n\n")
    if at < 1 or not note.endswith("\n"):
        raise InputError(BAD_NOTE.of(why="its form"))
    lines = note[at + 2 :].splitlines()
    if not 0 < len(lines) <= MOST_SIGNATURES:
        raise InputError(BAD_NOTE.of(why="the number of signatures"))
    return note[: at + 1], [_line(line) for line in lines]


def _line(line: str) -> tuple[str, bytes, bytes]:
    try:
        dash, name, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error):
        raise InputError(BAD_NOTE.of(why="a signature line")) from None
    if dash + " " != _DASH or not name or len(raw) < 5:
        raise InputError(BAD_NOTE.of(why="a signature line"))
    return name, raw[:4], raw[4:]


def _cosigned(text: str, now: int) -> bytes:
    return f"cosignature/v1\ntime {now}\n{text}".encode()
