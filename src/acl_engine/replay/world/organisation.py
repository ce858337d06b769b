"""Units and areas of a world: the seed's, and as many further branches as its parcels need.

A branch has 39 areas, as the median region of the published trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from acl_engine.replay.world.seed import Company, Unit

AREAS_PER_BRANCH = 39
ROUTES_PER_BRANCH = 12
# What nine couriers carry in the days that a world covers.
PARCELS_PER_BRANCH = 20_000


@dataclass(frozen=True, slots=True)
class Area:
    """An area of interest (AOI): the smallest place that a courier serves."""

    id: str
    branch: str
    route: str
    city: str
    district: str
    street: str
    name: str


def grown_units(company: Company, waybills: int) -> dict[str, Unit]:
    """The units by id, parents first; large worlds get further branches in the same streets."""
    units = {unit.id: unit for unit in company.units}
    named = [unit for unit in company.units if unit.kind == "branch"]
    for i in range(len(named), waybills // PARCELS_PER_BRANCH):
        unit, part = named[i % len(named)], i // len(named) + 1
        further = msgspec.structs.replace(
            unit, id=f"{unit.id}-{part:02d}", zh=f"{unit.zh}{part}部", en=f"{unit.en} {part}"
        )
        units[further.id] = further
    return units


def paths_of(units: dict[str, Unit]) -> dict[str, str]:
    """The way down from headquarters to each unit: /hq/gd/hub-sz/ba-xixiang/."""

    def path(unit: Unit) -> str:
        above = path(units[unit.parent]) if unit.parent else "/"
        return f"{above}{unit.id}/"

    return {unit.id: path(unit) for unit in units.values()}


def areas_of(unit: Unit, company: Company) -> Iterator[Area]:
    """The areas of a branch, dealt out over its streets and routes."""
    names = company.area_names
    for i in range(AREAS_PER_BRANCH):
        phase, name = i // len(names), names[i % len(names)]
        yield Area(
            id=f"a-{unit.id}-{i:02d}",
            branch=unit.id,
            route=f"{unit.id}-r{i % ROUTES_PER_BRANCH:02d}",
            city=unit.city,
            district=unit.district,
            street=unit.streets[i % len(unit.streets)],
            name=f"{name}{'一二三'[phase]}期" if phase else name,
        )
