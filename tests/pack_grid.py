"""Random principals and parcels for tests that compare two readings of one policy."""

from typing import Any

from hypothesis import strategies as st

from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Request

_TEXTS = ["a", "b", "a/b/", "A", "%", "_", "１", ""]
_SETS: list[frozenset[str]] = [frozenset(), frozenset({"a"}), frozenset({"a", "%"})]


def _values(kind: str) -> st.SearchStrategy[Any]:
    known: dict[str, st.SearchStrategy[Any]] = {
        "text": st.sampled_from(_TEXTS),
        "int": st.integers(0, 4),
        "bool": st.booleans(),
        "set": st.sampled_from(_SETS),
    }
    return st.one_of(st.none(), known[kind])


def subjects(pack: Pack) -> st.SearchStrategy[dict[str, Any]]:
    """Subject facts with every attribute, any of them None; the role is a real one."""
    facts = {name: _values(kind) for name, kind in pack.subject_attributes.items()}
    return st.fixed_dictionaries(facts | {"role": st.sampled_from(sorted(pack.roles))})


def parcels(pack: Pack) -> st.SearchStrategy[dict[str, Any]]:
    """Parcel attributes, any of them None but the type and the stage."""
    spec = pack.resources["waybill"]
    facts = {name: _values(kind) for name, kind in spec.attributes.items()}
    fixed = {"type": st.just("waybill"), "stage": st.sampled_from(spec.stages)}
    return st.fixed_dictionaries(facts | fixed)


def request(action: Action, key: str | None = "a") -> Request:
    return Request("req", action, "waybill", key, (), (), None, None, (), 50, None)


def facts(subject: dict[str, Any], resource: dict[str, Any] | None) -> Facts:
    return Facts(subject, resource)
