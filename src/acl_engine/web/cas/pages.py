"""Pages of the central login: made with their headers, language and cookies in one place."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from acl_engine.domain.text import Lang
from acl_engine.identity.service_url import origin
from acl_engine.web import cookies
from acl_engine.web.language import language
from acl_engine.web.outermost import POLICY
from acl_engine.web.pages import page
from acl_engine.web.parameters import Parameters

LOGIN = "/cas/login"
# Specification, Appendix B.
FRESH = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
}
# What the link to the other language keeps of a request.
_KEPT = ("service", "renew", "gateway", "method")


def show(
    request: Request,
    template: str,
    parameters: Parameters,
    *,
    status: int = 200,
    sends_to: str | None = None,
    **values: object,
) -> Response:
    """A page. `sends_to`: an application that its form, or the answer to it, may lead to."""
    lang = language(request)
    body = page(template, lang, other=_other(request, parameters, lang), **values)
    response = Response(body, status, dict(FRESH), media_type="text/html")
    if sends_to is not None:
        # A browser holds the redirect after a form to form-action too.
        aim = f"form-action 'self' {origin(sends_to)};"
        response.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self';", aim)
    if request.query_params.get("lang") in ("zh", "en"):
        cookies.set_language(response, lang)
    return response


def away(url: str) -> Response:
    """303: whatever the request was, the browser goes there with a GET and without its body."""
    return RedirectResponse(url, 303, dict(FRESH))


def _other(request: Request, parameters: Parameters, lang: Lang) -> str:
    """The same page in the other language."""
    kept = {name: parameters.text(name) for name in _KEPT if parameters.has(name)}
    path = request.url.path if request.method == "GET" else LOGIN
    return f"{path}?{urlencode({**kept, 'lang': 'en' if lang == 'zh' else 'zh'})}"
