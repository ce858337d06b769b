"""The four cookies: the session of the central login, the browser of a form, the language, and
the scanner page's visit.

INVARIANTS
- Secure, HttpOnly, SameSite=Lax, gone when the browser closes; no Domain, so no other host has it.
- The session's is named and pathed as CAS asks (specification 3.6: TGC-, as narrow as can be).
- The form's and the visit's have the `__Host-` prefix: a neighbouring host cannot plant one.
"""

import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from acl_engine.domain.text import Lang
from acl_engine.web.language import COOKIE as LANGUAGE

SESSION = "TGC-acl"
BROWSER = "__Host-acl-form"
VISIT = "__Host-acl-visit"
PATH = "/cas"
_VALUE = re.compile(r"TGT-([A-Za-z0-9-]{16,80})")
_VISIT = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_BROWSER = re.compile(r"[0-9a-f]{32}")


def session_token(request: Request) -> str | None:
    """The token in the session's cookie, live or not."""
    found = _VALUE.fullmatch(request.cookies.get(SESSION, ""))
    return found[1] if found else None


def set_session(response: Response, token: str) -> None:
    _set(response, SESSION, f"TGT-{token}", PATH)


def clear_session(response: Response) -> None:
    _set(response, SESSION, "", PATH, "; Max-Age=0")


def browser_of(request: Request) -> str | None:
    """The browser's number that its forms are made for."""
    value = request.cookies.get(BROWSER, "")
    return value if _BROWSER.fullmatch(value) else None


def visit_of(request: Request) -> str:
    """What the scanner page's ticket was exchanged for; empty when there is none."""
    value = request.cookies.get(VISIT, "")
    return value if _VISIT.fullmatch(value) else ""


def set_visit(response: Response, token: str) -> None:
    _set(response, VISIT, token, "/")


def new_browser() -> str:
    return secrets.token_hex(16)


def set_browser(response: Response, number: str) -> None:
    _set(response, BROWSER, number, "/")


def set_language(response: Response, lang: Lang) -> None:
    _set(response, LANGUAGE, lang, "/", "; Max-Age=31536000")


def _set(response: Response, name: str, value: str, path: str, more: str = "") -> None:
    cookie = f"{name}={value}; Path={path}; Secure; HttpOnly; SameSite=Lax{more}"
    response.headers.append("set-cookie", cookie)
