"""Judicial requests as an application calls them, and the seal that only the authority opens.

The seal is HPKE (RFC 9180) in base mode: X25519, HKDF-SHA256, AES-256-GCM; the case is bound in as
its `info`. Any implementation of the RFC opens it.
"""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from acl_engine.domain.errors import InputError
from acl_engine.domain.judicial import Delivered, Disclosures, Entry
from acl_engine.domain.pack_settings import Authority
from acl_engine.domain.request import Action, Query
from acl_engine.domain.text import Text
from acl_engine.enforcement.acts import Acted
from acl_engine.enforcement.door import Door
from acl_engine.enforcement.judicial import ask_disclosure, disclose

SCHEMA = "acl-sealed/1"
SUITE = "HPKE base, X25519, HKDF-SHA256, AES-256-GCM"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

NOT_SEALED = Text(
    "judicial.not-sealed",
    "这不是密封的协查结果",
    "this is no sealed result",
    "取 acl judicial deliver 写出的文件",
    "take the file that acl judicial deliver wrote",
)
OTHER_KEY = Text(
    "judicial.other-key",
    "私钥打不开这份结果",
    "the private key does not open this result",
    "它是为另一把密钥密封的，或在途中被改动",
    "it was sealed for another key, or changed on its way",
)
BAD_KEY = Text(
    "judicial.bad-key",
    "密钥不是 32 字节的 X25519 密钥（base64）",
    "the key is no X25519 key of 32 bytes in base64",
    "用 acl judicial keygen 生成",
    "make one with acl judicial keygen",
)


class Judicial:
    """The desk of judicial requests over one engine."""

    def __init__(self, door: Door, register: Disclosures) -> None:
        """Use `Engine.judicial`."""
        self._door, self._register = door, register

    def ask(self, token: str, query: Query) -> Acted:
        """Ask for one disclosure; `made` is the case. See `enforcement.judicial`."""
        return ask_disclosure(self._door, token, query)

    def deliver(self, token: str, query: Query, case: str) -> Delivered:
        """The sealed result, once, for exactly what `case` was given for."""
        return disclose(self._door, token, query, case, seal, self._register)

    def register(self) -> tuple[Entry, ...]:
        """Every request and what became of it, the newest first. No clear value of a record."""
        return self._register.register()


def request(key: str, fields: tuple[str, ...], purpose: str, paper: dict[str, str]) -> Query:
    """The query of a judicial request; `paper`: document, image, officers, authority."""
    return Query(Action.DISCLOSE, "waybill", key, fields=fields, purpose=purpose, params=paper)


def new_key() -> tuple[str, str]:
    """A key pair for an authority: (private, public), base64."""
    private = X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def seal(public: str, case: str, plain: bytes) -> bytes:
    """A sealed result as a JSON document. Raises InputError for what is no key."""
    try:
        key = X25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        sealed = _SUITE.encrypt(plain, key, info=_info(case))
    except ValueError:
        raise InputError(BAD_KEY.of()) from None
    fingerprint = Authority(public, "", "").fingerprint
    document = {"schema": SCHEMA, "suite": SUITE, "key": fingerprint, "case": case}
    return json.dumps(document | {"sealed": _text(sealed)}, indent=1).encode()


def opened(private: str, body: bytes) -> bytes:
    """What a sealed result holds, for the authority's private key. Raises InputError."""
    try:
        key = X25519PrivateKey.from_private_bytes(base64.b64decode(private.strip(), validate=True))
    except ValueError:
        raise InputError(BAD_KEY.of()) from None
    case, sealed = _sealed(body)
    try:
        return _SUITE.decrypt(sealed, key, info=_info(case))
    except (InvalidTag, ValueError):
        raise InputError(OTHER_KEY.of()) from None


def _sealed(body: bytes) -> tuple[str, bytes]:
    try:
        document: dict[str, Any] = json.loads(body)
        if document["schema"] != SCHEMA:
            raise InputError(NOT_SEALED.of())
        return str(document["case"]), base64.b64decode(document["sealed"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise InputError(NOT_SEALED.of()) from None


def _info(case: str) -> bytes:
    return f"{SCHEMA} {case}".encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
