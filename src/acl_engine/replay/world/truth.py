"""What is true in a world, from its seed alone: the judge of what an attacker has learned.

Nothing here is read from the database, so that a verdict never rests on what the engine said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from acl_engine.replay.world.company import World, device_key, strong_password, totp_secret
from acl_engine.replay.world.parcels import Parcel, parcels


@dataclass(frozen=True)
class Truth:
    """A small world's people and parcels, by name and by number."""

    world: World
    count: int
    _parcels: tuple[Parcel, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parcels", tuple(parcels(self.world, self.count)))

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return self._parcels

    @cached_property
    def by_name(self) -> Mapping[str, Parcel]:
        return {one.name: one for one in self._parcels if one.name}

    @cached_property
    def by_number(self) -> Mapping[str, Parcel]:
        return {one.waybill_no: one for one in self._parcels}

    @cached_property
    def recipients(self) -> Mapping[str, tuple[Parcel, ...]]:
        """Everyone's parcels: those whom the seed names by their name, then all others by id."""
        names = {one.id: name for name, one in self.world.customers.items()}
        found: dict[str, list[Parcel]] = {name: [] for name in self.world.customers}
        for parcel in self._parcels:
            id_ = str(parcel.facts["recipient"])
            found.setdefault(names.get(id_, id_), []).append(parcel)
        return {name: tuple(parcels) for name, parcels in found.items() if parcels}

    def of_customer(self, name: str) -> tuple[Parcel, ...]:
        """The parcels addressed to a named customer."""
        id_ = self.world.customers[name].id
        return tuple(one for one in self._parcels if one.facts["recipient"] == id_)

    def load_of(self, login: str) -> tuple[Parcel, ...]:
        """The parcels out for delivery with a courier, by stop."""
        person = self.world.staff[login].person
        load = [
            one
            for one in self._parcels
            if one.facts["assignee"] == person and one.facts["stage"] == "OUT_FOR_DELIVERY"
        ]
        return tuple(sorted(load, key=lambda one: int(one.facts["stop_seq"] or 0)))

    def password(self, login: str, *, weak: bool) -> str:
        if weak:
            return self.world.staff[login].member.weak
        return strong_password(self.world.seed, login)

    def totp(self, login: str) -> str:
        """The base32 secret of an account's authenticator."""
        return totp_secret(self.world.seed, login)

    def device_key(self, device: str) -> bytes:
        """The private key that lives in a device."""
        return device_key(self.world.seed, device)
