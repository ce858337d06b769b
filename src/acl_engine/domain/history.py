"""What a database still knows of the past, as plain rows. Times are epoch seconds UTC.

INVARIANT: facts only; no name, phone or address of a customer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from acl_engine.domain.facts import Value

# No end is known: it still lasts.
OPEN = 2**36 - 1


class PastAccount(NamedTuple):
    """An account as it is now: that its role or unit was another one is not on record."""

    login: str
    person: str | None
    role: str
    unit: str
    unit_path: str | None
    tenant: str | None
    customer: str | None
    bound_since: int | None


class Lasted(NamedTuple):
    """`owner` (a person, or an account) had `value` from `start` until before `end`."""

    owner: str
    value: str
    start: int
    end: int


class Scanned(NamedTuple):
    """A custody event. `answered`: an in-scan that answers the counterpart's out-scan."""

    key: str
    at: int
    kind: str
    unit: str
    counterpart: str | None
    answered: bool


class Assigned(NamedTuple):
    key: str
    at: int
    person: str
    sound: bool


@dataclass(frozen=True, slots=True)
class History:
    """`lasted` is by fact: `on_shift` and `roster_areas` are a person's, all else an account's.

    `records` has a row for each record as it is now: its key, then `attributes` in their order.
    Records of a type without custody have no scans and no assignments: they count as they are now.
    """

    accounts: Sequence[PastAccount]
    lasted: Mapping[str, Sequence[Lasted]]
    approved: Mapping[str, Sequence[Lasted]]  # by purpose: an account's looks that were approved
    stations: frozenset[str]
    attributes: tuple[str, ...]
    records: Iterable[Sequence[Value]]
    scans: Iterable[Scanned]
    assignments: Iterable[Assigned]
    claims: Iterable[tuple[str, int]]  # a record's key, and when a claim on it was opened
    in_custody: bool
