"""Approvals: a right that one person asks for and a second named person gives, once, for minutes.

Whatever is approved (a look, an export, a publication, a judicial request) is one `Approval`: one
object, one purpose, one asker. Who may ask and who may approve are policy rows; what is kept here
is the case itself.

INVARIANTS
- Silence is a denial: what is not answered by `answer_until` can no longer be granted.
- A grant counts while the asker's account and every approver's account are as they were: a raised
  epoch kills it at the next decision.
- What is granted for an act is used once, by whoever changes its row first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from acl_engine.domain.principal import Principal

LOOK = "look"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for. `object` is the record's key, or the digest of what is to be done.

    `desk` names whose duty roster answers; `minutes` is how long a grant lives. `review_until`:
    looked at afterwards until then; None, not in the sample. `paper` is what the approvers must
    see besides (a judicial document), without clear personal data.
    """

    kind: str
    purpose: str
    resource: str
    object: str
    desk: str
    approvers: int
    answer_until: int
    minutes: int
    urgent: bool = False
    review_until: int | None = None
    ticket: str | None = None
    paper: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """One case. `stage` is ASKED, GRANTED, REFUSED, WITHDRAWN or USED; times are epoch seconds.

    `account` and `person` asked; `approvers` are the persons who agreed.
    """

    id: str
    kind: str
    purpose: str
    resource: str
    object: str
    stage: str
    account: str
    person: str
    desk: str
    needed: int
    urgent: bool
    asked_at: int
    answer_until: int
    lives_until: int | None = None
    approvers: tuple[str, ...] = ()
    paper: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """One line of the duty roster: a person answers for a desk in a span. A `substitute` is from
    another unit than the desk's own people, so that a desk cannot close ranks."""

    desk: str
    person: str
    substitute: bool
    starts_at: int
    ends_at: int
    made_by: str


@dataclass(frozen=True, slots=True)
class Stamping:
    """How one approver has worked: answers, how many agreed, the median seconds from the asking,
    the shortest pause between two answers, and what the sample found wrong."""

    person: str
    answers: int
    agreed: int
    median_seconds: int
    shortest_pause: int
    found_wrong: int


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A line of the roster as it stands; `unit` is the person's own."""

    id: int
    unit: str
    duty: Duty


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """A case that is to be looked at afterwards and was not yet. `due`: epoch seconds."""

    case: str
    account: str
    purpose: str
    urgent: bool
    due: int


class Duties(Protocol):
    """The duty roster, and how approvals went."""

    def roster(self, now: int) -> Sequence[RosterLine]: ...

    def add(self, duty: Duty) -> None: ...

    def end(self, line: int, now: int) -> bool: ...

    def unreviewed(self) -> Sequence[Unreviewed]: ...

    def stamping(self, since: int) -> Sequence[Stamping]: ...


class Approvals(Protocol):
    """The store of cases. Every method is one transaction, right with many processes racing.

    Acts raise ActRefused, with the control, when the case does not allow them.
    """

    def ask(self, who: Principal, asking: Asking, now: int) -> str:
        """A new case, or the asker's open one about the same object and purpose; its id."""
        ...

    def vote(
        self, who: Principal, approval: str, now: int, *, agree: bool, image: str | None = None
    ) -> Approval:
        """One person's answer. One refusal refuses; the last approver needed grants.

        `image`: the digest of the authority's document as this person holds it. Nobody agrees to
        a case with a paper without holding the same one.
        """
        ...

    def withdraw(self, who: Principal, approval: str, now: int) -> Approval: ...

    def take(self, who: Principal, approval: str, kind: str, object_: str, now: int) -> Approval:
        """Use a grant up: true at most once, for the asker alone, for exactly this object."""
        ...

    def review(self, who: Principal, approval: str, now: int, *, sound: bool) -> Approval:
        """What a third person found afterwards. Once."""
        ...
