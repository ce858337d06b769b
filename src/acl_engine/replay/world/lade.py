"""A published parcel trace as part of the company: its regions become branches under headquarters.

INVARIANTS
- Real are the shape and the times: who picked up what, where and when. The people are synthetic.
- The file is checked whole before the first row is written, and then loaded in one transaction.
- The trace is moved by whole days, so that its last pickup lies on the world's last day.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from acl_engine.replay.world.build import (
    Batch,
    Sealing,
    company_rows,
    customer_batches,
    parcel_batches,
)
from acl_engine.replay.world.company import DAY, GUESTS, HOUR, World
from acl_engine.replay.world.journey import Times
from acl_engine.replay.world.organisation import ROUTES_PER_BRANCH, Area, paths_of
from acl_engine.replay.world.parcels import ASSIGNED, Maker, Parcel, Plan, serving
from acl_engine.replay.world.people import Draw, source
from acl_engine.replay.world.seed import Member, Unit
from acl_engine.replay.world.staff import Staff, handlers_of, heads_above, hire, office
from acl_engine.replay.world.trace import Pickup, read_trace
from acl_engine.storage import bulk
from acl_engine.storage.database import Database

# Cities of the publication; another city keeps the name that the file gives it.
_CITIES = {
    "chongqing": "重庆市", "hangzhou": "杭州市", "jilin": "吉林市", "shanghai": "上海市",
    "yantai": "烟台市",
}  # fmt: skip
_PARCELS_PER_CUSTOMER = 4
_KEY = 10  # letters of a city's name in ids, which have room for 32
# Hours since pickup until which a parcel is at a stage.
_UNTIL = (("PICKED_UP", 8), ("IN_TRANSIT", 20), ("AT_BRANCH", 34))
_ARCHIVED_AFTER = 180 * 24
_DELIVERY = 30  # hours from pickup, at least


@dataclass
class Trace:
    """What the first reading learned. Areas and couriers by branch, in the order of the file."""

    path: Path
    rows: int = 0
    latest: int = 0
    areas: dict[str, dict[int, None]] = field(default_factory=dict)
    cities: dict[str, str] = field(default_factory=dict)  # branch -> city
    couriers: dict[int, Counter[str]] = field(default_factory=dict)
    served: dict[int, dict[str, None]] = field(default_factory=dict)  # courier -> area ids


def survey(path: Path) -> Trace:
    """Read and check the whole file. Raises InputError that names the bad rows."""
    trace = Trace(path)
    for one in read_trace(path):
        branch = _branch(one)
        trace.rows += 1
        trace.latest = max(trace.latest, one.picked)
        trace.cities[branch] = one.city
        trace.areas.setdefault(branch, {})[one.area] = None
        trace.couriers.setdefault(one.courier, Counter())[branch] += 1
        trace.served.setdefault(one.courier, {})[_area(one)] = None
    return trace


def import_trace(
    database: Database,
    base: World,
    trace: Trace,
    sealing: Sealing,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Add the trace to a finished world, all or nothing. Raises StoreError, InputError."""
    world = trace_world(base, trace)
    last = bulk.last_ids(database)
    guests = max(1, min(GUESTS, trace.rows // _PARCELS_PER_CUSTOMER))

    def batches() -> Iterator[Batch]:
        yield company_rows(world, sealing, "strong", last)
        yield from customer_batches(map(world.guest, range(guests)), sealing)
        made = _parcels(world, trace, guests, last)
        yield from parcel_batches(world, made, sealing, progress)

    bulk.extend(database, batches())


def trace_world(base: World, trace: Trace) -> World:
    """The units, areas and staff of a trace alone, under the headquarters of `base`."""
    units = {unit.id: unit for unit in _units(trace)}
    known = base.units | units
    paths = paths_of(known)
    areas = {
        branch: tuple(_areas(base, units[branch], numbers))
        for branch, numbers in trace.areas.items()
    }
    members = [member for unit in units.values() for member in office(unit)]
    members += [_courier(number, of) for number, of in trace.couriers.items()]
    above = heads_above([*base.company.cast, *members], known, base.company.heads)
    staff: dict[str, Staff] = {}
    for one in hire(members, above, base.people, source(base.seed, "trace-staff")):
        staff[one.login] = one
    for number, chosen in trace.served.items():
        login = _login(number)
        staff[login] = replace(staff[login], areas=tuple(chosen))
    company = msgspec.structs.replace(
        base.company, units=(), cast=(), stray_devices=(), parcels=(), work_items=()
    )
    return replace(
        base,
        company=company,
        units=units,
        paths={unit: paths[unit] for unit in units},
        areas=areas,
        staff=staff,
        customers={},
        shops={},
        heads={unit: above[unit][0] for unit in units},
        handlers=handlers_of(staff),
        population=0,
    )


def _units(trace: Trace) -> Iterator[Unit]:
    for city in dict.fromkeys(trace.cities.values()):
        key, zh = _key(city), _CITIES.get(city.lower(), city)
        above, hub = f"lade-{key}", f"lade-{key}-hub"
        yield Unit(above, "province", f"{zh}大区", city, zh, zh, parent="hq")
        yield Unit(hub, "hub", f"{zh}分拨中心", f"{city} hub", zh, zh, parent=above)
    for branch, city in trace.cities.items():
        zh, region = _CITIES.get(city.lower(), city), branch.rsplit("-", 1)[1]
        yield Unit(
            branch, "branch", f"{zh}{region}区营业点", f"{city} region {region}", zh,
            f"片区{region}", parent=f"lade-{_key(city)}-hub", streets=(f"片区{region}",),
        )  # fmt: skip


def _areas(base: World, unit: Unit, numbers: dict[int, None]) -> Iterator[Area]:
    names = base.company.area_names
    for i, number in enumerate(numbers):
        yield Area(
            id=f"a-{unit.id}-{number}",
            branch=unit.id,
            route=f"{unit.id}-r{i % ROUTES_PER_BRANCH:02d}",
            city=unit.city,
            district=unit.district,
            street=unit.streets[0],
            name=f"{names[number % len(names)]}{number}号",
        )


def _courier(number: int, branches: Counter[str]) -> Member:
    login, home = _login(number), branches.most_common(1)[0][0]
    return Member(login, "courier", home, f"pda-{login}", late=number % 3 == 0)


def _parcels(world: World, trace: Trace, guests: int, last: dict[str, int]) -> Iterator[Parcel]:
    draw = source(world.seed, "trace")
    maker = Maker(world, draw, max(last["waybills"], last["assignments"]), last["scans"])
    by_id = {area.id: area for group in world.areas.values() for area in group}
    places, couriers = list(by_id.values()), serving(world)
    shift = (world.now - trace.latest) // DAY * DAY
    for one in read_trace(trace.path):
        stage, times = _progress(draw, one.accepted + shift, one.picked + shift, world.now)
        sent_from = by_id[_area(one)]
        to = world.guest(draw.below(guests))
        home = places[to.home % len(places)]
        plan = Plan(
            stage=stage,
            area=home,
            to=to,
            sender=world.guest(draw.below(guests)),
            sent_from=sent_from,
            tenant=None,
            picker=world.staff[_login(one.courier)],
            courier=draw.pick(couriers[home.id]) if stage in ASSIGNED else None,
            station=None,
            number=f"LD{one.order:012d}",
        )
        yield maker.made(plan, times)


def _progress(draw: Draw, accepted: int, picked: int, now: int) -> tuple[str, Times]:
    """How far a parcel has come since its pickup, and when."""
    age = (now - picked) / HOUR
    for stage, until in _UNTIL:
        if age < until:
            return stage, Times(accepted, picked, None, None)
    spare = min(48 * HOUR, now - picked - _DELIVERY * HOUR)
    delivered = picked + _DELIVERY * HOUR + draw.below(spare)
    stage = "ARCHIVED" if age > _ARCHIVED_AFTER else "DELIVERED"
    return stage, Times(accepted, picked, delivered - 3 * HOUR, delivered)


def _key(city: str) -> str:
    return "".join(c for c in city.lower() if c.isalpha())[:_KEY]


def _branch(one: Pickup) -> str:
    return f"lade-{_key(one.city)}-{one.region}"


def _area(one: Pickup) -> str:
    return f"a-{_branch(one)}-{one.area}"


def _login(courier: int) -> str:
    return f"lade-c{courier}"
