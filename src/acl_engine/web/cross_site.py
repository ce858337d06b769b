"""The second lock on forms: of what another site makes a browser send, nothing counts.

The form's own number is the first. Old browsers say nothing of where a form came from.
"""

from starlette.requests import Request

from acl_engine.domain.text import Text
from acl_engine.web.problems import Refused

CROSS_SITE = Text(
    "cas.cross-site",
    "请求来自其他网站，已拒绝",
    "the request came from another site and was refused",
    "请从本系统自己的页面提交",
    "send it from our own page",
)


def check_site(request: Request) -> None:
    """Raises Refused for a form that did not come from our own pages."""
    site = request.headers.get("sec-fetch-site")
    sender = request.headers.get("origin")
    own = f"https://{request.headers.get('host', '')}"
    if site not in (None, "same-origin", "none") or sender not in (None, "null", own):
        raise Refused(403, CROSS_SITE.of())
