"""People and groups as a provisioning system (HR, an identity provider) sees them, and the port.

A provisioned account is a person with their one account; accounts of services, customers and
merchants, and those who have left, are not there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acl_engine.domain.staff import Person, StaffAccount


@dataclass(frozen=True, slots=True)
class Entry:
    """One account with its person; `superior` is the login of the superior's account."""

    account: StaffAccount
    person: Person
    superior: str | None

    @property
    def version(self) -> str:
        """Changes with every change of the account or the person."""
        return str(self.account.epoch)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a provisioning system wants an account to be. `superior` is a login; None: nobody."""

    login: str
    person: str
    name: str = field(repr=False)
    unit: str
    superior: str | None
    role: str
    active: bool
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """A set of accounts. With a `role`, its members are those who have the role; without, it is
    the provisioning system's own and gives no right."""

    id: str
    name: str
    members: tuple[str, ...]
    version: str
    created_at: int
    changed_at: int
    role: str | None = None
    external_id: str | None = None


class ProvisionStore(Protocol):
    """Reads what is provisioned, in order of login; keeps the groups that give no right."""

    def entry(self, login: str) -> Entry | None: ...

    def entries(self, start: int, count: int | None) -> Sequence[Entry]:
        """A page, `start` from 0."""
        ...

    def equal(self, column: str, value: str) -> Sequence[Entry]:
        """Those whose login, external_id or person is exactly this."""
        ...

    def every(self) -> Iterator[Entry]:
        """All of them, streamed."""
        ...

    def count(self) -> int: ...

    def holders(self, role: str) -> tuple[tuple[str, int], ...]:
        """Login and epoch of everyone who is provisioned with the role."""
        ...

    def groups(self) -> tuple[Group, ...]: ...

    def put_group(self, group: Group, expected: str | None) -> None:
        """Insert (`expected` None) or replace one whose version is still `expected`. Raises
        InputError: name taken, a member who is not there, another version."""
        ...

    def drop_group(self, group: str, expected: str) -> None: ...
