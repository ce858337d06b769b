"""How a parcel came to its stage: when it was ordered, picked up and delivered, and every scan.

Pickups follow the hours of the published trace; accept to pickup has a median of 2.1 hours and a
99th percentile of 30.
"""

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from acl_engine.replay.world.company import DAY, HOUR, NOW, World
from acl_engine.replay.world.people import Draw
from acl_engine.replay.world.seed import NamedParcel
from acl_engine.replay.world.staff import Staff

# Pickups by hour in the LaDe-P sample.
PICKUP_HOURS = {
    7: 24, 8: 378, 9: 918, 10: 1055, 11: 733, 12: 579, 13: 466, 14: 514, 15: 444, 16: 495,
    17: 373, 18: 187, 19: 24,
}  # fmt: skip
# Hours between accepting an order and picking it up: ln 2.1, and 30 at the 99th percentile.
_WAIT_MU, _WAIT_SIGMA, _WAIT_MOST = 0.742, 1.143, 72.0
DONE = frozenset({"DELIVERED", "CLAIM", "ARCHIVED"})
_AT_DEST = frozenset({"AT_BRANCH", "OUT_FOR_DELIVERY", "AT_STATION", "RETURNING"}) | DONE
_ON_THE_WAY = _AT_DEST | {"IN_TRANSIT"}
# Hours at least between pickup and the stage's own moment, and days that it may lie further back.
_SINCE_PICKUP = {"PICKED_UP": 1, "IN_TRANSIT": 8, "AT_BRANCH": 20}
_REACHED_DEST = 30
_DAYS_BACK = {"PICKED_UP": 1, "AT_BRANCH": 2, "RETURNING": 10}
_SETTLED_DAYS = {"ARCHIVED": (200, 400), "CLAIM": (1, 25), "DELIVERED": (0, 28)}
_SCAN_GAP = 4 * HOUR

_T = TypeVar("_T")


class Weighted(Generic[_T]):
    """A draw by weights, prepared once."""

    def __init__(self, weights: Mapping[_T, int]) -> None:
        self._names = list(weights)
        self._sums = list(accumulate(weights.values()))

    def draw(self, draw: Draw) -> _T:
        return self._names[bisect(self._sums, draw.random() * self._sums[-1])]


class Scan(NamedTuple):
    """One custody event. An in-scan `answers` the id of its counterpart's out-scan."""

    id: int
    kind: str
    unit: str
    counterpart: str | None
    answers: int | None
    account: str
    device: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Times:
    """Epoch seconds UTC. `picked` is meant, not yet done, while the parcel is only ordered."""

    ordered: int
    picked: int
    out: int | None
    delivered: int | None


class Clockwork:
    """Draws the times of parcels."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._midnight = int(NOW.replace(hour=0, minute=0, second=0).timestamp())
        self._hours = Weighted(PICKUP_HOURS)

    def times(self, draw: Draw, stage: str, hours_ago: int = 0) -> Times:
        """`hours_ago`: delivered so long before now; 0 draws it."""
        now = self._now
        waited = int(min(_WAIT_MOST, draw.lognormvariate(_WAIT_MU, _WAIT_SIGMA)) * HOUR)
        if stage == "ORDERED":
            return Times(now - draw.below(12 * HOUR), now + waited, None, None)
        delivered = out = None
        if stage in DONE:
            first, last = _SETTLED_DAYS[stage]
            drawn = (first * 24 + 1 + draw.below((last - first) * 24)) * HOUR + draw.below(HOUR)
            delivered = now - (hours_ago * HOUR or drawn)
            out = delivered - 3 * HOUR
        elif stage in ("OUT_FOR_DELIVERY", "AT_STATION", "RETURNING"):
            out = now - 5 * HOUR
        latest = (delivered or now) - _SINCE_PICKUP.get(stage, _REACHED_DEST) * HOUR
        latest -= draw.below(_DAYS_BACK.get(stage, 1)) * DAY
        picked = self._pickup(draw, latest)
        return Times(picked - waited, picked, out, delivered)

    def _pickup(self, draw: Draw, latest: int) -> int:
        """A moment of a working day, on the last day that fits before `latest`."""
        moment = self._hours.draw(draw) * HOUR + draw.below(HOUR)
        days = (latest - self._midnight - moment) // DAY
        return self._midnight + days * DAY + moment


class Scanner:
    """Numbers the scans of a world and writes each parcel's."""

    def __init__(self, world: World, last: int = 0) -> None:
        self._world = world
        self._last = last

    def scans(
        self,
        stage: str,
        way: tuple[str, str, str | None],
        hands: tuple[Staff | None, Staff | None],
        times: Times,
        spec: NamedParcel | None,
    ) -> tuple[Scan, ...]:
        """`way`: origin and destination branch, station. `hands`: who picked up, who delivers."""
        if stage == "ORDERED":
            return ()
        (origin, dest, station), (picker, courier) = way, hands
        hub = self._world.units[dest].parent or dest
        at = times.picked
        found = [self._scan("pickup", origin, None, None, picker, at)]
        if stage in _ON_THE_WAY:
            left = self._scan("out", origin, hub, None, None, at + _SCAN_GAP // 2)
            found += [left, self._scan("in", hub, origin, left.id, None, at + _SCAN_GAP)]
            if stage in _AT_DEST:
                left = self._scan("out", hub, dest, None, None, at + 2 * _SCAN_GAP)
                found.append(left)
                if not (spec and spec.unsound):
                    found.append(self._scan("in", dest, hub, left.id, None, at + 3 * _SCAN_GAP))
            elif spec and spec.sent_to:
                found.append(self._scan("out", hub, spec.sent_to, None, None, at + 2 * _SCAN_GAP))
        if station:
            found.append(self._scan("station", station, dest, None, None, times.out or at))
        if stage == "RETURNING":
            found.append(self._scan("return", dest, None, None, courier, times.out or at))
        if times.delivered is not None:
            found.append(self._scan("deliver", dest, None, None, courier, times.delivered))
        return tuple(found)

    def _scan(
        self,
        kind: str,
        unit: str,
        other: str | None,
        answers: int | None,
        by: Staff | None,
        at: int,
    ) -> Scan:
        member = (by or self._world.handlers[unit]).member
        self._last += 1
        return Scan(self._last, kind, unit, other, answers, member.login, member.device, at)


def custody(
    stage: str, origin: str, dest: str, hub: str, spec: NamedParcel | None
) -> tuple[str | None, bool]:
    """Which unit holds the parcel, and whether out-scan and in-scan agree."""
    if spec and spec.custody:
        return spec.custody, True
    if stage == "ORDERED" or stage in DONE:
        return None, False
    if stage == "PICKED_UP":
        return origin, True
    if stage == "IN_TRANSIT":
        return hub, True  # until the counterpart's in-scan
    return dest, not (spec and spec.unsound)
