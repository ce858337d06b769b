"""/step-up: a second factor shown anew inside a session, before what asks for a fresh one.

INVARIANTS
- The page says nothing of a session but what its own person typed; who has none is sent to log in.
- A form counts once, and its number is what the device signs, as at login.
"""

from starlette.requests import Request
from starlette.responses import Response

from acl_engine.bootstrap.central_login import CentralLogin, SignIn
from acl_engine.domain.errors import AccessDenied, FormRefused
from acl_engine.domain.text import Message, Text
from acl_engine.web import cookies
from acl_engine.web.cas.pages import LOGIN, away, show
from acl_engine.web.cross_site import check_site
from acl_engine.web.parameters import Parameters

# The same words whatever the cause, as at login.
NOT_PROVEN = Text(
    "cas.not-proven",
    "未能确认（请求编号 {request}）",
    "that was not accepted (request {request})",
    "等验证器显示下一个口令，重新取得设备应答后再试；仍不行，请凭请求编号联系主管",
    "wait for the authenticator's next code and have the device answer anew; if it stays so, tell"
    " your supervisor the request id",
)


class StepUpPage:
    """The handlers of /step-up."""

    def __init__(self, central: CentralLogin) -> None:
        self._central = central

    def ask(self, request: Request, given: Parameters) -> Response:
        """GET: the form, for who has a session at all; whether it lives, the answer tells."""
        if not cookies.session_token(request):
            return away(LOGIN)
        return self._form(request, given)

    def take(self, request: Request, given: Parameters) -> Response:
        if self._central.settings.own_forms:
            check_site(request)
        token = cookies.session_token(request)
        if not token:
            return away(LOGIN)
        typed = SignIn(
            username="",
            password="",
            code=given.text("code").strip(),
            answer=given.text("answer"),
            form=given.text("lt"),
            browser=cookies.browser_of(request) or "",
        )
        try:
            self._central.step_up(token, typed)
        except FormRefused as stale:
            return self._form(request, given, stale.message)
        except AccessDenied as denied:
            return self._form(request, given, NOT_PROVEN.of(request=denied.request_id), 403)
        return show(request, "stepped_up.html.j2", given)

    def _form(
        self,
        request: Request,
        given: Parameters,
        problem: Message | None = None,
        status: int = 200,
    ) -> Response:
        held = cookies.browser_of(request)
        browser = held or cookies.new_browser()
        form = self._central.form(browser)
        response = show(request, "step_up.html.j2", given, status=status, lt=form, problem=problem)
        if held is None:
            cookies.set_browser(response, browser)
        return response
