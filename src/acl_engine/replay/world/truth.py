"""What is true in a world, from its seed alone: the judge of what an attacker has learned.

Nothing here is read from the database, so that a verdict never rests on what the engine said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from acl_engine.replay.vocabulary import WORDLESS, Vocabulary
from acl_engine.replay.world.company import World, device_key, strong_password, totp_secret
from acl_engine.replay.world.entry import Entry
from acl_engine.replay.world.parcels import Parcel, parcels


@dataclass(frozen=True)
class Truth:
    """A small world's people and records, by name and by number.

    `vocabulary` says what the fields are; a run needs it, looking records up does not.
    """

    world: World
    count: int
    vocabulary: Vocabulary = WORDLESS
    _parcels: tuple[Parcel, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parcels", tuple(parcels(self.world, self.count)))

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return self._parcels

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every record: the parcels, and the rows of the company's lists."""
        return (*self._parcels, *self.world.listed)

    @cached_property
    def by_name(self) -> Mapping[str, Entry]:
        return {one.name: one for one in self.entries if one.name}

    @cached_property
    def by_number(self) -> Mapping[str, Entry]:
        return {one.key: one for one in self.entries}

    @cached_property
    def recipients(self) -> Mapping[str, tuple[Entry, ...]]:
        """Everyone's records: those whom the seed names by their name, then all others by id."""
        names = {one.id: name for name, one in self.world.customers.items()}
        found: dict[str, list[Entry]] = {name: [] for name in self.world.customers}
        for entry in self.entries:
            found.setdefault(names.get(entry.person, entry.person), []).append(entry)
        return {name: tuple(entries) for name, entries in found.items() if entries}

    def of_customer(self, name: str) -> tuple[Entry, ...]:
        """The records about a named customer."""
        id_ = self.world.customers[name].id
        return tuple(one for one in self.entries if one.person == id_)

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
