"""Cells on their way into a spreadsheet: none runs as a formula, none says what nobody declared."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from acl_engine.domain.pack import Kind, ResourceSpec
from acl_engine.masking.shape import ALL_HIDDEN, clean
from acl_engine.masking.suspect import holds_number

FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?%?\Z")
# Fields whose value may be anything that somebody typed.
_LOOSE = frozenset({Kind.PLAIN, Kind.MONEY, Kind.NUMBER, Kind.FREE_TEXT})
# What else is in such a column slipped there from the next one: a name, an address.
_COUNTED = frozenset({Kind.MONEY, Kind.NUMBER})
_AMOUNT = re.compile(
    r"[¥$]? ?[+-]?\d{1,3}(?:,?\d{3}){0,3}(?:\.\d{1,4})?"
    r" ?(?:%|人|口|户|套|间|万?元|平方?米|m2)?\Z"
)


def runs_as_formula(text: str) -> bool:
    """Whether a spreadsheet would run a cell; what it ignores before a formula is ignored too."""
    start = text if text[0] in FORMULA or text.isascii() else clean(text)
    return start.lstrip().startswith(FORMULA) and not _NUMBER.match(text)


def outgoing(shown: Mapping[str, str], resource: ResourceSpec) -> Mapping[str, str]:
    """A view as the row of a file that leaves. A field that is no number and holds a phone or an
    identity number all the same is hidden, and whatever is no amount where one belongs."""
    return MappingProxyType({name: _cell(resource, name, shown[name]) for name in shown})


def _cell(resource: ResourceSpec, name: str, text: str) -> str:
    kind = resource.fields[name].kind
    loose = kind in _LOOSE
    if kind in _COUNTED and not _AMOUNT.match(clean(text)):
        return ALL_HIDDEN
    if loose and holds_number(clean(text)):
        return ALL_HIDDEN
    if text and runs_as_formula(text):
        return ALL_HIDDEN if loose else "'" + text
    return text
