"""The API's routes, from its table of operations; and the document that describes them.

(1) body      JSON that fits its type, or a problem
(2) token     one, if the operation wants one
(3) work      in a thread: the engine's own line, with its record
(4) answer    JSON, or the one place where errors become problems

A decision alone is answered by `evaluating`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.service import Service
from acl_engine.web.api import evaluating, json_body
from acl_engine.web.api.openapi import document
from acl_engine.web.api.operations import OPERATIONS, Operation
from acl_engine.web.api.session import Asking, worked
from acl_engine.web.bearer import bearer, unknown
from acl_engine.web.heads import headers_of

CONFIGURATION = "/.well-known/authzen-configuration"


def routes(service: Service, access: Access) -> list[BaseRoute]:
    """One route for each operation, the document, and AuthZEN's metadata."""
    asking = Asking(service.engine, service.central, access, "")
    found: list[BaseRoute] = [
        Route(one.path, _endpoint(one, one.work, asking), methods=["POST"])
        for one in OPERATIONS
        if one.work is not None
    ]
    found.append(evaluating.route(access.evaluations))
    about = msgspec.json.encode(document())
    metadata = msgspec.json.encode(
        {
            "policy_decision_point": service.address,
            "access_evaluation_endpoint": f"{service.address}/access/v1/evaluation",
        }
    )
    return [
        *found,
        Route("/openapi.json", _fixed(about)),
        Route(CONFIGURATION, _fixed(metadata)),
    ]


def _endpoint(
    one: Operation, work: Callable[[Asking, Any], Any], asking: Asking
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        token = bearer(request)
        if one.bearer != "nobody" and not token:
            raise unknown()
        media = headers_of(request.scope).get(b"content-type", b"")
        body = json_body.read(media, await request.body(), one.takes) if one.takes else None
        mine = replace(asking, token=token)
        return _answer(request, await run_in_threadpool(worked, lambda: work(mine, body)))

    return endpoint


def _answer(request: Request, given: Any) -> Response:
    if given is None:
        answer = Response(status_code=204)
    else:
        answer = Response(msgspec.json.encode(given), 200, media_type=json_body.MEDIA)
    answer.raw_headers += json_body.own_number(headers_of(request.scope))
    return answer


def _fixed(body: bytes) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return endpoint
