"""A trace as people read it: one line for each event, the newest first.

INVARIANT: what cannot be read as events is shown as it was given, and never fails a page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import msgspec

from acl_engine.domain.text import Message, Text

# The field that is a trace: `at`, `kind`, `unit` and `city` of each scan.
TRACE = "trace"
# Parcels travel by one clock, wherever the service runs.
_CHINA = timezone(timedelta(hours=8))
_KINDS = {
    "in": Text("scanner.event-in", "入扫", "scanned in"),
    "out": Text("scanner.event-out", "出扫", "scanned out"),
    "pickup": Text("scanner.event-pickup", "揽收", "picked up"),
    "station": Text("scanner.event-station", "放入驿站", "at a pickup station"),
    "return": Text("scanner.event-return", "退回", "sent back"),
    "deliver": Text("scanner.event-deliver", "签收", "delivered"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """`when` is the date and time in China; `what` is None for a kind without a word."""

    when: str
    what: Message | None
    where: str


class _Scan(msgspec.Struct):
    at: int
    kind: str
    unit: str
    city: str = ""


def events(trace: str) -> tuple[Event, ...]:
    """The events of a trace; one without a time for a text that is none."""
    try:
        return tuple(_event(one) for one in reversed(msgspec.json.decode(trace, type=list[_Scan])))
    except (ValueError, OverflowError, OSError):  # not JSON, or a time that no calendar has
        return (Event("", None, trace),)


def _event(one: _Scan) -> Event:
    moment = datetime.fromtimestamp(one.at, _CHINA)
    known = one.kind in _KINDS
    place = (one.city, one.unit) if known else (one.kind, one.city, one.unit)
    what = _KINDS[one.kind].of() if known else None
    return Event(f"{moment:%Y-%m-%d %H:%M}", what, " ".join(part for part in place if part))
