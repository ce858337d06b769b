"""SCIM 2.0 below /scim/v2: provisioning by a service of the company's own (RFC 7644).

    (1) who       a bearer token of a service, for the purpose `scim` alone
    (2) secrets   no request carries a password: it is the person's own
    (3) protocol  the library reads it and calls `bootstrap.scim`

INVARIANTS
- Nothing but the capabilities is told to who shows no good token, and why it is not good to nobody.
- What failed on our side is one sentence and the request's id, as everywhere.
"""

import json
from typing import Any

from scim2_models import InvalidValueException, SCIMException, UnauthorizedException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.scim import ScimAccounts
from acl_engine.bootstrap.scim_access import ScimAccess
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import SessionDead
from acl_engine.identity.scim_schema import MOST_BULK_BYTES

PREFIX = "/scim/v2"
BODY_BYTES = MOST_BULK_BYTES
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
NUL = "the character U+0000 stands in no value"
NO_PASSWORD = "a password is its person's own: it is neither set nor changed here"  # noqa: S105


def routes(service: Service) -> list[BaseRoute]:
    """The one route: the protocol library knows the paths below it."""
    access = ScimAccess(service)
    protocol = ScimService(access.provider)
    address = service.settings.serve.public_url

    async def scim(request: Request) -> Response:
        body = await request.body()
        root = (address or str(request.base_url)).rstrip("/") + PREFIX
        return await run_in_threadpool(_answer, access, protocol, _asked(request, root, body))

    return [Route(f"{PREFIX}{{path:path}}", scim, methods=_METHODS)]


def _answer(access: ScimAccess, protocol: ScimService, asked: ScimRequest) -> Response:
    try:
        response = _served(access, protocol, asked)
    except SCIMException as refused:
        response = protocol.error_response(refused)
    return _sent(response)


def _served(access: ScimAccess, protocol: ScimService, asked: ScimRequest) -> ScimResponse:
    if protocol.match(asked).operation is Operation.service_provider_config:
        return protocol.service_provider_config(asked.url, asked.query)
    try:
        provisioning = access.provisioning(_bearer(asked))
    except SessionDead:
        raise UnauthorizedException(detail="a good service token is needed") from None
    _refuse_nul(asked)
    _refuse_passwords(asked.body)
    storage = ScimAccounts(provisioning, access.provider)
    return ScimHandler(protocol, storage).handle(asked)


def _asked(request: Request, root: str, body: bytes) -> ScimRequest:
    """`root`: where SCIM begins, as the caller sees it."""
    return ScimRequest(
        method=request.method,
        base_url=root,
        path=request.path_params["path"] or "/",
        query=dict(request.query_params),
        headers=request.headers.items(),
        body=body,
    )


def _sent(response: ScimResponse) -> Response:
    body = b"" if response.body is None else json.dumps(response.body, ensure_ascii=False).encode()
    media = response.headers.pop("Content-Type", SCIM_MEDIA_TYPE)
    return Response(body, int(response.status), response.headers, media_type=media)


def _bearer(asked: ScimRequest) -> str:
    """RFC 6750: the token after the word; '' is nobody's."""
    scheme, _, token = (asked.header("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refuse_nul(asked: ScimRequest) -> None:
    """No name holds the character, and PostgreSQL no text with it: the caller's mistake, not a
    failure of ours. In JSON and in a filter it can only stand as an escape."""
    texts = (asked.path, *asked.query.values())
    if b"\\u0000" in asked.body or any("\0" in one or "\\u0000" in one for one in texts):
        raise InvalidValueException(detail=NUL)


def _refuse_passwords(body: bytes) -> None:
    """Refused rather than dropped: whoever sends one must not believe that it holds."""
    if b"assword" not in body and b"ASSWORD" not in body:
        return
    try:
        found = _names_password(json.loads(body))
    except (ValueError, RecursionError):
        return  # no JSON: the protocol says so
    if found:
        raise InvalidValueException(detail=NO_PASSWORD)


def _names_password(value: Any) -> bool:
    """Whether a key is `password`, or a PATCH path leads to one."""
    if isinstance(value, dict):
        return any(
            str(key).rpartition(":")[2].lower() == "password"
            or (key == "path" and str(one).rpartition(":")[2].lower() == "password")
            or _names_password(one)
            for key, one in value.items()
        )
    return isinstance(value, list) and any(map(_names_password, value))
