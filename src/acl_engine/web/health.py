"""Health and readiness: is the process alive, and can it answer.

`/healthz` asks nothing of anybody: a process that answers is alive. `/readyz` asks the database and
says no while the service drains, so that a balancer sends no one here any more. Neither tells
a stranger more than that.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from acl_engine.domain.errors import AclError


def routes(check: Callable[[], None], draining: Callable[[], bool]) -> list[Route]:
    """`check` raises AclError while requests cannot be answered."""

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "alive"}, headers=_FRESH)

    def ready(request: Request) -> Response:
        if draining():
            return JSONResponse({"status": "draining"}, 503, _FRESH)
        try:
            check()
        except AclError as error:
            return JSONResponse({"status": "not-ready", "code": error.message.code}, 503, _FRESH)
        return JSONResponse({"status": "ready"}, headers=_FRESH)

    return [Route("/healthz", health), Route("/readyz", ready)]


_FRESH = {"Cache-Control": "no-store"}
