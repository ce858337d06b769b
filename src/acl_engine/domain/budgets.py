"""Budgets: what a look costs, what is set aside for it, and how much of a limit is used.

Looks are whole numbers. Persons are counted in hundredths: one whose data was shown in clear is
`WHOLE`, one that was masked less (thresholds and proportion: 2017 No. 10, article 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.principal import Principal

WHOLE = 100
# Codes of a refusal at step 4: nothing is left; first a second factor anew; the account is stopped.
SPENT, STEP_UP, FROZEN = "budget.spent", "budget.step-up", "budget.frozen"
NO_WEIGHTS: Mapping[str, int] = MappingProxyType({})
DAYS: Mapping[str, int] = MappingProxyType({"day": 1, "30d": 30, "year": 365})


@dataclass(frozen=True, slots=True)
class Seen:
    """A person whose `data` a look showed. `subject` is a keyed hash, `weight` in hundredths."""

    data: str
    subject: str
    weight: int


@dataclass(frozen=True, slots=True)
class Warned:
    """A limit whose warning is due now: `used` of it, by `who`. Both in looks, or in persons."""

    limit: BudgetLimit
    who: str
    used: float


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside: `looks`, and an amount a counter. No counters: nothing limits it.

    `data` names, for a counter of persons, the kind of data that it counts; `within`, per counter
    and window, how much of it fits there; `freezing`, of those that freeze, how much was left, what
    others had set aside included. `who`: whom it freezes.
    """

    id: str
    looks: int
    amounts: Mapping[str, int]
    data: Mapping[str, str]
    within: Mapping[tuple[str, str], int] = field(default_factory=dict)
    freezing: Mapping[tuple[str, str], int] = field(default_factory=dict)
    who: Principal | None = None
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is used in its window. `handled`: the parcels that it grows by;
    `held`: what is set aside now. In looks, or in persons."""

    limit: BudgetLimit
    who: str
    used: float
    held: float
    handled: int

    @property
    def most(self) -> int:
        return self.limit.limit + self.limit.per_parcel * self.handled
