"""The API's routes, from its table of operations; and the document that describes them.

(1) body      JSON that fits its type, or a problem
(2) token     one, if the operation wants one
(3) work      in a thread: the engine's own line, with its record; what is known already, at once
(4) answer    JSON, or the one place where errors become problems
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import InputError, SessionDead, TicketRefused
from acl_engine.domain.text import Text
from acl_engine.storage.unchanged import NotKept
from acl_engine.web.api import json_body
from acl_engine.web.api.openapi import document
from acl_engine.web.api.operations import OPERATIONS, Operation
from acl_engine.web.api.session import Asking
from acl_engine.web.bearer import bearer, unknown
from acl_engine.web.problems import Refused

NO_TICKET = Text(
    "api.no-ticket",
    "票据无效，或不是为本接口签发",
    "the ticket is not good, or was not made for this interface",
    "重新登录取得新票据",
    "get a new one from the central login",
)
CONFIGURATION = "/.well-known/authzen-configuration"
# AuthZEN 1.0, section 10.1.3: a caller's own number comes back. One that could be a phone does not.
_NUMBER = re.compile(r"[0-9A-Fa-f-]{16,64}")


def routes(service: Service, access: Access) -> list[BaseRoute]:
    """One route for each operation, the document, and AuthZEN's metadata."""
    asking = Asking(service.engine, service.central, access, "")
    # Routes are tried in their order: what is asked most often, and costs least, comes first.
    often_first = sorted(OPERATIONS, key=lambda one: one.at_once is None)
    found: list[BaseRoute] = [
        Route(one.path, _endpoint(one, asking), methods=["POST"]) for one in often_first
    ]
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


def _endpoint(one: Operation, asking: Asking) -> Callable[[Request], Awaitable[Response]]:
    # Whoever waits for its turn finds what the one before has read: a change sends all of them to
    # the database at once, and threads that read the same would hold each other up.
    turn = asyncio.Lock()

    async def known_or_read(mine: Asking, body: Any) -> Any:
        assert one.at_once is not None
        with suppress(NotKept):
            return _worked(one.at_once, mine, body)
        async with turn:
            with suppress(NotKept):
                return _worked(one.at_once, mine, body)
            return await run_in_threadpool(_worked, one.work, mine, body)

    at_once = one.at_once is not None and asking.access.may_answer_at_once

    async def endpoint(request: Request) -> Response:
        token = bearer(request)
        if one.bearer != "nobody" and not token:
            raise unknown()
        taken = one.takes
        body = json_body.read(request, await request.body(), taken) if taken else None
        mine = replace(asking, token=token)
        if at_once:
            return _answer(request, await known_or_read(mine, body))
        return _answer(request, await run_in_threadpool(_worked, one.work, mine, body))

    return endpoint


def _worked(work: Callable[[Asking, Any], Any], asking: Asking, body: Any) -> Any:
    try:
        return work(asking, body)
    except InputError as wrong:
        raise Refused(422, wrong.message) from None
    except SessionDead:
        raise unknown() from None
    except TicketRefused:
        raise Refused(403, NO_TICKET.of()) from None


def _answer(request: Request, given: Any) -> Response:
    number = request.headers.get("x-request-id", "")
    headers = {"X-Request-Id": number} if _NUMBER.fullmatch(number) else {}
    if given is None:
        return Response(status_code=204, headers=headers)
    return Response(msgspec.json.encode(given), 200, headers, media_type=json_body.MEDIA)


def _fixed(body: bytes) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return endpoint
