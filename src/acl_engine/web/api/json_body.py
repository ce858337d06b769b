"""A request's JSON, strictly: one object, UTF-8, no key twice, no text that is none.

INVARIANT: what is refused here is told by its kind, never by its value.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from acl_engine.domain.text import Text
from acl_engine.policy.strict_yaml import one_line
from acl_engine.web.problems import Refused

MEDIA = "application/json"
NOT_JSON = Text(
    "api.not-json",
    "正文类型应为 {media}",
    "the body must be {media}",
    "改用该类型",
    "send that type",
)
UNREADABLE = Text(
    "api.unreadable",
    "正文不是有效的 JSON，或有重复的键",
    "the body is no JSON, or a key stands twice in it",
    "重新编码后再试",
    "encode it anew",
)
MISFIT = Text(
    "api.misfit",
    "正文不符合接口约定：{what}",
    "the body does not fit the interface: {what}",
    "约定见 /openapi.json",
    "/openapi.json says what fits",
)
_T = TypeVar("_T")
# What the decoder quotes of the body. It may be anybody's name: only a word is repeated.
_QUOTED = re.compile(r"(unknown field |enum value )[`'](.*)[`'](?= - at `\$|\Z)", re.DOTALL)
_WORD = re.compile(r"[a-z_]{1,32}")
# AuthZEN 1.0, section 10.1.3: a caller's own number comes back. One that could be a phone does not.
_NUMBER = re.compile(rb"[0-9A-Fa-f-]{16,64}")


def own_number(headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The caller's own number as a header of the answer; none for what could be a phone."""
    number = headers.get(b"x-request-id", b"")
    return [(b"x-request-id", number)] if _NUMBER.fullmatch(number) else []


def read(media: bytes, body: bytes, kind: type[_T]) -> _T:
    """The body as a `kind`; `media` is its content type. Raises Refused."""
    if media.partition(b";")[0].strip().lower() != MEDIA.encode():
        raise Refused(415, NOT_JSON.of(media=MEDIA))
    try:
        found = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_number,
            parse_constant=_never,
        )
        if b"\\u" in body:  # a lone surrogate is no text, and is written in no other way
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused(400, UNREADABLE.of()) from None
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as misfit:
        raise Refused(400, MISFIT.of(what=one_line(_unquoted(str(misfit))))) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("twice")
    return found


def _number(text: str) -> int | float:
    """JSON has one kind of number: `2.0` is an integer to a schema (JSON Schema 2020-12, 6.1.1)."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _never(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and the infinities are no JSON


def _unquoted(misfit: str) -> str:
    return _QUOTED.sub(
        lambda found: f"{found[1]}`{found[2] if _WORD.fullmatch(found[2]) else '?'}`", misfit
    )
