"""(1) What is asked: a raw query becomes a request in canonical form, or is refused.

INVARIANTS
- Searching by a person's phone, name, address or id is `reverse_lookup`, whatever the query calls
  it.
- What is counted is never one record's or person's: not by a key, a moment, a name.
- No wildcard and no region-wide search unless the pack allows broad search (2020 only).
- A page is never larger than the pack's limit, a release never than its own.
"""

import re
from collections.abc import Mapping

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind, Pack, ResourceSpec
from acl_engine.domain.request import Action, Query, Request
from acl_engine.domain.text import Text
from acl_engine.enforcement.door import Refused, refuse
from acl_engine.masking.phone import parse as parse_phone
from acl_engine.masking.shape import clean
from acl_engine.masking.suspect import holds_number

SEARCH_SHAPE = "search-shape"
WILDCARDS = frozenset("*%?_")
MAX_VALUE = 200
# The criterion `phone` finds a parcel by either party's number.
PHONE = "phone"

UNKNOWN_WORD = Text(
    "query.unknown-word",
    "查询中的{what}不认识",
    "the query's {what} is not known",
    "可用：{known}",
    "known: {known}",
)
INCOMPLETE = Text(
    "query.incomplete",
    "操作 `{action}` 需要{what}",
    "action `{action}` needs {what}",
    "请补充后再试",
    "add it and try again",
)
TOO_LONG = Text("query.too-long", "查询值过长", "a query value is too long", "缩短", "shorten it")
NO_NAME = Text(
    "query.no-name",
    "查询的 {what} 不是简短名称",
    "the query's {what} is not a short name",
    "使用字母、数字与 `-` `_` `.`，最多 48 个字符，不含电话、证件与运单号码",
    "use letters, digits, `-`, `_` and `.`, at most 48, and no phone, ID or waybill number",
)
# Twelve digits in a row are a waybill's number, if they are no phone's and no identity's.
_NAME = re.compile(r"(?!.*[0-9]{12})[A-Za-z0-9._-]{1,48}")

RELEASES = frozenset({Action.EXPORT, Action.PUBLISH})
_BY_CRITERIA = RELEASES | {Action.SEARCH, Action.AGGREGATE, Action.REVERSE_LOOKUP}
_NEVER_BY_PERSON = RELEASES | {Action.READ, Action.SEARCH}


def normalise(query: Query, pack: Pack, request_id: str) -> Request:
    """The request. Raises InputError for words that do not exist, Refused for a refused shape."""
    action = _action(query.action)
    resource = pack.resources.get(query.resource)
    if resource is None:
        raise InputError(UNKNOWN_WORD.of(what="resource", known=", ".join(pack.resources)))
    for name in query.fields:
        if name not in resource.fields:
            raise InputError(UNKNOWN_WORD.of(what="field", known=", ".join(resource.fields)))
    by = _criteria(query.by, resource)
    if any(_personal(name, resource) for name, _ in by) and action in _NEVER_BY_PERSON:
        action = Action.REVERSE_LOOKUP
    key = _text(query.key) if query.key is not None else None
    _complete(action, key, by)
    _shape(action, key, by, resource, pack)
    return Request(
        id=request_id,
        action=action,
        resource=resource.type,
        key=None if action in _BY_CRITERIA else key,
        by=by,
        fields=query.fields,
        purpose=_reference("purpose", query.purpose),
        ticket=_reference("ticket", query.ticket),
        params=tuple(sorted((name, _text(value)) for name, value in query.params.items())),
        limit=max(1, min(query.limit, _most(action, pack))),
        after=query.after,
    )


def _most(action: Action, pack: Pack) -> int:
    settings = pack.settings
    return settings.releases.rows_max if action in RELEASES else settings.lookup.page_max


def _action(word: str) -> Action:
    try:
        return Action(word)
    except ValueError:
        known = ", ".join(str(action) for action in Action)
        raise InputError(UNKNOWN_WORD.of(what="action", known=known)) from None


def _text(value: str) -> str:
    if len(value) > MAX_VALUE:
        raise InputError(TOO_LONG.of())
    return clean(value)


def short_name(value: str) -> bool:
    """Whether a word says nothing of a person: no free text, no phone, ID or waybill number."""
    return bool(_NAME.fullmatch(value)) and not holds_number(value)


def _reference(what: str, value: str | None) -> str | None:
    """A purpose or ticket as the log keeps it: a short name. Free text could quote a person."""
    if value is None or short_name(value):
        return value
    raise InputError(NO_NAME.of(what=what))


def _criteria(by: Mapping[str, str], resource: ResourceSpec) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name, value in sorted(by.items()):
        text = _text(value)
        spec = resource.fields.get(name)
        phone = name == PHONE or (spec is not None and spec.kind is Kind.PHONE)
        if spec is None and not phone and name not in resource.attributes:
            known = ", ".join(dict.fromkeys((*resource.attributes, *resource.fields)))
            raise InputError(UNKNOWN_WORD.of(what="search criterion", known=known))
        if phone and not WILDCARDS & set(text):
            shape = parse_phone(text)
            text = shape.text if shape else text
        found.append((name, text))
    return tuple(found)


def _personal(name: str, resource: ResourceSpec) -> bool:
    """Whether a criterion names a person: by a personal field, or as whose data the fields are.

    A customer's id is as good as their phone for gathering their parcels.
    """
    if name == PHONE or name in {spec.person for spec in resource.fields.values()}:
        return True
    return name in resource.fields and name not in resource.attributes


def _complete(action: Action, key: str | None, by: tuple[tuple[str, str], ...]) -> None:
    if action in (*RELEASES, Action.REVERSE_LOOKUP, Action.COUNT_BY_PHONE) and not by:
        raise InputError(INCOMPLETE.of(action=action, what="a criterion"))
    if action not in (*_BY_CRITERIA, Action.COUNT_BY_PHONE) and not key:
        raise InputError(INCOMPLETE.of(action=action, what="a key"))


def _shape(
    action: Action,
    key: str | None,
    by: tuple[tuple[str, str], ...],
    resource: ResourceSpec,
    pack: Pack,
) -> None:
    if pack.settings.lookup.broad_search:
        return
    texts = [value for name, value in by if resource.attributes.get(name, "text") == "text"]
    # `_` is common in ids of units and areas, and is a plain character to an exact search.
    wild = WILDCARDS - {"_"}
    if any(wild & set(value) for value in (*texts, key or "")) or any(not value for value in texts):
        raise _refused("wildcard")
    if action is Action.AGGREGATE and any(_points(name, resource) for name, _ in by):
        raise _refused("one-record")
    for name, value in by:
        spec = resource.fields.get(name)
        if name == PHONE or (spec and spec.kind is Kind.PHONE):
            if parse_phone(value) is None:
                raise _refused("not-a-phone")
        elif _personal(name, resource) and not (spec and spec.searchable):
            raise _refused("not-searchable")


def _points(name: str, resource: ResourceSpec) -> bool:
    """Whether a criterion points at one record or person, as a key, a moment or a name does:
    counting by it would tell what stage that record is at."""
    moment = resource.attributes.get(name) == "int"
    return name == resource.key or moment or _personal(name, resource)


def _refused(what: str) -> Refused:
    return refuse("1", f"search-shape.{what}", SEARCH_SHAPE)
