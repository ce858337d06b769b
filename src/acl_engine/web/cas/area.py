"""The central login's routes, all below /cas."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.central import Central
from acl_engine.web.cas import saml
from acl_engine.web.cas.login import LoginPages
from acl_engine.web.cas.logout import LogoutPage
from acl_engine.web.cas.pages import away
from acl_engine.web.cas.step_up import StepUpPage
from acl_engine.web.cas.validate import plain_no, plainly, proxying, unreadable, validating
from acl_engine.web.mounted import below
from acl_engine.web.parameters import Parameters, reading
from acl_engine.web.problems import Refused

PREFIX = "/cas"
BOTH = ["GET", "POST"]


def routes(central: Central, issuer: str) -> Sequence[BaseRoute]:
    """`issuer`: this server's address as people see it, for SAML."""
    login, logout = LoginPages(central.login), LogoutPage(central)
    step_up = StepUpPage(central.login)
    validation = central.validation
    found: list[BaseRoute] = [
        Route("/login", reading(login.ask), methods=["GET"]),
        Route("/login", reading(login.take), methods=["POST"]),
        Route("/confirm", reading(login.confirm), methods=["POST"]),
        Route("/step-up", reading(step_up.ask), methods=["GET"]),
        Route("/step-up", reading(step_up.take), methods=["POST"]),
        Route("/logout", reading(logout.leave), methods=BOTH),
        Route("/validate", reading(plainly(validation), plain_no), methods=BOTH),
        Route("/proxy", reading(proxying(validation), unreadable("proxyFailure")), methods=BOTH),
        Route("/samlValidate", _saml(central, issuer), methods=["POST"]),
        Route("/", _home),
    ]
    for path, proxies, attributes in (
        ("/serviceValidate", False, False),
        ("/proxyValidate", True, False),
        ("/p3/serviceValidate", False, True),
        ("/p3/proxyValidate", True, True),
    ):
        work = validating(validation, proxies=proxies, attributes=attributes)
        endpoint = reading(work, unreadable("authenticationFailure"))
        found.append(Route(path, endpoint, methods=BOTH))
    return below(PREFIX, found)


async def _home(request: Request) -> Response:
    return away(f"{PREFIX}/login")


def _saml(central: Central, issuer: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            query = Parameters.of_query(request)
            target = query.text("TARGET")
        except Refused:
            target = ""
        return await run_in_threadpool(
            saml.answer, central.validation, issuer, request, target, body
        )

    return endpoint
