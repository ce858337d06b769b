"""The headers of a request, read once for all layers; and the way to a handler by its exact path.

Starlette tries one pattern after the other, and a request object for each layer reads all headers
again. Most of what is asked here has a path without parameters.
"""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_HEADERS = "acl.headers"


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """By name, in lower case; of several the first, as Starlette reads them."""
    found: dict[bytes, bytes] | None = scope.get(_HEADERS)
    if found is None:
        found = scope[_HEADERS] = dict(reversed(scope["headers"]))
    return found


class Exact:
    """The middleware: routes without parameters by a look into a table, all others by `app`.

    What a handler raises here goes to whoever is outside, as it is: `Outermost` answers it.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._known: dict[tuple[str, str], Route] = {}
        for one in routes:
            if not isinstance(one, Route):
                continue
            if one.param_convertors:
                break  # what stands behind it may be meant for it
            for method in one.methods or ():
                self._known.setdefault((method, one.path), one)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = None
        if scope["type"] == "http":
            route = self._known.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, {}
        await route.app(scope, receive, send)
