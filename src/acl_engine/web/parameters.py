"""Parameters of a request, strictly: UTF-8, each at most once, none hidden, bounded.

INVARIANTS
- A name that stands twice, in the query, in the form or in both, is refused: two programs on the
  way could each believe another one (parameter pollution, CVE-2014-4172).
- A value that is no UTF-8, or holds a control character, is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from acl_engine.domain.text import Text
from acl_engine.web.problems import Refused, respond

FORM = "application/x-www-form-urlencoded"
_MOST_CHARS = 4096
_MOST_PARAMETERS = 100

TWICE = Text("web.parameter-twice", "参数 `{name}` 出现两次", "the parameter `{name}` stands twice")
UNREADABLE = Text(
    "web.parameters-unreadable",
    "参数不是 UTF-8，或含控制字符，或过长",
    "a parameter is not UTF-8, holds control characters, or is too long",
    "按 URL 编码规则重新编码",
    "encode it anew as a URL asks",
)
NOT_A_FORM = Text(
    "web.not-a-form",
    "正文类型应为 {form}",
    "the body must be {form}",
    "改用该类型",
    "send that type",
)


class Parameters:
    """What came with a request. A parameter that was not given is None."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @classmethod
    def of(cls, request: Request, body: bytes) -> "Parameters":
        """Of a query and, on a POST, of a form. Raises Refused."""
        texts = [request.scope["query_string"]]
        if request.method == "POST" and body:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != FORM:
                raise Refused(415, NOT_A_FORM.of(form=FORM))
            texts.append(body)
        values: dict[str, str] = {}
        for text in texts:
            _collect(values, text)
        return cls(values)

    @classmethod
    def of_query(cls, request: Request) -> "Parameters":
        """Of the query alone, whatever the body is. Raises Refused."""
        values: dict[str, str] = {}
        _collect(values, request.scope["query_string"])
        return cls(values)

    def get(self, name: str) -> str | None:
        """The value; None when it was not given."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """The value; empty when it was not given."""
        return self._values.get(name, "")

    def has(self, name: str) -> bool:
        """Whether it was given at all, with whatever value: the protocol's way of saying yes."""
        return name in self._values


Work = Callable[[Request, Parameters], Response]


def reading(
    work: Work, refused: Callable[[Request, Refused], Response] = respond
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads the parameters, then works in a thread. `refused` answers for those
    that cannot be read."""

    async def endpoint(request: Request) -> Response:
        try:
            parameters = Parameters.of(request, await request.body())
        except Refused as why:
            return refused(request, why)
        return await run_in_threadpool(work, request, parameters)

    return endpoint


def _collect(values: dict[str, str], text: bytes) -> None:
    for name, value in _pairs(text):
        if name in values:
            raise Refused(400, TWICE.of(name=_shown(name)))
        values[name] = value


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:  # UnicodeDecodeError is one
        raise Refused(400, UNREADABLE.of()) from None
    for name, value in pairs:
        if len(value) > _MOST_CHARS or len(name) > 100 or not _plain(name + value):
            raise Refused(400, UNREADABLE.of())
    return pairs


def _plain(text: str) -> bool:
    return not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text)


def _shown(name: str) -> str:
    """A name of the caller's own in a message: cut short, one of ours or none."""
    return name if name.isascii() and name.isalnum() and len(name) <= 20 else "?"
