"""Event rules of Sigma, compiled: which events a rule's `detection` selects.

A search is a mapping (all of it must hold) or a list of mappings (any). A value is a word, a
number, a boolean, null, or a list of which any may hold. Words match whatever their case, `*` and
`?` stand for any text and any one sign (Sigma's rules). Modifiers: contains, startswith, endswith,
gt, gte, lt, lte, exists, all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from acl_engine.audit.event import FIELDS, MANY, Event
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

Test = Callable[[Event], bool]

BAD_RULE = Text(
    "detect.bad-rule",
    "检测规则 `{rule}` 不可读：{why}",
    "the detection rule `{rule}` cannot be read: {why}",
    "只支持文档所列的 Sigma 写法",
    "only the parts of Sigma that the documentation lists are read",
)

_TEXT = {"contains": ".*{}.*", "startswith": "{}.*", "endswith": ".*{}", "": "{}"}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda found, wanted: found > wanted,
    "gte": lambda found, wanted: found >= wanted,
    "lt": lambda found, wanted: found < wanted,
    "lte": lambda found, wanted: found <= wanted,
}
_TOKEN = re.compile(r"\s*(\(|\)|[A-Za-z0-9_*]+)")


def compiled(name: str, detection: Mapping[str, Any]) -> tuple[Test, frozenset[str]]:
    """The test of a rule's `detection`, and the fields it reads. Raises InputError."""
    reader = _Reader(name)
    searches = {key: reader.search(value) for key, value in detection.items() if key != "condition"}
    condition = detection.get("condition")
    if not isinstance(condition, str) or not searches:
        raise reader.wrong("`condition` and at least one search are needed")
    return reader.condition(condition, searches), frozenset(reader.fields)


class _Reader:
    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.fields: set[str] = set()

    def wrong(self, why: str) -> InputError:
        return InputError(BAD_RULE.of(rule=self.rule, why=why))

    # --- searches ------------------------------------------------------------------------------

    def search(self, value: object) -> Test:
        if isinstance(value, list):
            return _any([self.search(one) for one in value])
        if not isinstance(value, dict) or not value:
            raise self.wrong("a search is a mapping, or a list of mappings")
        return _all([self.field(str(key), wanted) for key, wanted in value.items()])

    def field(self, key: str, wanted: object) -> Test:
        field, *modifiers = key.split("|")
        if field not in FIELDS:
            raise self.wrong(f"there is no field `{field}`; there are {', '.join(sorted(FIELDS))}")
        together = _all if "all" in modifiers else _any
        kinds = [one for one in modifiers if one != "all"]
        if len(kinds) > 1 or not {*kinds} <= {*_TEXT, *_ORDER, "exists"}:
            raise self.wrong(f"modifiers `{'|'.join(modifiers)}`")
        self.fields.add(MANY.get(field, field))
        kind = kinds[0] if kinds else ""
        values = wanted if isinstance(wanted, list) else [wanted]
        tests = [self.value(kind, one) for one in values]
        read = _reading(field)
        return together(
            [lambda event, test=test: any(map(test, read(event))) for test in tests]  # type: ignore[misc]
        )

    def value(self, kind: str, wanted: object) -> Callable[[Any], bool]:
        if kind == "exists":
            return lambda found: (found is not None and found != "") is wanted
        if kind in _ORDER:
            order, number = _ORDER[kind], wanted
            if isinstance(number, bool) or not isinstance(number, int):
                raise self.wrong(f"`{kind}` needs a number")
            return lambda found: isinstance(found, int) and order(found, number)
        if isinstance(wanted, str):
            pattern = re.compile(_TEXT[kind].format(_wild(wanted)), re.IGNORECASE | re.DOTALL)
            return lambda found: isinstance(found, str) and bool(pattern.fullmatch(found))
        if kind or not (wanted is None or isinstance(wanted, (bool, int))):
            raise self.wrong(f"the value `{wanted}`")
        return lambda found: found == wanted and type(found) is type(wanted)

    # --- condition -----------------------------------------------------------------------------

    def condition(self, text: str, searches: Mapping[str, Test]) -> Test:
        tokens = _TOKEN.findall(text)
        if "".join(tokens) != "".join(text.split()):
            raise self.wrong(f"the condition `{text}`")
        left = iter([*tokens, ""])
        parser = _Parser(self, left, searches)
        test = parser.either()
        if parser.token:
            raise self.wrong(f"the condition `{text}`")
        return test


class _Parser:
    """not binds before and, and before or."""

    def __init__(
        self, reader: _Reader, tokens: Iterator[str], searches: Mapping[str, Test]
    ) -> None:
        self._reader, self._tokens, self._searches = reader, tokens, searches
        self.token = next(tokens)

    def _take(self) -> str:
        taken, self.token = self.token, next(self._tokens, "")
        return taken

    def either(self) -> Test:
        parts = [self.both()]
        while self.token == "or":  # noqa: S105 -- a word of the condition
            self._take()
            parts.append(self.both())
        return _any(parts)

    def both(self) -> Test:
        parts = [self.one()]
        while self.token == "and":  # noqa: S105
            self._take()
            parts.append(self.one())
        return _all(parts)

    def one(self) -> Test:
        word = self._take()
        if word == "not":
            inner = self.one()
            return lambda event: not inner(event)
        if word == "(":
            inner = self.either()
            if self._take() != ")":
                raise self._reader.wrong("a bracket is not closed")
            return inner
        if word in ("1", "any", "all") and self.token == "of":  # noqa: S105
            self._take()
            return (_all if word == "all" else _any)(self._named(self._take()))
        if word not in self._searches:
            raise self._reader.wrong(f"there is no search `{word}`")
        return self._searches[word]

    def _named(self, pattern: str) -> list[Test]:
        if pattern == "them":
            return list(self._searches.values())
        shape = re.compile(_wild(pattern))
        found = [test for name, test in self._searches.items() if shape.fullmatch(name)]
        if not found:
            raise self._reader.wrong(f"no search is called `{pattern}`")
        return found


def _reading(field: str) -> Callable[[Event], tuple[Any, ...]]:
    if field in MANY:
        many = MANY[field]
        return lambda event: getattr(event, many) or (None,)
    return lambda event: (getattr(event, field),)


def _wild(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)
