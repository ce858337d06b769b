"""The company of a seed: organisation, staff, devices, shifts, roster. Frozen values, no database.

Shape as in a published parcel trace: 95 of 100 couriers work one branch, 5 two; a courier serves a
median of 3 areas; a quarter of the areas are served by several couriers; a branch has 39 areas.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from acl_engine.replay.world.people import Customer, People, source
from acl_engine.replay.world.seed import Company, Member, Names, Unit

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 2, 21, 40, tzinfo=CHINA)  # the late shift of a working day
HOUR = 3600
DAY = 24 * HOUR
AREAS_PER_BRANCH = 39
COURIERS_PER_BRANCH = 9


@dataclass(frozen=True, slots=True)
class Area:
    id: str
    branch: str
    route: str
    city: str
    district: str
    street: str
    name: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A person with an account. `areas` are those they are rostered for."""

    login: str
    person: str
    name: str
    member: Member
    superior: str | None
    areas: tuple[str, ...]
    cast: bool


@dataclass(frozen=True, slots=True)
class World:
    """Everything but the parcels."""

    seed: str
    company: Company
    people: People
    units: dict[str, Unit]
    paths: dict[str, str]
    areas: dict[str, tuple[Area, ...]]  # by branch
    staff: dict[str, Staff]  # by login
    customers: dict[str, Customer]

    @property
    def now(self) -> int:
        """The world's now in epoch seconds UTC."""
        return int(NOW.astimezone(UTC).timestamp())

    def couriers(self, branch: str) -> list[Staff]:
        return [
            one
            for one in self.staff.values()
            if one.member.role == "courier" and one.member.unit == branch
        ]

    def manager(self, unit: str) -> str:
        """The person who makes shifts and assignments there: never their gainer."""
        for one in self.staff.values():
            if one.member.role in ("branch_mgr", "hub_mgr") and one.member.unit == unit:
                return one.person
        return "p-region-01"


def make_world(company: Company, names: Names, seed: str, waybills: int) -> World:
    """The company of a seed, with as many couriers as the parcels of a day need."""
    people = People(names)
    units = {unit.id: unit for unit in company.units}
    paths = {unit.id: _path(unit, units) for unit in company.units}
    areas = {unit.id: _areas(unit, company) for unit in company.units if unit.kind == "branch"}
    couriers = max(COURIERS_PER_BRANCH, waybills // (len(areas) * 900))
    staff = {one.login: one for one in _staff(company, people, areas, couriers, seed)}
    draw = source(seed, "customers")
    bound = int(NOW.timestamp()) - 90 * DAY
    customers = {
        name: people.customer(f"k-{name}", draw, bound if name == "neighbour" else None)
        for name in company.customers
    }
    return World(seed, company, people, units, paths, areas, staff, customers)


def _path(unit: Unit, units: dict[str, Unit]) -> str:
    above = _path(units[unit.parent], units) if unit.parent else "/"
    return f"{above}{unit.id}/"


def _areas(unit: Unit, company: Company) -> tuple[Area, ...]:
    found = []
    for i in range(AREAS_PER_BRANCH):
        street = unit.streets[i % len(unit.streets)]
        name = company.area_names[i % len(company.area_names)]
        phase = i // len(company.area_names)
        found.append(
            Area(
                id=f"a-{unit.id}-{i:02d}",
                branch=unit.id,
                route=f"{unit.id}-r{i % 12:02d}",
                city=unit.city,
                district=unit.district,
                street=street,
                name=f"{name}{'一二三'[phase]}期" if phase else name,
            )
        )
    return tuple(found)


_CAST_AREAS = {
    "courier-88": (0, 2, 3),
    "courier-89": (1, 4),
    "courier-91": (0, 1),
    "courier-90": (0, 5),
}


def _staff(
    company: Company,
    people: People,
    areas: dict[str, tuple[Area, ...]],
    couriers: int,
    seed: str,
) -> Iterator[Staff]:
    draw = source(seed, "staff")
    managers = {m.unit: f"p-{m.login}" for m in company.cast if m.role.endswith("_mgr")}
    for member in company.cast:
        of_branch = areas.get(member.unit, ())
        chosen = tuple(of_branch[i].id for i in _CAST_AREAS.get(member.login, ()))
        person = f"p-{member.login}"
        superior = managers.get(member.unit)
        if superior == person:
            superior = "p-hq-ops-01" if member.role == "region_mgr" else "p-region-01"
        yield Staff(member.login, person, people.name(draw), member, superior, chosen, True)
    branches = sorted(areas)
    for branch in branches:
        taken = sum(1 for m in company.cast if m.unit == branch and m.role == "courier")
        for i in range(taken, couriers):
            login = f"c-{branch}-{i:03d}"
            member = Member(login, "courier", branch, f"pda-{login}", late=i % 3 == 0)
            chosen = _some_areas(draw, areas, branch, i)
            superior = managers.get(branch, "p-region-01")
            yield Staff(login, f"p-{login}", people.name(draw), member, superior, chosen, False)


def _some_areas(
    draw: Random, areas: dict[str, tuple[Area, ...]], branch: str, i: int
) -> tuple[str, ...]:
    count = min(24, max(1, round(draw.lognormvariate(1.1, 0.7))))
    own = areas[branch]
    # Areas 0 to 5 belong to the cast; the rest are dealt out in turn, some of them twice.
    start = 6 + (i * 4) % (len(own) - 6)
    chosen = {own[6 + (start - 6 + j) % (len(own) - 6)].id for j in range(count)}
    if draw.random() < 0.05:
        other = draw.choice([name for name in sorted(areas) if name != branch])
        chosen.add(areas[other][6].id)
    return tuple(sorted(chosen))


def strong_password(seed: str, login: str) -> str:
    """Long and unique; it belongs to a synthetic person."""
    digest = hashlib.sha256(f"{seed}\x1fpassword\x1f{login}".encode()).digest()
    return base64.b32encode(digest)[:24].decode().lower()


def totp_secret(seed: str, login: str) -> str:
    """Base32, 160 bits as RFC 4226 recommends."""
    digest = hashlib.sha256(f"{seed}\x1ftotp\x1f{login}".encode()).digest()
    return base64.b32encode(digest[:20]).decode()


def device_key(seed: str, device: str) -> bytes:
    """The 32-byte Ed25519 seed of a device's key."""
    return hashlib.sha256(f"{seed}\x1fdevice\x1f{device}".encode()).digest()
