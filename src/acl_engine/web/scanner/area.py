"""The scanner page's routes, all below /scanner. It is an application of the central login: it
works once it is registered there (`acl service add`), and not before."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.service import Service
from acl_engine.web.mounted import below
from acl_engine.web.parameters import reading
from acl_engine.web.scanner.coming import Coming
from acl_engine.web.scanner.desk import Desk
from acl_engine.web.scanner.menu import PARCEL
from acl_engine.web.scanner.pages import PREFIX


def routes(service: Service, access: Access) -> Sequence[BaseRoute]:
    """None for a company without parcels."""
    if PARCEL not in service.pack.resources:
        return []
    coming = Coming(service, access)
    desk = Desk(service, coming)
    pages = (("/", desk.load), ("/scan", desk.scan), ("/cases", desk.cases))
    forms = (
        ("/look", desk.look),
        ("/dial", desk.dial),
        ("/act", desk.act),
        ("/ask", desk.ask),
        ("/answer", desk.answer),
    )
    found: list[BaseRoute] = [
        Route("/enter", reading(coming.enter), methods=["GET"]),
        Route("/enter", reading(coming.farewell), methods=["POST"]),
        *(Route(path, reading(coming.by(work)), methods=["GET"]) for path, work in pages),
        *(Route(path, reading(coming.by(work)), methods=["POST"]) for path, work in forms),
        # Somebody went back, or sent a form while their session was over: the first page.
        *(Route(path, _first, methods=["GET"]) for path, _ in forms),
    ]
    return below(PREFIX, found)


async def _first(request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", 303)
