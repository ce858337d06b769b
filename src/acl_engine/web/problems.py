"""Every refusal and failure over HTTP, rendered in one place: RFC 9457 JSON, or a page for people.

INVARIANTS
- What a caller is told is a code, a sentence and the request's id: no foreign text, no trace.
- A denial is 403 with the same bytes whatever its cause, but for its id.
- What failed on our side is 500 or 503; the log has the type and the place, never the text.
"""

import json
import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from acl_engine.domain.errors import (
    AccessDenied,
    AclError,
    ConfigError,
    InputError,
    ServiceRefused,
    StoreError,
)
from acl_engine.domain.text import Lang, Message, Text
from acl_engine.masking.quoting import without_quotes
from acl_engine.web.language import language
from acl_engine.web.pages import page

log = logging.getLogger("acl.web")

NOT_FOUND = Text("web.not-found", "没有这个地址", "there is nothing at this address")
NOT_ALLOWED = Text("web.not-allowed", "该地址不接受这种请求", "this address takes no such request")
BAD_REQUEST = Text("web.bad-request", "请求不合要求", "the request cannot be read")
FAILED = Text(
    "web.failed",
    "服务内部错误",
    "an internal error",
    "请带上请求编号联系管理员",
    "tell the administrator the request id",
)
UNAVAILABLE = Text(
    "web.unavailable",
    "服务暂时无法答复",
    "the service cannot answer now",
    "稍后重试",
    "try again later",
)

# The status of each kind of error, the most special first.
_STATUS: tuple[tuple[type[AclError], int], ...] = (
    (AccessDenied, 403),
    (ServiceRefused, 403),
    (ConfigError, 500),
    (InputError, 400),
    (StoreError, 503),
)


class Refused(AclError):
    """A request that is refused before any handler: its status, and headers to go along."""

    def __init__(self, status: int, message: Message, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def respond(request: Request, error: Exception) -> Response:
    """The answer to what was raised."""
    if isinstance(error, Refused):
        return problem(request, error.status, error.message, error.headers)
    if isinstance(error, AclError):
        return _known(request, error)
    if isinstance(error, HTTPException):
        text = {404: NOT_FOUND, 405: NOT_ALLOWED}.get(error.status_code, BAD_REQUEST)
        return problem(request, error.status_code, text.of(), dict(error.headers or {}))
    _note(request, error)
    return problem(request, 500, FAILED.of())


def problem(
    request: Request, status: int, message: Message, headers: dict[str, str] | None = None
) -> Response:
    """One refusal: a page where a page was asked for, problem+json otherwise."""
    lang, message = language(request), without_quotes(message)
    number = request_id(request)
    more = headers or {}
    if _wants_page(request):
        body = page("problem.html.j2", lang, message=message, status=status, request=number)
        return Response(body, status, more, media_type="text/html")
    return Response(
        json.dumps(_document(status, message, lang, number), ensure_ascii=False),
        status,
        more,
        media_type="application/problem+json",
    )


def request_id(request: Request) -> str:
    """The id under which this request stands in the log."""
    return str(request.scope.get("acl.request", "-"))


def _document(status: int, message: Message, lang: Lang, number: str) -> dict[str, object]:
    return {
        "type": f"urn:acl-engine:problem:{message.code}",
        "title": message.render(lang),
        "status": status,
        "detail": message.hint(lang),
        "request": number,
    }


def _known(request: Request, error: AclError) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    if status < 500:
        return problem(request, status, error.message)
    # Where it went wrong is the operator's matter: the caller learns that it did.
    _note(request, error)
    text = UNAVAILABLE if status == 503 else FAILED
    return problem(request, status, text.of(), {"Retry-After": "5"} if status == 503 else None)


def _wants_page(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and "json" not in accepts.split(",")[0]


def _note(request: Request, error: Exception) -> None:
    """Type and place for the operator; the text of a foreign error may quote a person's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
    code = error.message.code if isinstance(error, AclError) else ""
    name = type(error).__name__
    log.error("request=%s failed=%s code=%s at=%s", request_id(request), name, code, place)
