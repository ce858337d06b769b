"""The addresses where applications validate tickets and ask for proxy tickets.

    /validate                                    CAS 1: yes or no
    /serviceValidate /p3/serviceValidate         service tickets; p3 with attributes
    /proxyValidate /p3/proxyValidate             proxy tickets too
    /proxy                                       a proxy ticket for a proxy-granting ticket

INVARIANT: whatever comes in, the answer is one of the protocol's, in the form that was asked for.
"""

import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from acl_engine.bootstrap.cas_validation import Validation
from acl_engine.domain.cas import Failure
from acl_engine.domain.errors import AclError, TicketRefused
from acl_engine.domain.text import Message, Text
from acl_engine.identity.cas_rules import Asked
from acl_engine.web.cas import answers
from acl_engine.web.cas.answers import Form, Kind
from acl_engine.web.cas.pages import FRESH
from acl_engine.web.parameters import Parameters
from acl_engine.web.problems import FAILED, Refused, request_id

log = logging.getLogger("acl.web")

NEEDED = Text("cas.parameters-needed", "缺少参数：{names}", "parameters are required: {names}")
NO_FORM = Text("cas.no-format", "format 只能是 XML 或 JSON", "format must be XML or JSON")
Handler = Callable[[Request, Parameters], Response]


def validating(validation: Validation, *, proxies: bool, attributes: bool) -> Handler:
    """The handler of one of the four validating addresses of CAS 2 and 3."""

    def handle(request: Request, given: Parameters) -> Response:
        kind: Kind = "authenticationFailure"
        try:
            form = form_of(given)
            ticket, service = needed(given, "ticket", "service")
            asked = Asked(service, given.has("renew"), proxies, attributes)
            visit = validation.validate(ticket, asked, given.get("pgtUrl") or None)
            return answers.success(visit, form, attributes=attributes)
        except TicketRefused as refused:
            return answers.failure(kind, refused.failure, refused.message, _form_or_xml(given))
        except Exception as error:  # noqa: BLE001 - the application reads XML, whatever it is
            return broken(request, error, kind, _form_or_xml(given))

    return handle


def proxying(validation: Validation) -> Handler:
    """The handler of /proxy."""

    def handle(request: Request, given: Parameters) -> Response:
        kind: Kind = "proxyFailure"
        try:
            form = form_of(given)
            grant, target = needed(given, "pgt", "targetService")
            return answers.proxied(validation.proxy(grant, target), form)
        except TicketRefused as refused:
            return answers.failure(kind, refused.failure, refused.message, _form_or_xml(given))
        except Exception as error:  # noqa: BLE001 - as above
            return broken(request, error, kind, _form_or_xml(given))

    return handle


def plainly(validation: Validation) -> Handler:
    """The handler of /validate: two lines of CAS 1, the second the login as of old."""

    def handle(request: Request, given: Parameters) -> Response:
        try:
            ticket, service = needed(given, "ticket", "service")
            asked = Asked(service, given.has("renew"))
            visit = validation.validate(ticket, asked)
        except AclError as error:
            if not isinstance(error, TicketRefused):
                note(request, error)
            return PlainTextResponse("no\n\n", headers=FRESH)
        return PlainTextResponse(f"yes\n{visit.account}\n", headers=FRESH)

    return handle


def unreadable(kind: Kind) -> Callable[[Request, Refused], Response]:
    """The answer to parameters that cannot be read."""

    def answer(request: Request, refused: Refused) -> Response:
        asked = b"format=JSON" in request.scope["query_string"].split(b"&")
        form: Form = "JSON" if asked else "XML"
        return answers.failure(kind, Failure.INVALID_REQUEST, refused.message, form)

    return answer


def plain_no(request: Request, refused: Refused) -> Response:
    return PlainTextResponse("no\n\n", headers=FRESH)


def form_of(given: Parameters) -> Form:
    """XML unless JSON is asked for. Raises TicketRefused for anything else."""
    form = given.get("format")
    if form in (None, "XML"):
        return "XML"
    if form == "JSON":
        return "JSON"
    raise TicketRefused(Failure.INVALID_REQUEST, NO_FORM.of())


def needed(given: Parameters, first: str, second: str) -> tuple[str, str]:
    one, two = given.text(first), given.text(second)
    if not one or not two:
        raise TicketRefused(Failure.INVALID_REQUEST, NEEDED.of(names=f"{first}, {second}"))
    return one, two


def broken(request: Request, error: Exception, kind: Kind, form: Form) -> Response:
    """Our fault: the protocol's code, and the place in the log."""
    note(request, error)
    return answers.failure(kind, Failure.INTERNAL_ERROR, _said(), form, 503)


def note(request: Request, error: Exception) -> None:
    code = error.message.code if isinstance(error, AclError) else ""
    log.error("request=%s failed=%s code=%s", request_id(request), type(error).__name__, code)


def _said() -> Message:
    return FAILED.of()


def _form_or_xml(given: Parameters) -> Form:
    return "JSON" if given.get("format") == "JSON" else "XML"
