"""/enrol: a person sets up their authenticator, at the first time their password too.

    GET  /enrol           the code of the enrolment, the password if there is one, the device
    POST /enrol           the QR and the key to type; a new password where there is none
    POST /enrol/confirm   the recovery codes, this once

INVARIANTS
- Every refusal reads the same but for its request id.
- The seed stands on one page, which is kept nowhere (`no-store`), and in it again, sealed.
- A form counts once, and its number is what the device signs, as at login.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.central_login import CentralLogin
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.enrolling import Enrolling, Offer
from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import AccessDenied, FormRefused, InputError
from acl_engine.domain.text import Message, Text
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.standing import Rules
from acl_engine.identity.totp import enrolment_uri
from acl_engine.web import cookies
from acl_engine.web.cross_site import check_site
from acl_engine.web.language import language
from acl_engine.web.pages import page
from acl_engine.web.parameters import Parameters, reading
from acl_engine.web.qr import Qr

PATH = "/enrol"
# The same words whatever the cause: what was wrong stands in the log, under the request's id.
NOT_ENROLLED = Text(
    "enrolment.refused",
    "未能继续（请求编号 {request}）",
    "you cannot go on (request {request})",
    "核对登记码、密码与设备应答；登记码限时且只用一次，必要时请管理员重新发起",
    "check the enrolment code, password and device; a code is good once and for minutes: ask an"
    " administrator for a new one",
)


def routes(service: Service) -> list[BaseRoute]:
    """The three pages over an opened service."""
    desk = Desk.over(service.database, service.keys, service.clock, Rules.of(service.pack))
    passwords = Passwords.synthetic() if service.synthetic else Passwords.production()
    enrolling = Enrolling.over(service.database, desk, service.pack.settings.login, passwords)
    pages = EnrolmentPages(enrolling, service.central.login)
    return [
        Route(PATH, reading(pages.ask), methods=["GET"]),
        Route(PATH, reading(pages.begin), methods=["POST"]),
        # Somebody reloaded or went back: the beginning.
        Route(f"{PATH}/confirm", _again, methods=["GET"]),
        Route(f"{PATH}/confirm", reading(pages.confirm), methods=["POST"]),
    ]


async def _again(request: Request) -> Response:
    return RedirectResponse(PATH, 303)


@dataclass(frozen=True, slots=True)
class EnrolmentPages:
    """The handlers of the three pages."""

    enrolling: Enrolling
    central: CentralLogin

    def ask(self, request: Request, given: Parameters) -> Response:
        return self._first(request)

    def begin(self, request: Request, given: Parameters) -> Response:
        """The code, the password and the device's answer; then the QR."""
        form, code = given.text("lt"), given.text("enrolment")

        def offer() -> Response:
            device = self.central.answered(form, given.text("answer"))
            return self._qr(
                request, code, self.enrolling.begin(code, given.text("password"), device)
            )

        return self._guarded(request, form, offer)

    def confirm(self, request: Request, given: Parameters) -> Response:
        """The authenticator's first code; then the recovery codes. A slip asks once more."""
        code, sealed = given.text("enrolment"), given.text("sealed")
        typed = given.text("code").strip(), (given.text("password"), given.text("again"))

        def set_up() -> Response:
            try:
                codes = self.enrolling.confirm(code, sealed, *typed)
            except InputError as slip:
                offer = self.enrolling.offered(code, sealed)
                return self._qr(request, code, offer, slip.message, 422)
            return self._show(request, "enrol_done.html.j2", codes=codes)

        return self._guarded(request, given.text("lt"), set_up)

    def _guarded(self, request: Request, form: str, work: Callable[[], Response]) -> Response:
        check_site(request)
        try:
            self.central.use_form(form, cookies.browser_of(request) or "")
            return work()
        except FormRefused as stale:
            return self._first(request, stale.message)
        except AccessDenied as denied:
            return self._first(request, NOT_ENROLLED.of(request=denied.request_id), 403)

    def _first(
        self, request: Request, problem: Message | None = None, status: int = 200
    ) -> Response:
        return self._show(request, "enrol.html.j2", status, problem=problem)

    def _qr(
        self,
        request: Request,
        code: str,
        offer: Offer,
        problem: Message | None = None,
        status: int = 200,
    ) -> Response:
        return self._show(
            request,
            "enrol_qr.html.j2",
            status,
            problem=problem,
            enrolment=code,
            offer=offer,
            key=" ".join(offer.seed[at : at + 4] for at in range(0, len(offer.seed), 4)),
            qr=Qr.of(enrolment_uri(offer.login, offer.seed)),
        )

    def _show(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> Response:
        lang, held = language(request), cookies.browser_of(request)
        browser = held or cookies.new_browser()
        other = f"{PATH}?{urlencode({'lang': 'en' if lang == 'zh' else 'zh'})}"
        body = page(template, lang, other=other, lt=self.central.form(browser), **values)
        response = Response(body, status, media_type="text/html")
        if held is None:
            cookies.set_browser(response, browser)
        if request.query_params.get("lang") in ("zh", "en"):
            cookies.set_language(response, lang)
        return response
