"""Signing a request to Tencent Cloud: TC3-HMAC-SHA256, as its API documentation has it (signature
method v3). Content type and host are signed, and the body through its hash."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

JSON = "application/json; charset=utf-8"
_METHOD, _LAST, _SIGNED = "TC3-HMAC-SHA256", "tc3_request", "content-type;host"


def authorization(secret_id: str, secret: str, endpoint: str, body: bytes, at: int) -> str:
    """The header `Authorization` of a POST of JSON to `/` of `endpoint`, `at` epoch seconds.

    The service is the first part of the host's name.
    """
    host = urlsplit(endpoint).netloc
    service = host.split(".")[0]
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/{_LAST}"
    heads = f"content-type:{JSON}\nhost:{host}\n"
    request = "\n".join(("POST", "/", "", heads, _SIGNED, _hash(body)))
    said = "\n".join((_METHOD, str(at), scope, _hash(request.encode())))
    key = f"TC3{secret}".encode()
    for part in (day, service, _LAST):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, said.encode(), "sha256").hex()
    return (
        f"{_METHOD} Credential={secret_id}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
