"""Routes below a prefix, without redirects of the framework's own.

Starlette sends who wrote a slash too many, or one too few, to an address made of the `Host` that
the caller named: a way out to anybody's site, with the query that may hold a ticket.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router


def below(prefix: str, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """The routes below `prefix`; the prefix alone leads to what stands at its slash."""

    async def home(_: Request) -> Response:
        return RedirectResponse(f"{prefix}/", 303)

    inner = Router(list(routes), redirect_slashes=False)
    return [Route(prefix, home, methods=["GET"]), Mount(prefix, app=inner)]
