"""Questions to a compiled policy that are not "may this one": who, what, and why.

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

from acl_engine.decision.snapshot import Snapshot, rule_id
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Lang, Message, Text
from acl_engine.policy import code
from acl_engine.policy.branches import Branch, KeyPart
from acl_engine.policy.expression import Expr, Name
from acl_engine.policy.index import Index
from acl_engine.policy.patterns import Refused
from acl_engine.policy.written import written

PAGE = 1000

NO_FIELD = Text(
    "questions.field",
    "请求没有字段 `{field}`",
    "the request has no field `{field}`",
    "模型定义了：{known}",
    "the model defines: {known}",
)
MISS = Text(
    "questions.miss",
    "最接近的一行 `{rule}` 还缺：{lacking}",
    "the closest row `{rule}` lacks: {lacking}",
)
NOTHING_NEAR = Text("questions.nothing-near", "没有任何一行接近", "no row comes near")


@dataclass(frozen=True, slots=True)
class Page:
    """`items` in order; `more` if there may be others after the last; `closed` if no word outside
    of the policy could be admitted too."""

    items: tuple[str, ...]
    more: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Why:
    """The decision; the rows that made it; on a miss, the conditions that were not met."""

    decision: Decision
    row: tuple[str, ...]
    lacking: tuple[str, ...]
    said: Message

    def render(self, lang: Lang = "en") -> str:
        return self.said.render(lang)


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


def why(snapshot: Snapshot, request: tuple[object, ...], decision: Decision) -> Why:
    """The row that decided, or the row that came closest and what it lacked."""
    index = snapshot.indexes["m"]
    rank = next((n for n, line in _ids(snapshot, index) if line in decision.rules), None)
    if rank is not None:
        return Why(decision, index.rows[rank], (), decision.reason)
    best: tuple[int, int, tuple[str, ...]] | None = None
    for branch in index.branches:
        tests = _tests(index, branch)
        for at, row in enumerate(index.rows):
            if not index.allows[at]:
                continue
            missing = tuple(text for text, test in tests if not _holds(test, request, row))
            if best is None or (len(missing), at) < best[:2]:
                best = (len(missing), at, missing)
    if best is None:
        return Why(decision, (), (), NOTHING_NEAR.of())
    rule = rule_id(index, snapshot.file, best[1])
    said = MISS.of(rule=rule, lacking=", ".join(best[2]) or "-")
    return Why(decision, index.rows[best[1]], best[2], said)


def _ids(snapshot: Snapshot, index: Index) -> Iterator[tuple[int, str]]:
    return ((at, rule_id(index, snapshot.file, at)) for at in range(len(index.rows)))


def _tests(index: Index, branch: Branch) -> list[tuple[str, object]]:
    """Each condition of a branch by its text, as a function of the request and a row."""
    given = ", ".join([*(f"r_{field}" for field in index.words.request), "row"])
    found: list[tuple[str, object]] = []
    for part in branch.parts:
        source = f"lambda {given}: {code.condition(part, index.words)}"
        test = eval(source, dict(index.env))  # noqa: S307 - written from the tree alone
        found.append((_text(part), test))
    return found


def _text(part: Expr) -> str:
    return written(part)


def _holds(test: object, request: tuple[object, ...], row: tuple[str, ...]) -> bool:
    try:
        return test(*request, row) is True  # type: ignore[operator]
    except (Refused, TypeError, ValueError, KeyError, ZeroDivisionError):
        return False
