"""The company of a seed: organisation, staff, customers and their secrets. No database."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from acl_engine.replay.world.listing import Listed, listed
from acl_engine.replay.world.organisation import Area, areas_of, grown_units, paths_of
from acl_engine.replay.world.people import Customer, People, source
from acl_engine.replay.world.seed import Company, Names, Unit
from acl_engine.replay.world.staff import Staff, handlers_of, heads_of, make_staff

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 2, 21, 40, tzinfo=CHINA)  # the late shift of a working day
HOUR = 3600
DAY = 24 * HOUR
# Customers whom a scenario names, then the shops, then everyone else.
_SHOPS_FROM, _OTHERS_FROM = 100, 1_000
_FEWEST_CUSTOMERS = 60
# The last phones are kept for the customers of an imported trace.
GUESTS = 200_000
_PARCELS_PER_CUSTOMER = 4


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
    customers: dict[str, Customer]  # by the name that scenarios use
    shops: dict[str, Customer]  # by tenant
    heads: dict[str, str]  # by unit: who makes shifts and assignments
    handlers: dict[str, Staff]  # by unit: who scans
    population: int
    listed: tuple[Listed, ...] = ()

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
        return self.heads[unit]

    def customer_at(self, index: int) -> Customer:
        """One of the `population` customers whom nobody names."""
        index += _OTHERS_FROM
        # Three in ten proved their phone in the app.
        days = index * 7 % 400 if index % 10 < 3 else None
        bound = None if days is None else self.now - days * DAY
        return self.people.customer(index, f"k-{index:07d}", bound)

    def guest(self, index: int) -> Customer:
        """One of the customers of an imported trace; `index` below GUESTS."""
        return self.people.customer(self.people.most - 1 - index, f"k-lade-{index:07d}", None)


def make_world(company: Company, names: Names, seed: str, waybills: int) -> World:
    """The company of a seed, with as many branches and customers as the parcels need."""
    people = People(names, seed)
    units = grown_units(company, waybills)
    areas = {u.id: tuple(areas_of(u, company)) for u in units.values() if u.kind == "branch"}
    staff = make_staff(company, units, areas, people, source(seed, "staff"))
    bound = int(NOW.timestamp()) - 90 * DAY
    customers = {
        name: people.customer(i, f"k-{name}", bound if name == "neighbour" else None)
        for i, name in enumerate(company.customers)
    }
    shops = {
        shop.tenant: people.customer(_SHOPS_FROM + i, f"k-shop-{shop.tenant}", None, shop.zh)
        for i, shop in enumerate(company.merchants)
    }
    # Who has no branches carries no parcels, and has no customers but those a scenario names.
    wanted = max(_FEWEST_CUSTOMERS, waybills // _PARCELS_PER_CUSTOMER) if areas else 0
    return World(
        seed=seed,
        company=company,
        people=people,
        units=units,
        paths=paths_of(units),
        areas=areas,
        staff=staff,
        customers=customers,
        shops=shops,
        heads=heads_of(staff, units, company.heads),
        handlers=handlers_of(staff),
        population=min(wanted, people.most - _OTHERS_FROM - GUESTS),
        listed=tuple(listed(company.lists, int(NOW.timestamp()))),
    )


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
