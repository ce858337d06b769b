"""A trace as people read it: one line for each event, the newest first.

INVARIANT: what cannot be read as events is shown as it was given, and fails nobody who shows it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from acl_engine.domain.text import Message, Text

# The field that is a trace: `at`, `kind`, `unit` and `city` of each scan.
TRACE = "trace"
# Parcels travel by one clock, wherever the service runs.
_CHINA = timezone(timedelta(hours=8))
_KINDS = {
    "in": Text("trace.event-in", "入扫", "scanned in"),
    "out": Text("trace.event-out", "出扫", "scanned out"),
    "pickup": Text("trace.event-pickup", "揽收", "picked up"),
    "station": Text("trace.event-station", "放入驿站", "at a pickup station"),
    "return": Text("trace.event-return", "退回", "sent back"),
    "deliver": Text("trace.event-deliver", "签收", "delivered"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """`when` is the date and time in China; `what` is None for a kind without a word."""

    when: str
    what: Message | None
    where: str


def events(trace: str) -> tuple[Event, ...]:
    """The events of a trace; one without a time for a text that is none."""
    try:
        return tuple(map(_event, _listed(json.loads(trace))[::-1]))
    # Not JSON, of another shape, or a time that no calendar has.
    except (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError):
        return (Event("", None, trace),)


def _listed(read: object) -> list[Mapping[str, object]]:
    if not isinstance(read, list):
        raise TypeError
    return read


def _event(one: Mapping[str, object]) -> Event:
    at, kind, unit, city = one["at"], one["kind"], one["unit"], one.get("city", "")
    if not isinstance(at, int) or not all(isinstance(part, str) for part in (kind, unit, city)):
        raise TypeError
    known = _KINDS.get(str(kind))
    place = (city, unit) if known else (kind, city, unit)
    where = " ".join(str(part) for part in place if part)
    moment = datetime.fromtimestamp(at, _CHINA)
    return Event(f"{moment:%Y-%m-%d %H:%M}", known.of() if known else None, where)
