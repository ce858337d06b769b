"""Trusted time stamps on checkpoints (RFC 3161): the request, and what an answer proves.

What is stamped is a checkpoint's text, which names origin, size and root: no signature in it, so
that a cosignature that comes later changes nothing. ASN.1, CMS and certificate chains are read and
verified by `rfc3161-client`, over `cryptography` and its own Rust; none of it is ours.

INVARIANTS
- An answer counts only if a chain of certificates leads from its signature to a root that the
  verifier brought along, and the signing certificate is for time stamping.
- The answer to a request of ours must carry that request's nonce.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from acl_engine.audit.report import Stamp
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.text import Text

NO_LIBRARY = Text(
    "stamp.no-library",
    "缺少时间戳库",
    "the library for time stamps is not installed",
    "运行 pip install 'acl-engine[timestamps]'",
    "run pip install 'acl-engine[timestamps]'",
)
BAD_ANSWER = Text(
    "stamp.bad-answer",
    "时间戳应答不成立：{why}",
    "the time stamp does not hold: {why}",
    "核对时间戳机构的根证书与所戳的检查点",
    "check the authority's root certificate, and which checkpoint was stamped",
)
BAD_ROOT = Text(
    "stamp.bad-root",
    "根证书文件不可读",
    "the file of root certificates cannot be read",
    "应为 PEM 格式的证书",
    "it holds certificates in PEM",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in DER, as it is sent to the authority, and the nonce that its answer carries."""

    der: bytes
    nonce: int


def request(text: str) -> Asked:
    """The request to stamp a checkpoint's text. Raises ConfigError without the library."""
    library = _library()
    builder = library.TimestampRequestBuilder(text.encode(), library.HashAlgorithm.SHA256)
    made = builder.build()
    return Asked(made.as_bytes(), int(made.nonce or 0))


def roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises InputError."""
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise InputError(BAD_ROOT.of()) from None
    return found


def check(
    answer: bytes,
    text: str,
    trusted: Sequence[x509.Certificate],
    size: int,
    nonce: int | None = None,
) -> Stamp:
    """What an answer proves of a checkpoint's text and size. Raises InputError, ConfigError."""
    library = _library()
    builder = library.VerifierBuilder(roots=list(trusted), nonce=nonce)
    try:
        response = library.decode_timestamp_response(answer)
        builder.build().verify_message(response, text.encode())
        at = response.tst_info.gen_time
    except (library.VerificationError, ValueError) as error:
        raise InputError(BAD_ANSWER.of(why=_plain(error))) from None
    return Stamp(size, int(at.timestamp() * 1000), token(answer))


def token(answer: bytes) -> str:
    """The digest under which a stamp is named in the log: nobody knew it before the stamp."""
    return hashlib.sha256(answer).hexdigest()


def _plain(error: Exception) -> str:
    return (str(error).splitlines() or ["?"])[0][:120]


def _library() -> Any:
    """Loaded when it is needed: whoever stamps nothing needs no such library."""
    try:
        import rfc3161_client
    except ModuleNotFoundError:
        raise ConfigError(NO_LIBRARY.of()) from None
    return rfc3161_client
