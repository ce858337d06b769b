"""Detection rules in Sigma's format: event rules, correlation rules, and what of them we read.

An event rule says which events count; a correlation rule counts them. What Sigma cannot say stands
under `acl`, a custom attribute that other tools leave aside (their alerts are then coarser):

    response   notify | step-up | freeze
    unless     an event counts only if no event of `rule` for the same subject lies within `before`
               and `after` it
    first      an event counts only if its `field` is new to each of `by` within `history`; nothing
               counts until somebody has been at work for `warm-up`
    distinct   of a sequence, each event has another value of this field

INVARIANT: a construct that is not read here is refused by name; nothing is skipped in silence.
"""

import re
from typing import Any, Literal

import msgspec

from acl_engine.domain.alarm import Level, Response

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    pass


class LogSource(_Struct, frozen=True):
    product: Literal["acl_engine"]
    service: Literal["audit"]


class _Rule(_Struct, frozen=True):
    """What both kinds have. `name` is what a correlation refers to, and what an alert is called."""

    title: str
    id: str
    name: str
    status: Literal["experimental", "test", "stable"]
    description: str
    author: str
    date: str


class EventRule(_Rule, frozen=True, kw_only=True):
    """`detection`: searches by name, and a `condition` over them."""

    logsource: LogSource
    detection: dict[str, Any]


class Count(_Struct, frozen=True):
    """How many it takes; `field` for value_count: how many different ones."""

    gte: int
    field: str | None = None


class Correlation(_Struct, frozen=True):
    type: Literal["event_count", "value_count", "temporal_ordered"]
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan: str
    condition: Count | None = None


class Unless(_Struct, frozen=True):
    rule: str
    before: str
    after: str


class First(_Struct, frozen=True):
    field: str
    by: tuple[str, ...]
    history: str
    warm_up: str


class Extras(_Struct, frozen=True):
    """`zh`: the title for Chinese readers."""

    zh: str
    response: Response
    unless: Unless | None = None
    first: First | None = None
    distinct: str | None = None


class CorrelationRule(_Rule, frozen=True, kw_only=True):
    correlation: Correlation
    level: Level
    acl: Extras
    falsepositives: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def span(text: str) -> int:
    """A time span (`90s`, `10m`, `48h`, `30d`) in milliseconds. Raises ValueError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]
