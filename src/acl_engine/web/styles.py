"""The one style sheet, from memory."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_SHEET = (files("acl_engine.web") / "templates" / "acl.css").read_bytes()


async def sheet(request: Request) -> Response:
    return Response(_SHEET, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


routes = [Route("/acl.css", sheet)]
