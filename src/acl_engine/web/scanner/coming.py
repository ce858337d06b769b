"""How people come to the scanner page: by the central login, as to any application.

    (1) no visit      the browser is sent to log in, to come back to an address made for it alone
    (2) the ticket    comes back with that address; both are used up
    (3) a visit       speaks for the person, while their session lives

INVARIANTS
- A ticket counts in the browser that went to fetch it: nobody is led into another one's session.
- A form counts once, for the browser that it was given to, and comes from our own page.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import (
    AccessDenied,
    FormRefused,
    InputError,
    SessionDead,
    TicketRefused,
)
from acl_engine.domain.text import Text
from acl_engine.web import cookies
from acl_engine.web.cross_site import check_site
from acl_engine.web.parameters import Parameters, Work
from acl_engine.web.problems import Refused
from acl_engine.web.scanner.pages import PREFIX, At, refused, standing

STALE = Text(
    "scanner.stale",
    "这一页已提交过或已过期，没有再执行一次",
    "this page was sent before or is too old: nothing was done again",
    "返回后重试",
    "go back and try again",
)
NOT_COME = Text(
    "scanner.not-come",
    "登录没有完成，或不是从本浏览器发起",
    "the login was not finished, or was not begun in this browser",
    "重新打开巴枪页面",
    "open the scanner page again",
)
Page = Callable[[At, Parameters], Response]


class Coming:
    """Who stands at the page; used by every handler."""

    def __init__(self, service: Service, access: Access) -> None:
        self._service, self._access = service, access
        self._login = service.central.login

    def by(self, work: Page) -> Work:
        """A handler for people who are logged in; the others are sent to log in."""

        def handler(request: Request, given: Parameters) -> Response:
            try:
                who, token = self._access.visitor(cookies.visit_of(request))
            except SessionDead:
                return self._to_login(request)
            browser = cookies.browser_of(request)
            if browser is None:
                return self._to_login(request)
            form = self._login.form(browser)
            at = standing(request, self._service.pack, who, token, form)
            return self._worked(at, given, browser, work)

        return handler

    def enter(self, request: Request, given: Parameters) -> Response:
        """Back from the central login with a ticket."""
        state, ticket = given.text("state"), given.text("ticket")
        try:
            self._login.use_form(state, cookies.browser_of(request) or "")
            token = self._access.come(ticket, self._home(state))
        except (FormRefused, TicketRefused, SessionDead):
            raise Refused(403, NOT_COME.of()) from None
        response = _away(f"{PREFIX}/")
        cookies.set_visit(response, token)
        return response

    def farewell(self, request: Request, given: Parameters) -> Response:
        """Single logout: a visit dies with its person's session, so there is nothing to do."""
        return Response(status_code=204)

    def login_address(self, form: str, *, renew: bool = False) -> str:
        """Where to log in, anew if so, to come back here. `form`: of this browser."""
        more = {"renew": "true"} if renew else {}
        return f"/cas/login?{urlencode({'service': self._home(form), **more})}"

    def _worked(self, at: At, given: Parameters, browser: str, work: Page) -> Response:
        try:
            if at.request.method == "POST":
                check_site(at.request)
                self._login.use_form(given.text("form"), browser)
            return work(at, given)
        except FormRefused:
            return refused(at, InputError(STALE.of()), 409)
        except AccessDenied as denied:
            return refused(at, denied, 403)
        except InputError as wrong:
            return refused(at, wrong, 422)

    def _to_login(self, request: Request) -> Response:
        browser = cookies.browser_of(request)
        held = browser or cookies.new_browser()
        response = _away(self.login_address(self._login.form(held)))
        if browser is None:
            cookies.set_browser(response, held)
        return response

    def _home(self, state: str) -> str:
        return f"{self._service.address}{PREFIX}/enter?state={state}"


def _away(url: str) -> Response:
    return RedirectResponse(url, 303)
