"""Parcels of a world, streamed: facts, people, custody scans. Frozen values, no database.

Pickups follow the hours of the published trace; accept to pickup has a median of 2.1 hours and a
99th percentile of 30.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from acl_engine.replay.world.company import DAY, HOUR, NOW, Area, Staff, World
from acl_engine.replay.world.people import Customer, source
from acl_engine.replay.world.seed import NamedParcel

# Pickups by hour in the LaDe-P sample.
_HOURS = {
    7: 24, 8: 378, 9: 918, 10: 1055, 11: 733, 12: 579, 13: 466, 14: 514, 15: 444, 16: 495,
    17: 373, 18: 187, 19: 24,
}  # fmt: skip
_STAGES = {
    "ORDERED": 5, "PICKED_UP": 4, "IN_TRANSIT": 14, "AT_BRANCH": 12, "OUT_FOR_DELIVERY": 14,
    "AT_STATION": 6, "DELIVERED": 36, "RETURNING": 2, "CLAIM": 1, "ARCHIVED": 6,
}  # fmt: skip
_DONE = frozenset({"DELIVERED", "CLAIM", "ARCHIVED"})
_AT_DEST = frozenset({"AT_BRANCH", "OUT_FOR_DELIVERY", "AT_STATION", "RETURNING"}) | _DONE
_ON_THE_WAY = _AT_DEST | {"IN_TRANSIT"}


@dataclass(frozen=True, slots=True)
class Scan:
    id: int
    kind: str
    unit: str
    counterpart: str | None
    answers: int | None
    account: str
    at: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """`facts` are the columns of `waybills` but the id; `fields` the clear personal values."""

    id: int
    name: str | None
    facts: dict[str, str | int | bool | None]
    fields: dict[str, str]
    scans: tuple[Scan, ...]

    @property
    def waybill_no(self) -> str:
        return str(self.facts["waybill_no"])


def parcels(world: World, count: int) -> Iterator[Parcel]:
    """The named parcels first, then random ones up to `count`. Same world, same parcels."""
    draw = source(world.seed, "parcels")
    maker = _Maker(world, draw)
    named = world.company.parcels
    for spec in named:
        yield maker.named(spec)
    for _ in range(max(0, count - len(named))):
        yield maker.random()


class _Maker:
    def __init__(self, world: World, draw: Random) -> None:
        self._world = world
        self._draw = draw
        self._id = 0
        self._scan = 0
        self._branches = sorted(world.areas)
        self._couriers = {branch: world.couriers(branch) for branch in self._branches}
        self._serving = _serving(self._couriers)
        self._stations = {u.parent: u.id for u in world.company.units if u.kind == "station"}
        # The draw for the whole world starts at a point that depends on its seed.
        self._offset = draw.randrange(10**12)
        self._stage_names = list(_STAGES)
        self._stage_weights = list(_STAGES.values())
        self._hours, self._hour_weights = list(_HOURS), list(_HOURS.values())
        self._stops: dict[str, int] = {}

    def named(self, spec: NamedParcel) -> Parcel:
        world = self._world
        area = world.areas[spec.unit][spec.area]
        courier = world.staff[spec.courier] if spec.courier else None
        pickup = world.staff[spec.pickup] if spec.pickup else None
        to, sender = world.customers[spec.to], world.customers[spec.sender]
        facts, scans = self._made(spec.stage, area, courier, pickup, to, sender, spec)
        fields = self._fields(area, to, sender, spec)
        return Parcel(self._id, spec.name, facts, fields, scans)

    def random(self) -> Parcel:
        draw = self._draw
        stage = draw.choices(self._stage_names, self._stage_weights)[0]
        branch = draw.choice(self._branches)
        area = draw.choice(self._world.areas[branch])
        if stage == "AT_STATION" and branch not in self._stations:
            stage = "AT_BRANCH"
        serving = self._serving.get(area.id) or self._couriers[branch]
        courier = draw.choice(serving) if stage != "ORDERED" else None
        pickup = draw.choice(self._couriers[draw.choice(self._branches)])
        to, sender = self._stranger(), self._stranger()
        facts, scans = self._made(stage, area, courier, pickup, to, sender, None)
        fields = self._fields(area, to, sender, None)
        return Parcel(self._id, None, facts, fields, scans)

    def _stranger(self) -> Customer:
        id_ = f"k-{self._draw.randrange(10**9):09d}"
        return self._world.people.customer(id_, self._draw, None)

    def _made(
        self,
        stage: str,
        area: Area,
        courier: Staff | None,
        pickup: Staff | None,
        to: Customer,
        sender: Customer,
        spec: NamedParcel | None,
    ) -> tuple[dict[str, str | int | bool | None], tuple[Scan, ...]]:
        self._id += 1
        world, draw = self._world, self._draw
        origin = pickup.member.unit if pickup else draw.choice(self._branches)
        times = self._times(stage, spec)
        assigned = courier if stage in ("OUT_FOR_DELIVERY", "RETURNING") or stage in _DONE else None
        if spec and spec.courier:
            assigned = courier
        custody, sound = _custody(stage, area.branch, origin, spec)
        facts: dict[str, str | int | bool | None] = {
            "waybill_no": self._number(),
            "stage": stage,
            "tenant": spec.tenant if spec else draw.choice((None, *world.company.tenants)),
            "origin_unit": origin,
            "dest_unit": area.branch,
            "dest_path": world.paths[area.branch],
            "custody_unit": custody,
            "custody_sound": sound,
            "route": area.route,
            "area": area.id,
            "city": area.city,
            "pickup_courier": pickup.person if pickup else None,
            "assignee": assigned.person if assigned else None,
            "assignee_sound": assigned is not None,
            "stop_seq": self._stop(stage, assigned, spec),
            "station": self._station(stage, area.branch, spec),
            "sender": sender.id,
            "recipient": to.id,
            "cod": spec.cod if spec else draw.random() < 0.04,
            **times,
        }
        return facts, self._scans(facts, spec)

    def _number(self) -> str:
        # A full-period step through the space: unique, and not the neighbour's number plus one.
        return f"SN{(self._id * 618_033_988_751 + self._offset) % 10**13:013d}"

    def _stop(self, stage: str, who: Staff | None, spec: NamedParcel | None) -> int | None:
        if stage != "OUT_FOR_DELIVERY" or who is None:
            return None
        if spec and spec.stop:
            return spec.stop
        # The named parcels of the cast keep the first stops.
        self._stops[who.person] = self._stops.get(who.person, 20 if who.cast else 0) + 1
        return self._stops[who.person]

    def _station(self, stage: str, branch: str, spec: NamedParcel | None) -> str | None:
        if spec and spec.station:
            return spec.station
        return self._stations.get(branch) if stage == "AT_STATION" else None

    def _times(self, stage: str, spec: NamedParcel | None) -> dict[str, int | None]:
        draw, now = self._draw, self._world.now
        days = draw.randrange(200, 400) if stage == "ARCHIVED" else draw.randrange(2, 12)
        delivered: int | None = None
        if stage in _DONE:
            hours = spec.hours if spec and spec.hours else days * 24 - draw.randrange(24)
            delivered = now - hours * HOUR
        hour = draw.choices(self._hours, self._hour_weights)[0]
        midnight = int(NOW.replace(hour=0, minute=0, second=0).timestamp())
        picked = midnight - (days - 1) * DAY + hour * HOUR + draw.randrange(HOUR)
        if delivered is not None:
            picked = min(picked, delivered - 30 * HOUR)
        waited = min(72.0, draw.lognormvariate(0.742, 1.143))  # hours: median 2.1, p99 30
        picked = min(picked, now - 12 * HOUR)
        ordered = picked - int(waited * HOUR)
        out = {"OUT_FOR_DELIVERY": now - 5 * HOUR}.get(stage)
        if delivered is not None:
            out = delivered - 3 * HOUR
        return {"ordered_at": ordered, "out_at": out, "delivered_at": delivered}

    def _scans(
        self, facts: dict[str, str | int | bool | None], spec: NamedParcel | None
    ) -> tuple[Scan, ...]:
        stage, dest, origin = (
            str(facts["stage"]),
            str(facts["dest_unit"]),
            str(facts["origin_unit"]),
        )
        if stage == "ORDERED":
            return ()
        at = int(facts["ordered_at"] or 0) + 3 * HOUR
        found: list[Scan] = []

        def scan(kind: str, unit: str, other: str | None, answers: int | None = None) -> int:
            nonlocal at
            self._scan += 1
            found.append(Scan(self._scan, kind, unit, other, answers, f"scan-{unit}", at))
            at += 4 * HOUR
            return self._scan

        scan("pickup", origin, None)
        if stage in _ON_THE_WAY:
            hub = self._world.units[dest].parent or dest
            scan("in", hub, origin, scan("out", origin, hub))
            if stage in _AT_DEST:
                left = scan("out", hub, dest)
                if not (spec and spec.unsound):
                    scan("in", dest, hub, left)
            elif spec and spec.sent_to:
                scan("out", hub, spec.sent_to)
        if facts["station"]:
            scan("station", str(facts["station"]), dest)
        if stage in _DONE:
            at = int(facts["delivered_at"] or at)
            scan("deliver", dest, None)
        return tuple(found)

    def _fields(
        self, area: Area, to: Customer, sender: Customer, spec: NamedParcel | None
    ) -> dict[str, str]:
        draw, people = self._draw, self._world.people
        remark = f"送前请致电{to.phone}" if spec and spec.remark_phone else ""
        value = spec.value if spec and spec.value else draw.randrange(20, 900)
        return {
            "city": f"{area.city}{area.district}",
            "area": f"{area.street}{area.name}",
            "unit": people.room(draw),
            "recipient_name": to.name,
            "recipient_phone": to.phone,
            "sender_name": sender.name,
            "sender_phone": sender.phone,
            "sender_address": f"深圳市宝安区新安街道前进一路{draw.randrange(1, 900)}号",
            "item": spec.item if spec and spec.item else people.item(draw),
            "value": f"{value}.00",
            "id_number": sender.id_number,
            "pod": f"POD-{draw.randrange(10**8):08d}",
            "pickup_code": f"{draw.randrange(10**6):06d}",
            "remark": remark,
        }


def _serving(couriers: dict[str, list[Staff]]) -> dict[str, list[Staff]]:
    found: dict[str, list[Staff]] = {}
    for group in couriers.values():
        for one in group:
            # The cast's loads are the named ones alone, so that a scenario can count on them.
            if not one.cast:
                for area in one.areas:
                    found.setdefault(area, []).append(one)
    return found


def _custody(
    stage: str, dest: str, origin: str, spec: NamedParcel | None
) -> tuple[str | None, bool]:
    if spec and spec.custody:
        return spec.custody, True
    if stage == "ORDERED" or stage in _DONE:
        return None, False
    if stage == "PICKED_UP":
        return origin, True
    if stage == "IN_TRANSIT":
        return "hub-sz", True
    return dest, not (spec and spec.unsound)
