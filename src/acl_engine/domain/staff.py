"""The staff directory as an administrator and an auditor of accounts read it, and its port.

INVARIANTS
- Every change of an account, and every change of a device that takes it from somebody, raises the
  epoch of the accounts concerned and ends their sessions in the same transaction.
- A change is all or nothing; one that names what does not exist raises InputError.
"""

from dataclasses import dataclass, field
from typing import Protocol

from acl_engine.domain.accounts import Device


@dataclass(frozen=True, slots=True)
class Person:
    """`superior` is a person's id; `status` active, suspended or left."""

    id: str
    name: str = field(repr=False)
    unit: str
    superior: str | None
    status: str


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """An account without its secrets. `totp`: a second factor is enrolled."""

    login: str
    person: str | None
    role: str
    unit: str
    status: str
    service: bool
    outside: bool
    totp: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class Staff:
    """The whole directory at one moment."""

    persons: tuple[Person, ...]
    accounts: tuple[StaffAccount, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What to change of one account; None leaves as it is."""

    status: str | None = None
    role: str | None = None
    unit: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    totp_seed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What to change of one device. `person` '' takes it from whoever holds it."""

    person: str | None = None
    status: str | None = None
    lease_until: int | None = None


class StaffDirectory(Protocol):
    """Reads and changes the directory; `now` in epoch seconds ends the sessions."""

    def staff(self) -> Staff: ...

    def add_person(self, person: Person) -> None: ...

    def add_account(self, account: StaffAccount, password_hash: str) -> None: ...

    def change_account(self, login: str, change: AccountChange, now: int) -> None: ...

    def leave(self, person: str, now: int) -> None:
        """The person and all their accounts have left; their devices are nobody's."""
        ...

    def add_device(self, device: Device) -> None: ...

    def change_device(self, device: str, change: DeviceChange, now: int) -> None: ...
