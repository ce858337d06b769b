"""The staff directory as an administrator and an auditor of accounts read it, and its port.

INVARIANTS
- Every change of an account or its person, and every change of a device that takes it from
  somebody, raises the epoch of the accounts concerned and ends their sessions in the same
  transaction. A renewal (`PersonChange.renews`, a confirmation, a longer lease) takes nothing away
  and ends nothing.
- A change is all or nothing; one that names what does not exist raises InputError.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acl_engine.domain.accounts import Device, Standing, Undertaking
from acl_engine.domain.text import Message

# Who set the status of an account that an alert froze. No login may be named so.
DETECTION = "detection"


@dataclass(frozen=True, slots=True)
class Person:
    """`superior` and `sponsor` are persons' ids; `status` active, suspended or left; `kind` regular
    or temporary. Times are epoch seconds UTC, 0: never; `ends_at` None: open-ended."""

    id: str
    name: str = field(repr=False)
    unit: str
    superior: str | None
    status: str
    kind: str = "regular"
    sponsor: str | None = None
    starts_at: int = 0
    ends_at: int | None = None
    signed: Undertaking | None = None
    signed_at: int = 0
    training: str = ""
    trained_at: int = 0

    @property
    def may_sponsor(self) -> bool:
        """Whether they may answer for temporary staff: at work, and themselves here to stay."""
        return (self.status, self.kind) == ("active", "regular")


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """An account without its secrets. `totp`: a second factor is enrolled. `made_by` gave it its
    role, `certified_by` confirmed it last, `status_by` set its status: logins."""

    login: str
    person: str | None
    role: str
    unit: str
    status: str
    service: bool
    outside: bool
    totp: bool
    epoch: int
    purpose: str = ""
    made_by: str = ""
    created_at: int = 0
    changed_at: int = 0
    used_at: int = 0
    certified_at: int = 0
    certified_by: str = ""
    external_id: str | None = None
    status_by: str = ""


def standing_of(account: StaffAccount, person: Person | None) -> Standing:
    """What the account's being in force hangs on."""
    return Standing(
        signed=person.signed if person else None,
        trained_at=person.trained_at if person else 0,
        certified_at=account.certified_at,
        used_at=account.used_at,
        starts_at=person.starts_at if person else 0,
        ends_at=person.ends_at if person else None,
    )


@dataclass(frozen=True, slots=True)
class Staff:
    """The whole directory at one moment, or the part of it that was asked for."""

    persons: tuple[Person, ...]
    accounts: tuple[StaffAccount, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What to change of one account; None leaves as it is, '' of `external_id` empties. `if_epoch`:
    only if it is still that. `status_by`: the login that sets the status. An empty `totp_seed`
    takes the authenticator away; `totp_step`: that of the code that was shown for this, which is
    used up with it; `recovery`: digests of codes in place of any older ones; `enrolment`: digest of
    the open enrolment that this uses up. What was used up meanwhile refuses the change."""

    status: str | None = None
    status_by: str | None = None
    role: str | None = None
    unit: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    totp_seed: bytes | None = field(default=None, repr=False)
    made_by: str | None = None
    used_at: int | None = None
    external_id: str | None = None
    if_epoch: int | None = None
    totp_step: int | None = None
    recovery: tuple[str, ...] | None = field(default=None, repr=False)
    enrolment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What to change of one person; None leaves as it is; '' of `superior` and `sponsor`, and 0 of
    `ends_at`, empties.

    `renews`: it takes nothing away (a signature, a course, a later end), so no session ends.
    """

    name: str | None = field(default=None, repr=False)
    unit: str | None = None
    superior: str | None = None
    status: str | None = None
    kind: str | None = None
    sponsor: str | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    signed: Undertaking | None = None
    signed_at: int | None = None
    training: str | None = None
    trained_at: int | None = None
    renews: bool = False


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What to change of one device. `person` '' takes it from whoever holds it."""

    person: str | None = None
    status: str | None = None
    lease_until: int | None = None


# Why a grant to a person may not be made, given the directory around them; None: it may.
Judge = Callable[[Staff], Message | None]


class StaffDirectory(Protocol):
    """Reads and changes the directory; `now` in epoch seconds ends the sessions."""

    def staff(self) -> Staff: ...

    def around(self, login: str) -> Staff:
        """The account, its person, all accounts and devices of theirs, and the persons above."""
        ...

    def of_person(self, person: str) -> Staff:
        """The same, from a person's id."""
        ...

    def is_person(self, person: str) -> bool: ...

    def makers(self, login: str) -> tuple[str, ...]:
        """The persons behind an account's making: who gave it its role, who gave them theirs..."""
        ...

    def holders(self, roles: Sequence[str]) -> tuple[StaffAccount, ...]:
        """The active accounts with one of these roles."""
        ...

    def add_person(self, person: Person) -> None: ...

    def add_account(
        self,
        account: StaffAccount,
        password_hash: str,
        judge: Judge | None = None,
        person: Person | None = None,
    ) -> None:
        """With a new `person`, if given. `judge` is asked under a lock on the person; what it says
        refuses the whole act."""
        ...

    def change_account(
        self,
        login: str,
        change: AccountChange,
        now: int,
        judge: Judge | None = None,
        person: PersonChange | None = None,
    ) -> None:
        """And its person in the same transaction. A new role or unit takes along nothing that the
        old one held: roster lines, shifts, tasks and open items end."""
        ...

    def freeze(self, login: str, keepers: Sequence[str] | None, now: int) -> bool:
        """Suspend an account in the name of `DETECTION`, whoever suspended it before. With
        `keepers`, only while one of them is active as well, also with two freezes at once; False:
        none is."""
        ...

    def change_person(self, person: str, change: PersonChange, now: int) -> None: ...

    def certify(self, login: str, by: str, now: int) -> None:
        """The account is confirmed as it is. It renews: no session ends."""
        ...

    def leave(self, person: str, by: str, now: int) -> None:
        """The person and all their accounts have left; their devices are nobody's."""
        ...

    def units(self) -> tuple[str, ...]: ...

    def device(self, device: str) -> Device:
        """Raises InputError when there is none."""
        ...

    def add_device(self, device: Device) -> None: ...

    def change_device(self, device: str, change: DeviceChange, now: int) -> None:
        """A device that comes to a person is their only active one of its class, also with two
        changes at once; else InputError."""
        ...
