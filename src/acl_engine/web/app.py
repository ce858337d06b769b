"""The application: areas of routes put together, with the same layers around all of them.

    Outermost     request id, security headers, log line, errors to answers
    BodyLimits    parameters, body bytes, slow bodies, requests at work
    Exact         the handler of a path without parameters
    areas         health; central login; whatever else is mounted: each a list of routes

An area is added to `areas_of`, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import AclError
from acl_engine.web import enrolment, health, scim, styles, telephony
from acl_engine.web.api import area as api
from acl_engine.web.cas import area as cas
from acl_engine.web.heads import Exact
from acl_engine.web.limits import BodyLimits
from acl_engine.web.metrics import Metrics
from acl_engine.web.outermost import Observer, Outermost
from acl_engine.web.problems import respond
from acl_engine.web.scanner import area as scanner


@dataclass(frozen=True, slots=True)
class Area:
    """One part of the application. `body_bytes`: the most below `prefix`, if not the settings'."""

    name: str
    routes: Sequence[BaseRoute]
    prefix: str = ""
    body_bytes: int | None = None


@dataclass
class Life:
    """What changes while the process lives: it is set to drain once, before it stops."""

    draining: bool = False


def areas_of(service: Service, life: Life, metrics: Metrics) -> list[Area]:
    """Every area of the service."""
    access = Access(service)
    # Tried in this order, so what is asked most often comes first.
    return [
        Area("lookup", api.routes(service, access)),
        Area("health", health.routes(service.check, lambda: life.draining)),
        Area("style", styles.routes),
        Area("central login", cas.routes(service.central, service.address), cas.PREFIX),
        Area("enrolment", enrolment.routes(service)),
        Area("metrics", metrics.routes(access)),
        Area("scanner", scanner.routes(service, access)),
        Area("telephony", telephony.routes(service), telephony.PREFIX, telephony.BODY_BYTES),
        Area("scim", scim.routes(service), scim.PREFIX, scim.BODY_BYTES),
    ]


def application(
    service: Service, life: Life | None = None, observers: Sequence[Observer] = ()
) -> ASGIApp:
    """The ASGI application over an opened service."""
    metrics = Metrics(service.lookout.age)
    areas = areas_of(service, life or Life(), metrics)
    return compose(areas, service, (metrics.observe, *observers))


def compose(areas: Sequence[Area], service: Service, observers: Sequence[Observer] = ()) -> ASGIApp:
    """Areas with the layers around them; for `application` and for tests of one area."""
    routes = [route for area in areas for route in area.routes]
    inner = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _raised, AclError: _raised, Exception: _raised},
    )
    inner.router.redirect_slashes = False  # see `mounted`
    bodies = {area.prefix: area.body_bytes for area in areas if area.body_bytes is not None}
    limited = BodyLimits(Exact(inner, routes), service.settings.limits, bodies)
    return Outermost(limited, observers)


async def _raised(request: Request, error: Exception) -> Response:
    return respond(request, error)
