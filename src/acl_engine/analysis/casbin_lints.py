"""Findings on a stock casbin policy: what stops it from loading, and what its author should see.

INVARIANT: an error is what `CompiledPolicy.from_files` raises, and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path

from acl_engine.analysis.findings import Finding, error_of, in_order
from acl_engine.decision.compiled import CompiledPolicy
from acl_engine.domain.errors import PolicyError, PolicyErrors, Where
from acl_engine.domain.text import Text

ROW_TWICE = Text(
    "lint.row-twice",
    "这一行与第 {first} 行相同",
    "the row is the same as line {first}",
    "删去一行",
    "take one out",
)
EMPTY_ROLE = Text(
    "lint.empty-role",
    "角色 `{role}` 没有任何一行，成员由此得不到任何权限",
    "the role `{role}` has no row, so its members gain nothing by it",
    "检查写法",
    "check the spelling",
)


def check_casbin(
    model: Path, policy: Path, *, compat: bool = False, functions: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Every finding, worst first, then by place. `functions` are names of the embedder's own."""
    try:
        read = CompiledPolicy.from_files(
            model, policy, compat=compat, functions=dict.fromkeys(functions, _not_called)
        )
    except PolicyErrors as failure:
        return in_order([*map(error_of, failure.errors), *map(_warning, failure.warnings)])
    except PolicyError as failure:
        return (error_of(failure),)
    return in_order([*map(_warning, read.warnings), *_twice(read), *_empty_roles(read)])


def _warning(found: PolicyError) -> Finding:
    return Finding("warning", found.message, found.where or Where("-"))


def _not_called(*_: object) -> bool:
    return False  # a check reads conditions and computes none


def _twice(policy: CompiledPolicy) -> Iterator[Finding]:
    snapshot = policy.snapshot
    index = snapshot.indexes["m"]
    first: dict[tuple[str, ...], int] = {}
    for row, line in sorted(zip(index.rows, index.lines, strict=True), key=lambda one: one[1]):
        if row in first:
            found = ROW_TWICE.of(first=first[row])
            yield Finding("note", found, Where(snapshot.file, line))
        first.setdefault(row, line)


def _empty_roles(policy: CompiledPolicy) -> Iterator[Finding]:
    """Roles of `g` that lead to no word of any row: mistyped, or left over."""
    snapshot = policy.snapshot
    links = snapshot.links.get("g", [])
    words = {cell for index in snapshot.indexes.values() for row in index.rows for cell in row}
    onward = {link[0] for link in links}
    seen: set[str] = set()
    for link, line in zip(links, snapshot.link_lines.get("g", []), strict=True):
        role = link[1]
        if role not in words and role not in onward and role not in seen:
            seen.add(role)
            yield Finding("warning", EMPTY_ROLE.of(role=role), Where(snapshot.file, line))
