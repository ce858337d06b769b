"""Strict YAML: typed, with the file and line of everything that is wrong.

Only strings, integers, booleans (`true`/`false`), null, lists and mappings are read; no dates, no
`yes`/`no`, no tags, no aliases. Unknown and duplicate keys are errors. The types are msgspec
structs, so the published JSON Schema and the reader cannot drift apart.
"""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from acl_engine.domain.errors import AclError, InputError, Where
from acl_engine.domain.text import Message, Text

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 40
MAX_FINDINGS = 50

MISSING = Text(
    "yaml.missing",
    "读不到文件：{why}",
    "the file cannot be read: {why}",
    "请检查路径与权限",
    "check the path and its permissions",
)
SYNTAX = Text(
    "yaml.syntax",
    "YAML 语法错误：{what}",
    "YAML syntax error: {what}",
    "请检查缩进与引号",
    "check indentation and quotes",
)
DUPLICATE = Text(
    "yaml.duplicate", "键 `{key}` 重复", "key `{key}` stands twice", "删去一个", "take one out"
)
UNKNOWN = Text(
    "yaml.unknown-key",
    "未知的键 `{key}`",
    "unknown key `{key}`",
    "可用：{known}",
    "known: {known}",
)
WRONG = Text(
    "yaml.wrong-type", "`{path}` 不符：{what}", "`{path}`: {what}", "改正该值", "correct the value"
)
WRONG_TYPE = Text(
    "yaml.wrong-kind",
    "`{path}` 应为 {expected}，写的是 {found}",
    "`{path}` must be {expected}, not {found}",
    "int 整数，bool 为 true 或 false，str 文字，array 列表，object 键值",
    "int: a whole number, bool: true or false, str: a text, array: a list, object: keys",
)
WRONG_VALUE = Text(
    "yaml.wrong-value",
    "`{path}` 不能是 {found}",
    "`{path}` cannot be {found}",
    "可用的值见 `acl policy schema` 或 `acl scenario schema`",
    "the values stand in `acl policy schema` or `acl scenario schema`",
)
LACKS = Text(
    "yaml.missing-key",
    "`{path}` 缺少键 `{key}`",
    "`{path}` lacks the key `{key}`",
    "补上该键",
    "add it",
)

_T = TypeVar("_T")
_E = TypeVar("_E", bound=AclError)
_Path = tuple[str | int, ...]
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_PATH_AT = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>.*)`)?\Z", re.DOTALL)
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<found>[^`]*)`\Z")
_WRONG_VALUE = re.compile(r"Invalid enum value (?P<found>.*)\Z", re.DOTALL)
_LACKS = re.compile(r"Object missing required field `(?P<key>[^`]*)`\Z")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")

_Lines = dict[_Path, Where]


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without aliases: a few lines of them expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "aliases are not read", mark)
        return super().compose_node(parent, index)


def _fast(text: str) -> yaml.Node | None:
    """The document's node by libyaml, ten times as fast; None for whatever the slow loader is to
    judge and to explain: an alias, deep nesting, an error, or no libyaml.

    Its events are walked first because its composer recurses, in C, as deep as the text says.
    """
    loader = getattr(yaml, "CSafeLoader", None)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader) if loader else ():
            if isinstance(event, yaml.AliasEvent):
                return None
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                return None
        node: yaml.Node | None = yaml.compose(text, Loader=loader) if loader else None
    except yaml.YAMLError:
        return None
    return node


def read(path: Path, kind: type[_T], *, error: type[AclError] = InputError) -> _T:
    """The document at `path` as `kind`. Raises `error` with file, line and what to do."""
    try:
        data = path.read_bytes()
    except OSError as failure:
        raise error(MISSING.of(why=failure.strerror or "?"), Where(str(path))) from None
    return read_text(data, kind, file=str(path), error=error)


def read_text(data: bytes, kind: type[_T], *, file: str, error: type[AclError] = InputError) -> _T:
    """Like `read`, for bytes already at hand."""
    value, findings = read_all(data, kind, file=file, error=error)
    if value is None:
        raise findings[0]
    return value


def read_all(
    data: bytes, kind: type[_T], *, file: str, error: type[_E]
) -> tuple[_T | None, tuple[_E, ...]]:
    """The document, or None and everything that is wrong with it, at most `MAX_FINDINGS`.

    After a finding, what it is about (an unknown key, an entry of a mapping) is left out and the
    rest is read again; a finding that is not about one of those is the last.
    """
    lines: _Lines = {}
    findings: list[_E] = []
    try:
        value = _read(data, lines, file, error)
    except error as failure:
        return None, (failure,)
    while len(findings) < MAX_FINDINGS:
        try:
            read = msgspec.convert(value, kind, strict=True)
            return (None, tuple(findings)) if findings else (read, ())
        except msgspec.ValidationError as failure:
            found, about = _typed(str(failure), kind, value, lines, file, error)
        findings.append(found)
        if not about:
            break
        value = _without(value, about)
    return None, tuple(findings)


def plain(text: str, file: str) -> Any:
    """The document as mappings, lists, strings, integers, booleans and None, not yet typed."""
    return _read(text.encode(), {}, file, InputError)


def _read(data: bytes, lines: _Lines, file: str, error: type[AclError]) -> Any:
    if len(data) > MAX_BYTES:
        raise error(MISSING.of(why="larger than 8 MiB"), Where(file))
    try:
        text = data.decode("utf-8")
        node = _fast(text) or _Loader(text).get_single_node()
    except UnicodeDecodeError:
        raise error(SYNTAX.of(what="not UTF-8"), Where(file, 1)) from None
    except RecursionError:
        raise error(SYNTAX.of(what="nested too deeply"), Where(file)) from None
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
        what = getattr(failure, "problem", None) or "not a YAML document"
        raise error(SYNTAX.of(what=one_line(str(what))), where) from None
    return _plain_value(node, (), lines, file, error) if node is not None else {}


def schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(kind),
    }


def one_line(text: str) -> str:
    """A foreign message as a parameter of ours: one line, no braces."""
    return text.replace("{", "(").replace("}", ")").replace("\n", " ")


def _plain_value(
    node: yaml.Node,
    path: _Path,
    lines: _Lines,
    file: str,
    error: type[AclError],
) -> Any:
    where = Where(file, node.start_mark.line + 1, node.start_mark.column + 1)
    lines.setdefault(path, where)
    if len(path) > MAX_DEPTH:
        raise error(SYNTAX.of(what="nested too deeply"), where)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, file, error)
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain_value(item, (*path, index), lines, file, error)
            for index, item in enumerate(node.value)
        ]
    return _scalar(node)


def _mapping(
    node: yaml.MappingNode,
    path: _Path,
    lines: _Lines,
    file: str,
    error: type[AclError],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = Where(file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        key = str(key_node.value)
        if key in found:
            raise error(DUPLICATE.of(key=key), where)
        lines[(*path, key)] = where
        found[key] = _plain_value(value_node, (*path, key), lines, file, error)
    return found


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~", ""):
        return None
    return int(text) if _INT.match(text) else text


def _typed(
    message: str, kind: type[Any], value: Any, lines: _Lines, file: str, error: type[_E]
) -> tuple[_E, _Path]:
    """The finding, and the key or entry to leave out so that the rest can be read."""
    parts = _PATH_AT.match(message)
    what, shown = (parts["what"], parts["path"] or "$") if parts else (message, "$")
    raw: _Path = tuple(
        int(index) if index.isdigit() else (name or index)
        for name, index in _PATH_PART.findall(shown)
    )
    path = _pinned(message, kind, value, raw)
    unknown = _UNKNOWN_FIELD.match(what)
    if unknown:
        key = unknown["key"]
        where = _nearest((*path, key), lines, file)
        return error(UNKNOWN.of(key=key, known=_known(kind, key)), where), (*path, key)
    entry = max((at + 1 for at, part in enumerate(raw) if part != path[at]), default=0)
    shown = one_line(".".join(map(str, path)) or "$")
    return error(_said(what, shown), _nearest(path, lines, file)), path[:entry]


def _said(what: str, path: str) -> Message:
    """What msgspec says in English, in both languages where it is one of the usual things."""
    for pattern, text in ((_WRONG_TYPE, WRONG_TYPE), (_WRONG_VALUE, WRONG_VALUE), (_LACKS, LACKS)):
        if found := pattern.match(what):
            return text.of(path=path, **{k: one_line(v) for k, v in found.groupdict().items()})
    return WRONG.of(path=path, what=one_line(what[0].lower() + what[1:]))


def _pinned(message: str, kind: type[Any], value: Any, path: _Path) -> _Path:
    """msgspec calls a mapping's key `...`; the one meant fails alone just as it does among all."""
    for at in (at for at, part in enumerate(path) if part == "..."):
        place = value
        for part in path[:at]:
            place = place[part]
        for key in place if isinstance(place, dict) else ():
            alone = _replaced(value, path[:at], {key: place[key]})
            try:
                msgspec.convert(alone, kind, strict=True)
            except msgspec.ValidationError as failure:
                if str(failure) == message:
                    value, path = alone, (*path[:at], key, *path[at + 1 :])
                    break
    return path


def _without(value: Any, path: _Path) -> Any:
    *above, last = path
    place = value
    for part in above:
        place = place[part]
    rest = {key: kept for key, kept in place.items() if key != last}
    return _replaced(value, tuple(above), rest)


def _replaced(value: Any, path: _Path, new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


def _nearest(path: _Path, lines: _Lines, file: str) -> Where:
    """The line of the longest part of `path` that is known; `...` matches the first that fits."""
    if path in lines:
        return lines[path]
    for candidate, where in lines.items():
        if len(candidate) == len(path) and all(
            theirs == "..." or theirs == ours for ours, theirs in zip(candidate, path, strict=True)
        ):
            return where
    return _nearest(path[:-1], lines, file) if path else Where(file, 1)


def _known(kind: type[Any], key: str) -> str:
    fields = sorted(
        {
            name
            for one in msgspec.json.schema(kind).get("$defs", {}).values()
            for name in one.get("properties", {})
        }
    )
    return ", ".join(get_close_matches(key, fields, 5, 0.5) or fields[:12])
