"""Questions to a compiled policy that are not "may this one": who may, and what may be reached.

`subjects_for`, `resources_for` and `actions_for` walk the policy's own words and ask `decide`, so
they cannot differ from it. A word that the policy does not hold is not listed; where the policy
would admit words that it does not hold (a pattern, an attribute), the answer says so.

INVARIANTS
- Complete over the policy's words, in a fixed order, and paged: `after` is the last one seen;
  `more` tells that the page was full.
- No page is cut silently.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.policy.branches import KeyPart
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
    index = snapshot.indexes["m"]
    fields = index.words.request
    for name in (field, *fixed):
        if name not in fields:
            raise InputError(NO_FIELD.of(field=name, known=", ".join(fields)))
    found: list[str] = []
    for word in sorted(_words(index, field)):
        if word <= after:
            continue
        request = [word if name == field else fixed.get(name, "") for name in fields]
        if _allowed(index, request):
            if len(found) == limit:
                return Page(tuple(found), True, _closed(index, field))
            found.append(word)
    return Page(tuple(found), False, _closed(index, field))


def words(snapshot: Snapshot, field: str) -> tuple[str, ...]:
    """Every word of the policy that this field of a request could be, in order."""
    return tuple(sorted(_words(snapshot.indexes["m"], field)))


def _allowed(index: Index, request: list[object]) -> bool:
    try:
        rank = index.find(*request)
    except Exception:  # noqa: BLE001 - any doubt denies, as in decide
        return False
    return index.default if rank == len(index.rows) else index.allows[rank]


def _keys(index: Index, field: str) -> Iterator[KeyPart]:
    for branch in index.branches:
        for part in branch.keys:
            if isinstance(part.value, Name) and part.value.path[1:] == (field,):
                yield part


def _words(index: Index, field: str) -> set[str]:
    """Every word of the policy that this field of a request could be."""
    found: set[str] = set()
    for part in _keys(index, field):
        found.update(row[part.column] for row in index.rows)
        if part.role:
            for key in index.reach[part.role]:
                found.add(key if isinstance(key, str) else key[0])
    return found


def _closed(index: Index, field: str) -> bool:
    """Whether every branch looks this field up, and no row is needed to allow."""
    looked_up = [
        any(isinstance(k.value, Name) and k.value.path[1:] == (field,) for k in branch.keys)
        for branch in index.branches
    ]
    return all(looked_up) and not index.default
