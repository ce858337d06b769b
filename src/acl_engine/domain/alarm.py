"""Alarms: what a detection rule says of people at work, and the port of what is done about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["low", "medium", "high", "critical"]
# notify: tell the security desk. step-up: a second factor anew before the next look. freeze: no
# look at all until a person has cleared it.
Response = Literal["notify", "step-up", "freeze"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule that fired. `id` is the same whenever the same rule fires on the same evidence.

    `at`: epoch milliseconds of the record that tipped it. `group`: what the rule counts by, and
    its values. `evidence`: indexes of the records in the log, oldest first; `accounts` and
    `devices` are all that stand in them.
    """

    id: str
    rule: str
    level: Level
    response: Response
    at: int
    group: tuple[tuple[str, str], ...]
    count: int
    accounts: tuple[str, ...]
    devices: tuple[str, ...]
    evidence: tuple[int, ...]


class Reactions(Protocol):
    """What is done about an alert: step-up or freeze. Called after the alert is on record."""

    def react(self, alert: Alert) -> None:
        """Do what `alert.response` asks for. Raises AclError; the failure is put on record."""
        ...


@dataclass(frozen=True, slots=True)
class Scanned:
    """A parcel was scanned: work was done on it. `at` in epoch milliseconds."""

    id: int
    at: int
    kind: str
    waybill_no: str
    account: str
    unit: str
    device: str | None


class Scans(Protocol):
    """The company's scans, which detection holds looks against."""

    def after(self, scan: int, since: int = 0) -> Iterator[Scanned]:
        """Scans with an id above `scan` and not before `since` (epoch ms), by id."""
        ...
