"""/login: asks for credentials, takes them, and sends people on to their applications.

INVARIANTS
- An application that is not registered is told to the person, and never gone to.
- Who has a session and is asked to confirm, or an application that wants credentials each time,
  gets no ticket without it.
- Credentials never reach an application: the answer to a POST is a 303.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from acl_engine.bootstrap.central_login import CentralLogin, Entry, SignIn
from acl_engine.domain.cas import RegisteredService
from acl_engine.domain.errors import AccessDenied, FormRefused
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Message, Text
from acl_engine.web import cookies
from acl_engine.web.cas.pages import LOGIN, away, show
from acl_engine.web.cross_site import check_site
from acl_engine.web.parameters import Parameters
from acl_engine.web.problems import Refused

NO_METHOD = Text(
    "cas.no-method",
    "不支持这种返回方式（method）",
    "this way of answering (method) is not offered",
    "用 GET 或 POST",
    "use GET or POST",
)
# The same words whatever the cause: what was wrong stands in the log, under the request's id.
NOT_LOGGED_IN = Text(
    "cas.not-logged-in",
    "未能登录（请求编号 {request}）",
    "you are not logged in (request {request})",
    "请核对账号、密码、动态口令与设备应答；仍不行，请凭请求编号联系主管",
    "check account, password, code and device; if it stays so, tell your supervisor the request id",
)
METHODS = (None, "GET", "POST")


class LoginPages:
    """The handlers of /login and of its confirmation."""

    def __init__(self, central: CentralLogin) -> None:
        self._central = central

    # --- GET: as credential requestor (specification 2.1) ----------------------------------------

    def ask(self, request: Request, given: Parameters) -> Response:
        _check_method(given)
        url = given.get("service") or None
        who = self._central.who(cookies.session_token(request))
        service = self._central.service(url, who) if url else None
        renew = given.has("renew")
        if given.has("gateway") and not renew and url and service:
            return self._gateway(request, given, who, service, url)
        if who is None or renew or (service is not None and service.fresh):
            return self._form(request, given, service)
        if not url or service is None:
            return show(request, "signed_in.html.j2", given, account=who.account)
        if self._central.wants_warning(who):
            return self._confirm(request, given, who, service)
        return self._enter(request, given, self._central.enter(who, url, fresh=False))

    def _gateway(
        self,
        request: Request,
        given: Parameters,
        who: Principal | None,
        service: RegisteredService,
        url: str,
    ) -> Response:
        """No credentials are asked for: with a ticket, or without one."""
        if who is None or service.fresh:
            return away(url)
        if self._central.wants_warning(who):
            return self._confirm(request, given, who, service)
        return self._enter(request, given, self._central.enter(who, url, fresh=False))

    # --- POST: as credential acceptor (2.2) ------------------------------------------------------

    def take(self, request: Request, given: Parameters) -> Response:
        _check_method(given)
        if self._central.settings.own_forms:
            check_site(request)
        url = given.get("service") or None
        service = self._central.service(url) if url else None
        presented = cookies.session_token(request)
        typed = SignIn(
            username=given.text("username").strip(),
            password=given.text("password"),
            code=given.text("code").strip(),
            answer=given.text("answer"),
            form=given.text("lt"),
            browser=cookies.browser_of(request) or "",
            presented=presented,
            warn=given.has("warn"),
        )
        try:
            token = self._central.sign_in(typed)
        except FormRefused as stale:
            return self._form(request, given, service, problem=stale.message)
        except AccessDenied as denied:
            problem = NOT_LOGGED_IN.of(request=denied.request_id)
            return self._form(request, given, service, problem=problem, status=403)
        who = self._central.sessions.resolve(token)
        if url:
            response = self._enter(request, given, self._central.enter(who, url, fresh=True))
        else:
            response = away(LOGIN)
        cookies.set_session(response, token)
        return response

    def confirm(self, request: Request, given: Parameters) -> Response:
        """The person said yes to the page that `warn` asked for."""
        _check_method(given)
        check_site(request)
        url = given.text("service")
        who = self._central.who(cookies.session_token(request))
        service = self._central.service(url, who)
        if who is None or service.fresh:
            return self._form(request, given, service)
        try:
            self._central.use_form(given.text("lt"), cookies.browser_of(request) or "")
        except FormRefused:
            return self._confirm(request, given, who, service)
        return self._enter(request, given, self._central.enter(who, url, fresh=False))

    # --- answers ---------------------------------------------------------------------------

    def _form(
        self,
        request: Request,
        given: Parameters,
        service: RegisteredService | None,
        *,
        problem: Message | None = None,
        status: int = 200,
    ) -> Response:
        return self._with_form(
            request,
            "login.html.j2",
            given,
            service,
            status=status,
            problem=problem,
            username=given.text("username"),
            warn=given.has("warn"),
        )

    def _confirm(
        self, request: Request, given: Parameters, who: Principal, service: RegisteredService
    ) -> Response:
        return self._with_form(request, "confirm.html.j2", given, service, account=who.account)

    def _with_form(
        self,
        request: Request,
        template: str,
        given: Parameters,
        service: RegisteredService | None,
        *,
        status: int = 200,
        **values: object,
    ) -> Response:
        held = cookies.browser_of(request)
        browser = held or cookies.new_browser()
        url = given.text("service") if service else ""
        response = show(
            request,
            template,
            given,
            status=status,
            sends_to=url or None,
            lt=self._central.form(browser),
            service=url,
            method=given.text("method"),
            title=service.title if service else "",
            host=urlsplit(url).netloc,
            **values,
        )
        if held is None:
            cookies.set_browser(response, browser)
        return response

    def _enter(self, request: Request, given: Parameters, entry: Entry) -> Response:
        if given.get("method") != "POST":
            return away(entry.location)
        return show(
            request,
            "post.html.j2",
            given,
            sends_to=entry.url,
            url=entry.url,
            ticket=entry.ticket,
            title=entry.service.title,
        )


def _check_method(given: Parameters) -> None:
    if given.get("method") not in (*METHODS, ""):
        raise Refused(400, NO_METHOD.of())
