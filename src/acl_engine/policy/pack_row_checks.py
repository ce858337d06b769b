"""Every word of one row of a pack must exist: role, record, action, stage, field, relation."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.request import Action
from acl_engine.domain.text import Text
from acl_engine.policy.expression import names, parse
from acl_engine.policy.pack_rows import COLUMNS
from acl_engine.policy.places import cell_column

# The mask profiles are data of the masking room, which policy may not import; a test compares.
PROFILES = frozenset(
    {
        "label-gbt41833",
        "screen-strict",
        "pickup",
        "spp-2022-case8",
        "housing-strict",
        "legacy-3-4",
        "city-only",
    }
)
UNKNOWN_WORD = Text(
    "pack.unknown-word",
    "{what} `{word}` 不存在",
    "{what} `{word}` does not exist",
    "最接近的：{near}",
    "closest: {near}",
)

# Where a word of a row stands: its column's name and the word.
Place = Callable[[str, str], Where]


def in_row(pack: Pack, row: Row, column: str, word: str) -> Where:
    """Where a word stands in a column of a row."""
    line = pack.files["policy.csv"].splitlines()[row.line - 1]
    start = cell_column(line, COLUMNS.index(column) + 1)
    found = line.find(word, start - 1)
    return Where(f"{pack.folder}/policy.csv", row.line, found + 1 if found >= 0 else start)


def relation_words(pack: Pack, row: Row, at: Place) -> Iterator[PolicyError]:
    try:
        words = names(parse(row.relation, at("relation", row.relation), relation=True))
    except PolicyError as finding:
        yield finding
        return
    for path in sorted(words):
        if path[0] not in pack.relations or len(path) != 1:
            name = ".".join(path)
            yield unknown("relation", name, set(pack.relations), at("relation", name))


def row_words(pack: Pack, row: Row, at: Place) -> Iterator[PolicyError]:
    groups = {group for _, group in pack.role_links}
    if row.role not in pack.roles and row.role not in groups:
        yield unknown("role", row.role, set(pack.roles) | groups, at("role", row.role))
    if row.action not in set(Action):
        known = {str(action) for action in Action}
        yield unknown("action", row.action, known, at("act", row.action))
    resource = pack.resources.get(row.resource)
    if resource is None:
        known = set(pack.resources)
        yield unknown("resource", row.resource, known, at("res", row.resource))
        return
    for stage in row.stages:
        if stage not in resource.stages:
            yield unknown("stage", stage, set(resource.stages), at("stages", stage))
    for field, how in row.grants:
        if field not in resource.fields:
            yield unknown("field", field, set(resource.fields), at("grant", f"{field}="))
        if how != "clear" and how not in PROFILES:
            yield unknown("mask profile", how, PROFILES, at("grant", f":{how}"))


def unknown(what: str, word: str, known: "set[str] | frozenset[str]", where: Where) -> PolicyError:
    """A word that does not exist, with the closest that do."""
    near = ", ".join(get_close_matches(word, sorted(known), 3, 0.4)) or "-"
    return PolicyError(UNKNOWN_WORD.of(what=what, word=word, near=near), where)
