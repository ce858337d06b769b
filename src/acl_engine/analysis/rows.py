"""The rows of a pack as its analyses read them: whose they are, and whether one always applies."""

from functools import cache

from acl_engine.domain.errors import Where
from acl_engine.domain.pack import Pack, Row
from acl_engine.policy.expression import parse
from acl_engine.policy.pack_checks import closure


def rows_of(pack: Pack, role: str) -> tuple[Row, ...]:
    """The rows of a role and of every group that it belongs to."""
    parents: dict[str, set[str]] = {}
    for child, group in pack.role_links:
        parents.setdefault(child, set()).add(group)
    groups = closure(role, parents)
    return tuple(row for row in pack.rows if row.role in groups)


def always(pack: Pack, relation: str) -> bool:
    """Whether a row's relation is one that holds for everybody and everything."""
    spec = pack.relations.get(relation)
    return spec is not None and is_true(spec.expression)


@cache
def is_true(expression: str) -> bool:
    """Whether an expression is the constant `true`."""
    return parse(expression, Where("-")) == parse("true", Where("-"))


def at(pack: Pack, row: Row) -> Where:
    """Where a row stands."""
    return Where(f"{pack.folder}/policy.csv", row.line)
