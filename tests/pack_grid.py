"""Random principals and parcels for tests that compare two readings of one policy."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Request

_TEXTS = ["a", "b", "a/b/", "A", "%", "_", "１", ""]
_SETS: list[frozenset[str]] = [frozenset(), frozenset({"a"}), frozenset({"a", "%"})]


@cache
def _values(kind: str) -> st.SearchStrategy[Any]:
    known: dict[str, list[Any]] = {
        "text": _TEXTS,
        "int": [0, 1, 2, 3, 4],
        "bool": [False, True],
        "set": _SETS,
    }
    # None is drawn often: one list is also one draw a value, and most of the cost is draws.
    return st.sampled_from([None, *known[kind]])


@cache  # a strategy that is made anew for each example costs more than what it draws
def _records(
    kinds: tuple[tuple[str, str], ...], fixed: tuple[tuple[str, tuple[str, ...]], ...]
) -> st.SearchStrategy[dict[str, Any]]:
    drawn = {name: _values(kind) for name, kind in kinds}
    return st.fixed_dictionaries(drawn | {name: st.sampled_from(one) for name, one in fixed})


def subjects(pack: Pack) -> st.SearchStrategy[dict[str, Any]]:
    """Subject facts with every attribute, any of them None; the role is a real one."""
    fixed = (("role", tuple(sorted(pack.roles))),)
    return _records(tuple(pack.subject_attributes.items()), fixed)


def parcels(pack: Pack) -> st.SearchStrategy[dict[str, Any]]:
    """Parcel attributes, any of them None but the type and the stage."""
    spec = pack.resources["waybill"]
    fixed = (("type", ("waybill",)), ("stage", tuple(spec.stages)))
    return _records(tuple(spec.attributes.items()), fixed)


def request(action: Action, key: str | None = "a") -> Request:
    return Request("req", action, "waybill", key, (), (), None, None, (), 50, None)


def facts(subject: dict[str, Any], resource: dict[str, Any] | None) -> Facts:
    return Facts(subject, resource)
