"""Which stops of a courier's load were released at a moment: the lowest open one and the next two.

The same rule as the directory's, over the times at which each parcel went out and arrived.
"""

import heapq
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from acl_engine.analysis.backtest.columns import NO_INT, NO_WORD, TRUE, Array, Timeline

# The directory's RELEASED_AHEAD; a test compares the two.
AHEAD = 2
NOTHING_OPEN = 0


@dataclass(frozen=True, slots=True)
class Released:
    """By person, at each change of the load: the last stop that is released."""

    timeline: Timeline
    stops: Array

    @classmethod
    def of(cls, load: tuple[Array, Array, Array], times: tuple[Array, Array]) -> "Released":
        """`load`: who has it, whether soundly, which stop; `times`: out, delivered."""
        (person, sound, stop), (out, delivered) = load, times
        open_ = (person != NO_WORD) & (sound == TRUE) & (stop != NO_INT) & (out != NO_INT)
        mine = np.flatnonzero(open_)
        mine = mine[np.argsort(person[mine], kind="stable")]
        owners: list[int] = []
        moments: list[int] = []
        stops: list[int] = []
        bounds = np.flatnonzero(np.diff(person[mine])) + 1
        for start, end in pairwise([0, *bounds.tolist(), len(mine)]):
            part = mine[start:end]
            changes = _changes(stop[part], out[part], delivered[part])
            for moment, released in changes:
                owners.append(int(person[part[0]]))
                moments.append(moment)
                stops.append(released)
        timeline = Timeline(np.array(owners, np.int64), np.array(moments, np.int64))
        return cls(timeline, np.array(stops, np.int64)[timeline.order])

    def at(self, person: Array, at: Array) -> Array:
        place = self.timeline.last(person, at)
        if not len(self.stops):
            return np.full(len(person), NOTHING_OPEN)
        return np.where(place >= 0, self.stops[place], NOTHING_OPEN)


def _changes(stop: Array, out: Array, delivered: Array) -> list[tuple[int, int]]:
    """When one courier's released stop changes, and to what."""
    events = [(int(at), 1, place) for place, at in enumerate(out)]
    events += [(int(at), 0, place) for place, at in enumerate(delivered) if at != NO_INT]
    events.sort()
    waiting: list[tuple[int, int]] = []
    done: set[int] = set()
    found: dict[int, int] = {}
    for at, leaves, place in events:
        if leaves:
            heapq.heappush(waiting, (int(stop[place]), place))
        else:
            done.add(place)
        while waiting and waiting[0][1] in done:
            heapq.heappop(waiting)
        found[at] = waiting[0][0] + AHEAD if waiting else NOTHING_OPEN
    return list(found.items())
