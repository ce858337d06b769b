"""/logout: ends the session, tells the applications, and goes nowhere that is not registered.

INVARIANTS
- The old `url` parameter is ignored (specification 2.3.1); `service` is gone to when registered.
- Logging out works whatever else is wrong with the request.
"""

from starlette.requests import Request
from starlette.responses import Response

from acl_engine.bootstrap.central import Central
from acl_engine.domain.errors import ServiceRefused
from acl_engine.web import cookies
from acl_engine.web.cas.pages import away, show
from acl_engine.web.parameters import Parameters


class LogoutPage:
    def __init__(self, central: Central) -> None:
        self._central = central

    def leave(self, request: Request, given: Parameters) -> Response:
        told = self._central.login.leave(cookies.session_token(request))
        if told:
            self._central.farewells.wake()
        url, refused = given.get("service"), False
        if url:
            try:
                self._central.login.service(url)
            except ServiceRefused:
                url, refused = None, True
        response = (
            away(url)
            if url
            else show(request, "signed_out.html.j2", given, told=told, refused=refused)
        )
        cookies.clear_session(response)
        return response
