"""Questions to a compiled policy that are not "may this one": who may, and what may be reached.

`subjects_for`, `resources_for` and `actions_for` walk the policy's own words, those that the rest
of the request leads to (`candidates`), and ask `find` about each, so they cannot differ from a
decision. A word that the policy does not hold is not listed; where the policy would admit words
that it does not hold (a pattern, an attribute), the answer says so.

INVARIANTS
- Complete over the policy's words, in a fixed order, and paged: `after` is the last one seen;
  `more` tells that the page was full.
- No page is cut silently.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from acl_engine.decision.candidates import Candidates
from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.policy.expression import Name
from acl_engine.policy.index import Index

PAGE = 1000

NO_FIELD = Text(
    "questions.field",
    "请求没有字段 `{field}`",
    "the request has no field `{field}`",
    "模型定义了：{known}",
    "the model defines: {known}",
)

HALF_ASKED = Text(
    "questions.half",
    "没有给出请求的 `{field}`",
    "`{field}` of the request is not given",
    "除所问的字段外，其余字段都要给出",
    "give every field but the one that is asked for",
)
NO_PAGE = Text(
    "questions.page",
    "`{name}` 不能小于 {least}，给的是 {found}",
    "`{name}` must be {least} or more, got {found}",
    "一页至少一项；下一页从上一页给出的位置开始",
    "a page holds one item at least; the next begins where the one before says",
)


def whole_page(name: str, found: int, least: int = 1) -> None:
    """Raises InputError for a page that could hold nothing, and so never end or leave items out."""
    if found < least:
        raise InputError(NO_PAGE.of(name=name, least=least, found=found))


@dataclass(frozen=True, slots=True)
class Page:
    """`items` in order; `more` if there may be others after the last; `closed` if no word outside
    of the policy could be admitted too."""

    items: tuple[str, ...]
    more: bool
    closed: bool


def who(
    snapshot: Snapshot, field: str, fixed: dict[str, object], after: str = "", limit: int = PAGE
) -> Page:
    """The values of one field of the request, the others fixed, for which the answer is allow."""
    whole_page("limit", limit)
    index = snapshot.indexes["m"]
    fields = index.words.request
    for name in (field, *fixed):
        if name not in fields:
            raise InputError(NO_FIELD.of(field=name, known=", ".join(fields)))
    for name in fields:
        if name != field and name not in fixed:  # "nobody" would be no answer to half a question
            raise InputError(HALF_ASKED.of(field=name))
    closed = _closed(index, field)
    found: list[str] = []
    for word in _allowed(index, field, fixed, _candidates(snapshot, field).of(fixed, after)):
        if len(found) == limit:
            return Page(tuple(found), True, closed)
        found.append(word)
    return Page(tuple(found), False, closed)


def words(snapshot: Snapshot, field: str) -> tuple[str, ...]:
    """Every word of the policy that this field of a request could be, in order."""
    return tuple(_candidates(snapshot, field).all)


def _allowed(
    index: Index, field: str, fixed: dict[str, object], asked: Iterable[str]
) -> Iterator[str]:
    """The words with which the request is allowed."""
    fields, find = index.words.request, index.find
    allows, none, default = index.allows, len(index.allows), index.default
    request = [fixed.get(name, "") for name in fields]
    at = fields.index(field)
    for word in asked:
        request[at] = word
        try:
            rank = find(*request)
        except Exception:  # noqa: BLE001, S112 - any doubt denies, as in decide
            continue
        if default if rank == none else allows[rank]:
            yield word


def _candidates(snapshot: Snapshot, field: str) -> Candidates:
    known = snapshot.candidates.get(field)
    if known is None:
        known = snapshot.candidates[field] = Candidates(snapshot.indexes["m"], field)
    assert isinstance(known, Candidates)
    return known


def _closed(index: Index, field: str) -> bool:
    """Whether every branch looks this field up, and no row is needed to allow."""
    looked_up = [
        any(isinstance(k.value, Name) and k.value.path[1:] == (field,) for k in branch.keys)
        for branch in index.branches
    ]
    return all(looked_up) and not index.default
