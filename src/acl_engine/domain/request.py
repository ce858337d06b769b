"""What is asked. A `Query` is what the caller sent; a `Request` is what normalise made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})


class Action(StrEnum):
    """Permission words. Each is a right of its own; none is a flag of another."""

    READ = "read"
    SEARCH = "search"
    TRACE = "trace"
    REVERSE_LOOKUP = "reverse_lookup"
    COUNT_BY_PHONE = "count_by_phone"
    AGGREGATE = "aggregate"
    VERIFY = "verify"
    DIAL = "dial"
    REASSIGN = "reassign"
    SCAN_OUT = "scan_out"
    SCAN_IN = "scan_in"
    OPEN_TICKET = "open_ticket"
    EXPORT = "export"
    PUBLISH = "publish"
    DISCLOSE = "disclose"
    ASK = "ask"
    BREAK_GLASS = "break_glass"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Query:
    """A raw request: `key` names one record, `by` searches, `fields` asks for less than all.

    `params` are the arguments of an act (to whom a parcel is reassigned, which unit scans).
    """

    action: str
    resource: str
    key: str | None = None
    by: Mapping[str, str] = field(default_factory=lambda: _NONE)
    fields: tuple[str, ...] = ()
    purpose: str | None = None
    ticket: str | None = None
    params: Mapping[str, str] = field(default_factory=lambda: _NONE)
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A normalised request: a known action on a known resource type, values in canonical form."""

    id: str
    action: Action
    resource: str
    key: str | None
    by: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    purpose: str | None
    ticket: str | None
    params: tuple[tuple[str, str], ...]
    limit: int
    after: str | None
