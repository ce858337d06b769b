"""What a waybill's scans say of it, event by event: stage, custody, when it went out and arrived.

The same rules as `storage.custody`, read backwards: it changes the record and writes the scan;
here the scans are read, and the record as it was comes out.

INVARIANTS
- Between two events nothing changes; before its order a waybill does not exist.
- What leaves no event is not guessed: archiving and shredding, so that a waybill which is archived
  now counts as delivered before. A claim begins with the first claim that was opened on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from acl_engine.analysis.backtest.columns import (
    FALSE,
    NO_INT,
    NO_WORD,
    TRUE,
    Array,
    Timeline,
    Words,
)

# Kinds of events: those of the table of scans, and those that a waybill's own columns date.
ORDERED, PICKUP, OUT, IN, LEFT, STATION, RETURN, DELIVER, CLAIMED = range(9)
SCANS = {
    "pickup": PICKUP,
    "out": OUT,
    "in": IN,
    "station": STATION,
    "return": RETURN,
    "deliver": DELIVER,
}
_STAGES = {
    ORDERED: "ORDERED",
    PICKUP: "PICKED_UP",
    STATION: "AT_STATION",
    RETURN: "RETURNING",
    LEFT: "OUT_FOR_DELIVERY",
    DELIVER: "DELIVERED",
    CLAIMED: "CLAIM",
}


@dataclass(frozen=True, slots=True)
class Events:
    """One row an event, in any order. `answered` is a truth, `unit` and `other` are words."""

    owner: Array
    at: Array
    kind: Array
    unit: Array
    other: Array
    answered: Array


@dataclass(frozen=True, slots=True)
class Custody:
    """The waybills' states; `columns` by attribute, one value an event of the timeline."""

    timeline: Timeline
    columns: dict[str, Array]


def custody(events: Events, dest: Array, stations: Iterable[str], words: Words) -> Custody:
    """The state after each event. `dest` is by owner: the unit that the waybill is addressed to."""
    # Events of one second stand in the order of a waybill's life.
    order = np.argsort(events.kind, kind="stable")
    line = Timeline(events.owner[order], events.at[order])
    order = order[line.order]
    kind, unit = events.kind[order], events.unit[order]
    other, answered = events.other[order], events.answered[order]
    home = dest[line.owner]
    station = np.isin(unit, words.column(stations))
    to_station = np.isin(other, words.column(stations))
    leaves = (kind == LEFT) | ((kind == OUT) & (other == unit))
    returning = line.carried(kind == RETURN, np.isin(kind, (ORDERED, RETURN)))

    stage = np.full(len(kind), NO_WORD, dtype=np.int64)
    for one, name in _STAGES.items():
        stage[kind == one] = words.add(name)
    stage[leaves] = words.add("OUT_FOR_DELIVERY")
    moved = ((kind == OUT) & ~leaves & ~to_station) | (kind == IN)
    stage[moved] = words.add("IN_TRANSIT")
    stage[(kind == IN) & (unit == home)] = words.add("AT_BRANCH")
    stage[(kind == IN) & station] = words.add("AT_STATION")
    stage[returning & ((kind == OUT) | (kind == IN))] = words.add("RETURNING")

    held = np.select(
        [kind == LEFT, np.isin(kind, (PICKUP, OUT, IN, RETURN))], [home, unit], NO_WORD
    )
    sound = np.select([kind == PICKUP, kind == IN], [TRUE, answered], FALSE)
    ends = np.isin(kind, (ORDERED, DELIVER))
    at_station = (kind == STATION) | ((kind == IN) & station)
    new = kind == ORDERED
    columns = {
        "stage": line.carried(stage, stage != NO_WORD),
        "custody_unit": line.carried(held, (held != NO_WORD) | ends),
        "custody_sound": line.carried(sound, np.isin(kind, (PICKUP, IN)) | ends),
        "out_at": line.carried(np.where(leaves, line.at, NO_INT), leaves | new),
        "delivered_at": line.carried(
            np.where(kind == DELIVER, line.at, NO_INT), (kind == DELIVER) | new
        ),
        "station": line.carried(np.where(at_station, unit, NO_WORD), at_station | new),
    }
    return Custody(line, columns)
