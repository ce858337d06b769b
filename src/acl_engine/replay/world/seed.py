"""The seed's files, typed: who works where, and which parcels a scenario needs."""

from pathlib import Path
from typing import Literal

import msgspec

from acl_engine.policy import strict_yaml
from acl_engine.replay.world.listing import ListSpec, read_list


class Unit(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    kind: Literal["hq", "province", "hub", "branch", "station", "office"]
    zh: str
    en: str
    city: str
    district: str
    parent: str | None = None
    streets: tuple[str, ...] = ()
    franchise: bool = False


class Member(msgspec.Struct, forbid_unknown_fields=True):
    """One account of the cast. `weak` is its password of 2020; a service has a key instead.

    `areas` count within the unit; `late`: on the late shift at the world's now. `idle`: so many
    days since the last login; `made_by`: the login that gave the account its role.
    """

    login: str
    role: str
    unit: str
    device: str
    weak: str = ""
    late: bool = False
    areas: tuple[int, ...] = ()
    relief: bool = False
    service: bool = False
    tenant: str | None = None
    customer: str | None = None
    idle: int = 0
    made_by: str = ""


class StrayDevice(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    unit: str
    device_class: str
    enrolled: bool = True


class NamedParcel(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """A parcel that scenarios call by name. `hours`: delivered so long before the world's now."""

    name: str
    to: str
    sender: str
    unit: str
    stage: str
    area: int
    courier: str | None = None
    pickup: str | None = None
    stop: int | None = None
    station: str | None = None
    custody: str | None = None
    sent_to: str | None = None
    tenant: str | None = None
    hours: int = 0
    cod: bool = False
    unsound: bool = False
    value: int = 0
    item: str | None = None
    remark_phone: bool = False


class WorkItem(msgspec.Struct, forbid_unknown_fields=True):
    """`parcel` is a parcel's name, or the key of what else the work is about."""

    id: str
    kind: str
    parcel: str
    holder: str
    source: str


class DutyLine(msgspec.Struct, forbid_unknown_fields=True):
    """Who answers for which desk of approvals. Branches that are not named get their manager."""

    desk: str
    login: str
    substitute: bool = False


class Merchant(msgspec.Struct, forbid_unknown_fields=True):
    """A shop: the tenant of its orders and the branch that picks them up."""

    tenant: str
    zh: str
    en: str
    unit: str


class Signed(msgspec.Struct, forbid_unknown_fields=True):
    """The undertaking that everybody in the company has signed: see `undertaking.md` of a pack."""

    version: str
    digest: str


class Desks(msgspec.Struct, forbid_unknown_fields=True):
    """Logins: who writes the roster, made the accounts (may be gone now), answers for services."""

    roster: str
    accounts: str
    services: str


class Company(msgspec.Struct, forbid_unknown_fields=True):
    """`pack` names its policies and scenarios; `names` the file of names its people get;
    `heads` are the roles that head a unit."""

    schema: Literal["acl-seed-company/1"]
    pack: str
    units: tuple[Unit, ...]
    cast: tuple[Member, ...]
    heads: tuple[str, ...]
    desks: Desks
    names: str = "names.yaml"
    area_names: tuple[str, ...] = ()
    stray_devices: tuple[StrayDevice, ...] = ()
    merchants: tuple[Merchant, ...] = ()
    customers: tuple[str, ...] = ()
    parcels: tuple[NamedParcel, ...] = ()
    work_items: tuple[WorkItem, ...] = ()
    lists: tuple[ListSpec, ...] = ()
    undertaking: Signed | None = None
    duties: tuple[DutyLine, ...] = ()


class Names(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["acl-seed-names/1"]
    surnames: str
    compound_surnames: tuple[str, ...]
    given: str
    phone_segments: tuple[str, ...]


def read_seed(folder: Path) -> tuple[Company, Names]:
    """The company of `seeds/<pack>/`, its lists, and the names of its people.

    Raises InputError with file and line.
    """
    company = strict_yaml.read(folder / "company.yaml", Company)
    lists = tuple(read_list(spec, folder) for spec in company.lists)
    names = strict_yaml.read(folder / company.names, Names)
    return msgspec.structs.replace(company, lists=lists), names
