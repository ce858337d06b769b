"""Exact criteria over policy facts, from the text that a request carries."""

import re
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, false

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

UNSEARCHABLE = Text(
    "records.unsearchable",
    "`{resource}` 不能按 `{criterion}` 查找",
    "`{resource}` cannot be searched by `{criterion}`",
    "请用登记过的可查条件，且给出完整值",
    "use a criterion that is registered as searchable, with its whole value",
)

_WORD = re.compile(r"[a-z_]{1,40}")
_INT = re.compile(r"-?[0-9]{1,15}")
_BOOL = {"true": True, "false": False}


def equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """The column's value is `value`; no row where the text is not of the column's kind."""
    if isinstance(column.type, Boolean):
        return column.is_(_BOOL[value]) if value in _BOOL else false()
    if isinstance(column.type, Integer):
        return column == int(value) if _INT.fullmatch(value) else false()
    return column == value if "\0" not in value else false()


def unsearchable(resource: str, name: str) -> InputError:
    """The error for a criterion that is not registered."""
    # The name came with the request and may hold anything: only a word is repeated.
    criterion = name if _WORD.fullmatch(name) else "?"
    return InputError(UNSEARCHABLE.of(resource=resource, criterion=criterion))
