"""Parcels of a world, streamed: facts, people, custody scans. Frozen values, no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from acl_engine.replay.world.company import World
from acl_engine.replay.world.journey import (
    DONE,
    Clockwork,
    Scan,
    Scanner,
    Times,
    Weighted,
    custody,
)
from acl_engine.replay.world.organisation import Area
from acl_engine.replay.world.people import Customer, Draw, source
from acl_engine.replay.world.seed import NamedParcel
from acl_engine.replay.world.staff import Staff

_STAGES = {
    "ORDERED": 5, "PICKED_UP": 4, "IN_TRANSIT": 14, "AT_BRANCH": 12, "OUT_FOR_DELIVERY": 14,
    "AT_STATION": 6, "DELIVERED": 36, "RETURNING": 2, "CLAIM": 1, "ARCHIVED": 6,
}  # fmt: skip
ASSIGNED = frozenset({"OUT_FOR_DELIVERY", "RETURNING"}) | DONE
_FROM_SHOPS, _CASH = 0.6, 0.04
_REMARKS = ("", "", "", "", "", "", "放门口即可", "请轻放", "工作日送", "送前请致电{phone}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """`facts` are the columns of `waybills` but the id; `fields` the clear personal values."""

    id: int
    name: str | None
    facts: dict[str, str | int | bool | None]
    fields: dict[str, str]
    scans: tuple[Scan, ...]

    key_field: ClassVar[str] = "waybill_no"

    @property
    def waybill_no(self) -> str:
        return str(self.facts["waybill_no"])

    @property
    def key(self) -> str:
        return self.waybill_no

    @property
    def person(self) -> str:
        return str(self.facts["recipient"])


@dataclass(frozen=True, slots=True)
class Plan:
    """Who sends what to whom, and by whose hands. `spec` is a parcel that the seed names;
    `number` is a waybill number that is already given."""

    stage: str
    area: Area
    to: Customer
    sender: Customer
    sent_from: Area
    tenant: str | None
    picker: Staff | None
    courier: Staff | None
    station: str | None
    spec: NamedParcel | None = None
    number: str | None = None

    @property
    def origin(self) -> str:
        named = self.spec is not None and self.picker is not None
        return self.picker.member.unit if named and self.picker else self.sent_from.branch


def parcels(world: World, count: int) -> Iterator[Parcel]:
    """The named parcels first, then random ones up to `count`. Same world, same parcels.

    A company without branches carries none.
    """
    if not world.areas:
        return
    maker = Maker(world, source(world.seed, "parcels"))
    for spec in world.company.parcels:
        yield maker.named(spec)
    for _ in range(max(0, count - len(world.company.parcels))):
        yield maker.random()


class Maker:
    """Makes parcels one after the other. Ids go on after `last` and `last_scan`."""

    def __init__(self, world: World, draw: Draw, last: int = 0, last_scan: int = 0) -> None:
        self._world = world
        self._draw = draw
        self._id = last
        self._stages = Weighted(_STAGES)
        self._clockwork = Clockwork(world.now)
        self._scanner = Scanner(world, last_scan)
        self._serving = serving(world)
        # Nobody lives where the cast delivers but the customers of named parcels, so that a
        # scenario knows the cast's whole load.
        self._homes = [
            area
            for branch in sorted(world.areas)
            for area in world.areas[branch]
            if area.id in self._serving
        ]
        self._stations = {u.parent: u.id for u in world.company.units if u.kind == "station"}
        self._offset = draw.below(10**12)
        self._stops: dict[str, int] = {}

    def named(self, spec: NamedParcel) -> Parcel:
        world = self._world
        sender = world.customers[spec.sender]
        plan = Plan(
            spec.stage,
            world.areas[spec.unit][spec.area],
            world.customers[spec.to],
            sender,
            self._home(sender),
            spec.tenant,
            world.staff[spec.pickup] if spec.pickup else None,
            world.staff[spec.courier] if spec.courier else None,
            spec.station,
            spec,
        )
        return self.made(plan)

    def random(self) -> Parcel:
        draw, world = self._draw, self._world
        stage = self._stages.draw(draw)
        to = world.customer_at(draw.below(world.population))
        area = self._home(to)
        station = self._stations.get(area.branch)
        if stage == "AT_STATION" and station is None:
            stage = "AT_BRANCH"
        tenant, sender, sent_from = self._sender()
        return self.made(
            Plan(
                stage,
                area,
                to,
                sender,
                sent_from,
                tenant,
                draw.pick(self._serving[sent_from.id]),
                draw.pick(self._serving[area.id]) if stage in ASSIGNED else None,
                station if stage == "AT_STATION" else None,
            )
        )

    def _sender(self) -> tuple[str | None, Customer, Area]:
        draw, world = self._draw, self._world
        if draw.random() < _FROM_SHOPS:
            shop = draw.pick(world.company.merchants)
            # Shops stand where generated couriers pick up: behind the areas of the cast.
            return shop.tenant, world.shops[shop.tenant], world.areas[shop.unit][-1]
        sender = world.customer_at(draw.below(world.population))
        return None, sender, self._home(sender)

    def _home(self, customer: Customer) -> Area:
        return self._homes[customer.home % len(self._homes)]

    def made(self, plan: Plan, times: Times | None = None) -> Parcel:
        """The parcel of a plan. `times` are drawn unless they are known."""
        self._id += 1
        stage, spec = plan.stage, plan.spec
        if times is None:
            times = self._clockwork.times(self._draw, stage, spec.hours if spec else 0)
        facts = self._facts(plan, times)
        scans = self._scanner.scans(
            stage,
            (plan.origin, plan.area.branch, plan.station),
            (plan.picker, plan.courier),
            times,
            spec,
        )
        return Parcel(self._id, spec.name if spec else None, facts, self._fields(plan), scans)

    def _facts(self, plan: Plan, times: Times) -> dict[str, str | int | bool | None]:
        area, courier, spec = plan.area, plan.courier, plan.spec
        hub = self._world.units[area.branch].parent or area.branch
        unit, sound = custody(plan.stage, plan.origin, area.branch, hub, spec)
        return {
            "waybill_no": plan.number or self._number(),
            "stage": plan.stage,
            "tenant": plan.tenant,
            "origin_unit": plan.origin,
            "dest_unit": area.branch,
            "dest_path": self._world.paths[area.branch],
            "custody_unit": unit,
            "custody_sound": sound,
            "route": area.route,
            "area": area.id,
            "city": area.city,
            "pickup_courier": plan.picker.person if plan.picker else None,
            "assignee": courier.person if courier else None,
            "assignee_sound": courier is not None,
            "stop_seq": self._stop(plan),
            "station": plan.station,
            "sender": plan.sender.id,
            "recipient": plan.to.id,
            "cod": spec.cod if spec else self._draw.random() < _CASH,
            "ordered_at": times.ordered,
            "out_at": times.out,
            "delivered_at": times.delivered,
        }

    def _number(self) -> str:
        # A full-period step through the space: unique, and not the neighbour's number plus one.
        return f"SN{(self._id * 618_033_988_751 + self._offset) % 10**13:013d}"

    def _stop(self, plan: Plan) -> int | None:
        if plan.stage != "OUT_FOR_DELIVERY" or plan.courier is None:
            return None
        if plan.spec and plan.spec.stop:
            return plan.spec.stop
        person = plan.courier.person
        self._stops[person] = self._stops.get(person, 0) + 1
        return self._stops[person]

    def _fields(self, plan: Plan) -> dict[str, str]:
        draw, spec = self._draw, plan.spec
        area, sent_from, to, sender = plan.area, plan.sent_from, plan.to, plan.sender
        remark = draw.pick(_REMARKS)
        if spec:
            remark = _REMARKS[-1] if spec.remark_phone else ""
        value = spec.value if spec and spec.value else 20 + draw.below(880)
        place = f"{sent_from.city}{sent_from.district}{sent_from.street}{sent_from.name}"
        return {
            "city": f"{area.city}{area.district}",
            "area": f"{area.street}{area.name}",
            "unit": to.room,
            "recipient_name": to.name,
            "recipient_phone": to.phone,
            "sender_name": sender.name,
            "sender_phone": sender.phone,
            "sender_address": f"{place}{sender.room}",
            "item": spec.item if spec and spec.item else self._world.people.item(draw),
            "value": f"{value}.00",
            "id_number": sender.id_number,
            "pod": f"POD-{draw.below(10**8):08d}",
            "pickup_code": f"{draw.below(10**6):06d}",
            "remark": remark.replace("{phone}", to.phone),
        }


def serving(world: World) -> dict[str, list[Staff]]:
    """Area -> its generated couriers. The cast's areas are the cast's alone."""
    cast = {area for one in world.staff.values() if one.cast for area in one.areas}
    found: dict[str, list[Staff]] = {}
    for one in world.staff.values():
        if one.member.role == "courier":
            for area in one.areas:
                if area not in cast:
                    found.setdefault(area, []).append(one)
    return found
