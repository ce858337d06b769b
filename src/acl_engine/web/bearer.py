"""A bearer token in a request (RFC 6750), and the one refusal for who has none that is good."""

import re

from starlette.requests import Request

from acl_engine.domain.text import Text
from acl_engine.web.heads import headers_of
from acl_engine.web.problems import Refused

NO_TOKEN = Text(
    "api.no-token",
    "需要有效的令牌",
    "a good bearer token is needed",
    "以 `Authorization: Bearer ...` 给出",
    "give it as `Authorization: Bearer ...`",
)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")


def bearer(request: Request) -> str:
    """The token after the word; '' for none."""
    return token_of(headers_of(request.scope).get(b"authorization", b""))


def token_of(credential: bytes) -> str:
    """The same of the header alone."""
    scheme, _, token = credential.decode("latin-1").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else ""


def unknown() -> Refused:
    return Refused(401, NO_TOKEN.of(), WWW_Authenticate="Bearer")
