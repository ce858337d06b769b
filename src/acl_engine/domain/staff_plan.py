"""What an import would change of the staff directory: a plan, shown before it is done.

INVARIANTS
- A plan holds for the directory that it was made from, and for no other.
- Its digest is over everything that it would change: what was shown is what is applied.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from acl_engine.domain.staff import (
    AccountChange,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
)
from acl_engine.domain.text import Message


@dataclass(frozen=True, slots=True)
class Joiner:
    """A new account; `person` None: its person is there already, or it has none."""

    account: StaffAccount
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """A change of one account and its person. `login` None: the person has no account."""

    person: str
    login: str | None
    changes: AccountChange
    whose: PersonChange


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the difference report. Names of people are not said, only that they change."""

    kind: str  # joins | moves | leaves | frozen
    person: str
    login: str
    what: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row of a file is refused. `row` counts from 1, the header is row 1."""

    row: int
    message: Message


@dataclass(frozen=True, slots=True)
class Plan:
    """`basis` is the directory that the plan was made from."""

    basis: Staff
    joiners: tuple[Joiner, ...]
    movers: tuple[Mover, ...]
    leavers: tuple[str, ...]
    differences: tuple[Difference, ...]
    unchanged: int

    @property
    def empty(self) -> bool:
        return not (self.joiners or self.movers or self.leavers)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over every change."""
        state = hashlib.sha256()
        for line in self._lines():
            state.update(line.encode() + b"\n")
        return state.hexdigest()

    def _lines(self) -> Iterator[str]:
        for one in self.joiners:
            account, person = one.account, one.person
            parts = (account.login, account.person, account.role, account.unit, account.status)
            yield f"joins {parts!r} {person and (person.name, person.superior, person.ends_at)!r}"
        for mover in self.movers:
            yield f"moves {mover.person} {mover.login} {mover.changes!r} {mover.whose!r}"
            yield f"{mover.whose.name!r}"
        yield from (f"leaves {person}" for person in self.leavers)


class StaffPlans(Protocol):
    def apply(self, plan: Plan, password_hash: str, by: str, now: int) -> None:
        """Everything that a plan would change, in one transaction. Raises InputError when the
        directory has changed since the plan was made."""
        ...
