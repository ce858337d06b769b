"""The unmasked record. PROTECTED: `setup.cfg` lists the only rooms that may import this module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acl_engine.domain.facts import Value
from acl_engine.domain.request import Request
from acl_engine.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """One record as it is stored: policy `attributes` (no personal data) and clear `fields`.

    `key` is the business key (a waybill number), itself personal information under the 2014
    postal rules, so it is a field too. The repr shows the type alone, so that a record that
    strays into a log or a traceback tells nothing.
    """

    type: str
    key: str = field(repr=False)
    attributes: Mapping[str, Value] = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)


class Records(Protocol):
    """The store of unmasked records. Opened by `bootstrap` alone."""

    def find(self, request: Request, scope: Scope) -> Sequence[PersonalRecord]:
        """Rows of `request.resource` that match its key or criteria *and* the scope.

        At most `request.limit` rows in the order of their keys, after the key
        `request.after`. A field that is made from other records (a trace) is
        made only where `request.fields` is empty or names it.
        Raises StoreError, or InputError for a criterion that cannot be searched.
        """
        ...
