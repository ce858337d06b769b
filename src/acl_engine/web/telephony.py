"""Where the telephone vendor reports of calls that have ended. There is nothing here without one.

(1) address   one that this company made, not run out; any other is no address at all
(2) body      JSON of the vendor's published shape, a few kilobytes
(3) keep      once a call; the answer is empty, as the vendor asks
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.tencent_reports import PATH, NppReport
from acl_engine.web.api import json_body
from acl_engine.web.problems import NOT_FOUND, Refused

PREFIX = PATH.rstrip("/")
BODY_BYTES = 4096
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


def routes(service: Service) -> list[BaseRoute]:
    """The route, where a vendor is chosen and reaches this service by `serve.public_url`."""
    reports = service.reports
    if reports is None:
        return []

    async def npp(request: Request) -> Response:
        of = reports.known(request.path_params["address"])
        if of is None or request.method != "POST":
            raise Refused(404, NOT_FOUND.of())
        media = request.headers.get("content-type", "").encode("latin-1")
        report = json_body.read(media, await request.body(), NppReport)
        await run_in_threadpool(reports.take, of, report)
        return Response(media_type="text/plain")

    # Every method: one that is refused as such would tell that there is something at the address.
    return [Route(f"{PATH}{{address}}", npp, methods=_METHODS)]
