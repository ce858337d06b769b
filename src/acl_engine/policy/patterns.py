"""casbin's matching functions, with every pattern read, checked and compiled at load.

Each maker takes the pattern of a row and returns a test of a request's text. `Refused` while
testing denies the whole decision: a path that is not in normal form, a text that is too long.

INVARIANTS
- A pattern comes from the policy, never from the request.
- No test takes more steps than `regex_steps.MAX_STEPS`; a decision adds them up (`search`).
- A test is never wider than casbin's for an allow row, nor narrower for a deny row: what would
  be read differently is refused.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acl_engine.domain.errors import Where
from acl_engine.domain.text import Text
from acl_engine.policy import regex_steps
from acl_engine.policy.findings import Findings
from acl_engine.policy.regex_steps import MAX_TEXT

MAX_PATTERN = 500

Test = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Pattern:
    """The test of one pattern, and how many steps it takes at most."""

    test: Test
    steps: int = 1


BAD_PATTERN = Text(
    "pattern.unreadable",
    "{function} 的模式 `{pattern}` 读不懂",
    "the {function} pattern `{pattern}` cannot be read",
    "检查写法；支持的写法见 docs/reference/casbin-deviations.md",
    "check it; what is read stands in docs/reference/casbin-deviations.md",
)
SLOW_PATTERN = Text(
    "pattern.slow",
    "模式 `{pattern}` 可能极慢",
    "the pattern `{pattern}` can be made to run for ever",
    "不要嵌套重复，不要多个 .*，不超过 {limit} 个字符",
    "no repeat inside a repeat, at most two `.*`, at most {limit} characters",
)
OPEN_PATTERN = Text(
    "pattern.open",
    "正则 `{pattern}` 没有结尾锚，也会匹配更长的文字",
    "the pattern `{pattern}` has no end anchor: it also matches longer texts",
    "写作 `^(?:...)$`",
    "write `^(?:...)$`",
)
OPEN_ALTERNATIVE = Text(
    "pattern.alternative",
    "{function} 的模式 `{pattern}` 有一支没有结尾，也会匹配更长的路径",
    "a part of the {function} pattern `{pattern}` has no end: it also matches longer paths",
    "每种写法一行；不要用 `|`，不要以 `\\` 结尾",
    "write a row for each alternative, without `|` and without a `\\` at the end",
)
IGNORED_TAIL = Text(
    "pattern.tail",
    "keyMatch 忽略 `{pattern}` 中 `*` 之后的部分",
    "keyMatch ignores what follows the `*` in `{pattern}`",
    "用 keyMatch2，或让 `*` 在末尾",
    "use keyMatch2, or end with the `*`",
)


class Refused(Exception):
    """A value that must not be compared. `args[0]` says why, without the value."""


def text_of(value: object, *, path: bool) -> str:
    """The text of a request's value, or Refused."""
    if not isinstance(value, str):
        raise Refused("not a text")
    if len(value) > MAX_TEXT:
        raise Refused("too long")
    if path and not _normal(value):
        raise Refused("a path that is not in normal form")
    return value


def _normal(path: str) -> bool:
    """No empty, `.` or `..` segment, no backslash or control character."""
    if "\\" in path or any(ord(character) < 32 for character in path):
        return False
    bare = path.partition("?")[0]
    if "//" in bare:
        return False
    inner = bare.removeprefix("/").removesuffix("/")
    return inner == "" or not {"", ".", ".."} & set(inner.split("/"))


def key_match(pattern: str, where: Where, findings: Findings) -> Pattern:
    head, star, tail = pattern.partition("*")
    if tail:
        findings.doubt(IGNORED_TAIL.of(pattern=pattern), where)
    if not star:
        return Pattern(lambda value: text_of(value, path=True) == pattern)
    return Pattern(lambda value: text_of(value, path=True).startswith(head))


def key_match2(pattern: str, where: Where, findings: Findings) -> Pattern:
    source = re.sub(r"(.*?):[^/]+(.*?)", r"\g<1>[^/]+\g<2>", pattern.replace("/*", "/.*"))
    return _path_test("keyMatch2", pattern, "(.*)" if source == "*" else source, where, findings)


def key_match3(pattern: str, where: Where, findings: Findings) -> Pattern:
    source = re.sub(r"(.*?){[^/]+?}(.*?)", r"\g<1>[^/]+\g<2>", pattern.replace("/*", "/.*"))
    return _path_test("keyMatch3", pattern, source, where, findings)


def key_match4(pattern: str, where: Where, findings: Findings) -> Pattern:
    words: list[str] = []

    def named(found: re.Match[str]) -> str:
        words.append(found[1])
        return "([^/]+)"

    source = re.sub(r"{([^/]+)}", named, pattern.replace("/*", "/.*"))
    made = _between_anchors("keyMatch4", pattern, source, where, findings)
    if made is None or made[0].groups != len(words):
        if made is not None:
            findings.refuse(BAD_PATTERN.of(function="keyMatch4", pattern=pattern), where)
        return _NEVER
    compiled, steps = made

    def test(value: object) -> bool:
        found = compiled.match(text_of(value, path=True))
        if found is None:
            return False
        seen: dict[str, str] = {}
        values = zip(words, found.groups(), strict=True)
        return all(seen.setdefault(word, one) == one for word, one in values)

    return Pattern(test, steps)


def key_match5(pattern: str, where: Where, findings: Findings) -> Pattern:
    source = re.sub(r"{[^/]+}", "[^/]+", pattern.replace("/*", "/.*"))
    made = _path_test("keyMatch5", pattern, source, where, findings)
    return Pattern(lambda value: made.test(text_of(value, path=True).partition("?")[0]), made.steps)


def _path_test(
    function: str, pattern: str, source: str, where: Where, findings: Findings
) -> Pattern:
    made = _between_anchors(function, pattern, source, where, findings)
    if made is None:
        return _NEVER
    compiled, steps = made
    return Pattern(lambda value: compiled.match(text_of(value, path=True)) is not None, steps)


def _between_anchors(
    function: str, pattern: str, source: str, where: Where, findings: Findings
) -> tuple[re.Pattern[str], int] | None:
    """As casbin anchors a path pattern: `/a|/b` becomes `^/a|/b$`, open at the end of `/a`."""
    made = _compiled(function, pattern, f"^{source}$", where, findings)
    if made is None:
        return None
    compiled, steps, anchored = made
    if not anchored:
        findings.doubt(OPEN_ALTERNATIVE.of(function=function, pattern=pattern), where)
    return compiled, steps


def regex_match(pattern: str, where: Where, findings: Findings) -> Pattern:
    made = _compiled("regexMatch", pattern, pattern, where, findings)
    if made is None:
        return _NEVER
    compiled, steps, anchored = made
    if not anchored:
        findings.doubt(OPEN_PATTERN.of(pattern=pattern), where)
    return Pattern(lambda value: compiled.match(_one_line(value)) is not None, steps)


def _one_line(value: object) -> str:
    text = text_of(value, path=False)
    if "\n" in text:  # `$` also matches before a last line end
        raise Refused("a text of several lines")
    return text


def ip_match(pattern: str, where: Where, findings: Findings) -> Pattern:
    try:
        network = ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        findings.refuse(BAD_PATTERN.of(function="ipMatch", pattern=pattern), where)
        return _NEVER

    def test(value: object) -> bool:
        try:
            return ipaddress.ip_address(text_of(value, path=False)) in network
        except ValueError:
            raise Refused("not an address") from None

    return Pattern(test)


_GLOB_PART = re.compile(r"\*+|\?|\[!?[A-Za-z0-9_-]+\]|[^*?\[\]{}\\()|!~]")


def glob_match(pattern: str, where: Where, findings: Findings) -> Pattern:
    """`*` and `?` stay inside a segment and do not match a leading dot; braces, `**` and
    extended globs are refused by name."""
    body = pattern[1:] if pattern.startswith("*/") else pattern
    source = ""
    for at, segment in enumerate(body.split("/")):
        parts = _GLOB_PART.findall(segment)
        if "".join(parts) != segment or "**" in segment or segment in (".", ".."):
            findings.refuse(BAD_PATTERN.of(function="globMatch", pattern=pattern), where)
            return _NEVER
        wild = bool(parts) and (parts[0][0] in "*?[")
        guard = r"(?!\.)(?=[^/])" if wild else ""
        source += ("/" if at else "") + guard + "".join(map(_glob_part, parts))
    made = _compiled("globMatch", pattern, source, where, findings)
    if made is None:
        return _NEVER
    compiled, steps, _ = made

    def test(value: object) -> bool:
        text = text_of(value, path=True)
        if text.endswith("/"):
            raise Refused("a path that ends with a slash")
        if text.startswith(".") or "/." in text:  # casbin 1.43 and 2.8 differ on it
            raise Refused("a segment that starts with a dot")
        return compiled.fullmatch(text) is not None

    return Pattern(test, steps)


def _glob_part(part: str) -> str:
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part[0] == "[" and len(part) > 1:
        return "[^/" + part[2:] if part[1] == "!" else part
    return re.escape(part)


# The test of a refused pattern: the policy is never loaded.
_NEVER = Pattern(lambda _: False)


def _compiled(
    function: str, pattern: str, source: str, where: Where, findings: Findings
) -> tuple[re.Pattern[str], int, bool] | None:
    if len(pattern) > MAX_PATTERN:
        findings.refuse(SLOW_PATTERN.of(pattern=pattern[:40], limit=MAX_PATTERN), where)
        return None
    try:
        return regex_steps.compiled(source)
    except regex_steps.Unreadable:
        findings.refuse(BAD_PATTERN.of(function=function, pattern=pattern), where)
    except regex_steps.Slow:
        findings.refuse(SLOW_PATTERN.of(pattern=pattern[:40], limit=MAX_PATTERN), where)
    return None


MAKERS: Mapping[str, Callable[[str, Where, Findings], Pattern]] = {
    "keyMatch": key_match,
    "keyMatch2": key_match2,
    "keyMatch3": key_match3,
    "keyMatch4": key_match4,
    "keyMatch5": key_match5,
    "regexMatch": regex_match,
    "ipMatch": ip_match,
    "globMatch": glob_match,
}
