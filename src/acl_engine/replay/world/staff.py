"""Staff of a world: the cast by name, and whoever else each unit needs; who serves which areas.

Shape as in the published trace: 95 of 100 couriers work one branch, the others two or three; a
courier serves a median of three areas, at most 24; a quarter of the areas have several couriers.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from acl_engine.replay.world.organisation import Area
from acl_engine.replay.world.people import Draw, People
from acl_engine.replay.world.seed import Company, Member, Unit

COURIERS_PER_BRANCH = 9
MOST_AREAS = 24
_SHARED_AREAS = 0.25
_SKEW = 1.5  # a few couriers serve many areas
_TWO_BRANCHES, _THREE_BRANCHES = 0.05, 0.002
# Each kind of unit has these, named in the seed or generated: role, login, kind of device.
_NEEDED = {
    "branch": (("branch_mgr", "sup", "pc"), ("warehouse_keeper", "keeper", "pc")),
    "hub": (
        ("hub_mgr", "hub-mgr", "pc"),
        ("hub_sorter", "hub-sorter", "pda"),
        ("driver", "driver", "pda"),
    ),
    "station": (("station_clerk", "station", "pc"),),
}
_HANDLERS = frozenset({"warehouse_keeper", "hub_sorter", "station_clerk"})


@dataclass(frozen=True, slots=True)
class Staff:
    """An account and who is behind it. `areas` are those that the person is rostered for."""

    login: str
    person: str
    name: str
    member: Member
    superior: str | None
    areas: tuple[str, ...]
    cast: bool

    @property
    def employed(self) -> bool:
        """A person of the company: neither a service nor a customer's account."""
        return not (self.member.service or self.member.customer)


def make_staff(
    company: Company,
    units: Mapping[str, Unit],
    areas: Mapping[str, tuple[Area, ...]],
    people: People,
    draw: Draw,
) -> dict[str, Staff]:
    """Everyone by login, the cast first."""
    members = [*company.cast, *_further(company, units)]
    cast = {member.login for member in company.cast}
    found: dict[str, Staff] = {}
    for one in hire(members, heads_above(members, units, company.heads), people, draw):
        chosen = tuple(areas[one.member.unit][i].id for i in one.member.areas)
        found[one.login] = replace(one, areas=chosen, cast=one.login in cast)
    for login, dealt in _dealt(found, areas, draw).items():
        found[login] = replace(found[login], areas=dealt)
    return found


def person_of(login: str) -> str:
    """The person behind an account of the seed; also where a trace brings others alone."""
    return f"p-{login}"


def hire(
    members: Iterable[Member], above: Mapping[str, Sequence[str]], people: People, draw: Draw
) -> Iterator[Staff]:
    """Give each account a person, and the nearest head above as superior. Areas come later."""
    for member in members:
        person = person_of(member.login)
        superior = next((head for head in above[member.unit] if head != person), None)
        yield Staff(member.login, person, people.name(draw), member, superior, (), False)


def office(unit: Unit) -> Iterator[Member]:
    """Who works in a unit of this kind, but its couriers."""
    for role, prefix, device in _NEEDED.get(unit.kind, ()):
        login = f"{prefix}-{unit.id}"
        yield Member(login, role, unit.id, f"{device}-{login}", late=role in _HANDLERS)


def heads_of(
    staff: Mapping[str, Staff], units: Mapping[str, Unit], roles: Collection[str]
) -> dict[str, str]:
    """Unit -> the person who makes shifts and assignments there."""
    above = heads_above([one.member for one in staff.values()], units, roles)
    return {unit: heads[0] for unit, heads in above.items()}


def handlers_of(staff: Mapping[str, Staff]) -> dict[str, Staff]:
    """Unit -> who scans what comes in and goes out there."""
    found: dict[str, Staff] = {}
    for one in staff.values():
        if one.member.role in _HANDLERS:
            found.setdefault(one.member.unit, one)
    return found


def _further(company: Company, units: Mapping[str, Unit]) -> Iterator[Member]:
    taken = {(member.unit, member.role) for member in company.cast}
    for unit in units.values():
        yield from (member for member in office(unit) if (unit.id, member.role) not in taken)
        if unit.kind == "branch":
            known = sum(1 for m in company.cast if m.unit == unit.id and m.role == "courier")
            for i in range(known, COURIERS_PER_BRANCH):
                login = f"c-{unit.id}-{i:03d}"
                yield Member(login, "courier", unit.id, f"pda-{login}", late=i % 3 == 0)


def heads_above(
    members: Iterable[Member], units: Mapping[str, Unit], roles: Collection[str]
) -> dict[str, list[str]]:
    """Unit -> its head, then the heads above. Units stand parents first; `roles` head a unit."""
    own: dict[str, str] = {}
    for member in members:
        if member.role in roles:
            own.setdefault(member.unit, f"p-{member.login}")
    found: dict[str, list[str]] = {}
    for id_, unit in units.items():
        above = found.get(unit.parent or "", [])
        found[id_] = [own[id_], *above] if id_ in own else above
    return found


def _dealt(
    staff: Mapping[str, Staff], areas: Mapping[str, tuple[Area, ...]], draw: Draw
) -> dict[str, tuple[str, ...]]:
    """Areas of the generated couriers. What the cast serves is the cast's alone."""
    cast_areas = {area for one in staff.values() for area in one.areas}
    dealt: dict[str, set[str]] = {}
    branches = sorted(areas)
    for branch in branches:
        couriers = [
            one.login
            for one in staff.values()
            if one.member.role == "courier" and one.member.unit == branch and not one.cast
        ]
        free = [area.id for area in areas[branch] if area.id not in cast_areas]
        dealt |= _deal(couriers, free, draw)
        for login in couriers:
            chance = draw.random()
            for share in (_TWO_BRANCHES, _THREE_BRANCHES):
                if chance < share and len(dealt[login]) < MOST_AREAS:
                    other = draw.pick([name for name in branches if name != branch])
                    dealt[login].add(areas[other][-1].id)
    return {login: tuple(sorted(chosen)) for login, chosen in dealt.items()}


def _deal(couriers: list[str], areas: list[str], draw: Draw) -> dict[str, set[str]]:
    """Every area gets a courier and every courier an area; a few couriers serve many."""
    weights = [draw.lognormvariate(0, _SKEW) for _ in couriers]
    dealt: dict[str, set[str]] = {login: set() for login in couriers}

    def take(area: str, login: str | None = None) -> None:
        drawn = [login] if login else draw.choices(couriers, weights, k=6)
        drawn += sorted(couriers, key=lambda one: len(dealt[one]))
        free = (c for c in drawn if area not in dealt[c] and len(dealt[c]) < MOST_AREAS)
        dealt[next(free)].add(area)

    for i, area in enumerate(areas):
        take(area, couriers[i] if i < len(couriers) else None)
        if draw.random() < _SHARED_AREAS:
            take(area)
    return dealt
