"""An application's classes as the policy sees them, and what is counted and listed of them.

INVARIANTS
- What a policy reads of a record is read by one way, whether from an instance or by SQL.
- A page is never cut silently: `next` says where to go on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from acl_engine.decision.over_records import Record
from acl_engine.decision.partial import Rows
from acl_engine.domain.errors import InputError
from acl_engine.domain.scope import Scope
from acl_engine.domain.text import Text
from acl_engine.storage.mapped_rows import MappedRows

UNREGISTERED = Text(
    "embedding.unregistered",
    "类 `{name}` 没有登记",
    "the class `{name}` is not registered",
    "写作 Engine(policy, {{类型名: 类}})；已登记：{known}",
    "write Engine(policy, {{type name: class}}); registered: {known}",
)
NO_ATTRIBUTE = Text(
    "embedding.attribute",
    "登记的类没有属性 `{name}`",
    "the registered class has no attribute `{name}`",
    "可用：{known}",
    "known: {known}",
)


@dataclass(frozen=True)
class Resource:
    """How the records of one class look to the policy; a plain class is `Resource(cls)`.

    `model`       a mapped class, or a Table
    `attributes`  policy's name -> the class's own name, or a column expression. Every column of
                  text, int or bool is an attribute under its own name anyway
    `text`        the attribute that stands for the record where the policy compares the record
                  itself (`r.obj == p.obj`); without it, the type's name stands for every record
    `people`      whose data it is -> the attribute that tells them apart, for `blast_radius`
    """

    model: Any
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    text: str = "type"
    people: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Registered:
    type: str
    resource: Resource
    mapped: MappedRows

    @property
    def rows(self) -> Rows:
        return Rows(self.mapped.kinds, self.mapped.constants, self.resource.text)

    def record(self, instance: Any) -> Record:
        attributes = self.mapped.attributes(instance)
        return Record(attributes, attributes.get(self.resource.text))

    def counts(self, session: Any, scope: Scope) -> tuple[int, Mapping[str, int]]:
        """How many records of the scope, and of how many people."""
        names = tuple(self.resource.people.values())
        rows, *people = self.mapped.count(session, self.mapped.condition(scope), *names)
        return rows, MappingProxyType(dict(zip(self.resource.people, people, strict=True)))


class Registry:
    """The registered classes, by type name and by class."""

    def __init__(self, resources: Mapping[str, Any]) -> None:
        """Raises InputError for a class that is not mapped."""
        self._known = {name: _registered(name, one) for name, one in resources.items()}

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._known.values())

    def of(self, model: Any) -> Registered:
        """The registration of a class, of its parent, or of a Table. Raises InputError."""
        for one in self:
            own = one.resource.model
            parent = isinstance(own, type) and isinstance(model, type) and issubclass(model, own)
            if own is model or parent:
                return one
        known = ", ".join(self._known) or "-"
        raise InputError(UNREGISTERED.of(name=getattr(model, "__name__", model), known=known))


def _registered(name: str, given: Any) -> Registered:
    resource = given if isinstance(given, Resource) else Resource(given)
    mapped = MappedRows(resource.model, resource.attributes, MappingProxyType({"type": name}))
    wrong = [one for one in (resource.text, *resource.people.values()) if one not in mapped.known]
    if wrong:
        raise InputError(NO_ATTRIBUTE.of(name=wrong[0], known=", ".join(mapped.known)))
    return Registered(name, resource, mapped)


@dataclass(frozen=True, slots=True)
class Page:
    """`items` in order. `next`: give it as `after=` to go on; None: that was all."""

    items: tuple[Any, ...]
    next: Any
