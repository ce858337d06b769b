"""Live facts about approvals: what this person may now see by one, and what they may answer for.

INVARIANTS
- An approved look is a fact while the case stands, for its asker, purpose and record, until it
  runs out. Nothing is kept in a session.
- A duty line that its person made supports nothing. Where it is not on record who made an account,
  the makers are None: a relation over them is unknown, and unknown denies.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select

from acl_engine.domain.approvals import LOOK
from acl_engine.domain.facts import Value
from acl_engine.storage.approvals import standing
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import accounts, approval_votes, approvals, duties

_a = approvals.c
# A chain of makers longer than this is no company.
MAKERS_DEEP = 20


def approved_query(*, windows: bool = True) -> Select[Any]:
    """The objects of this account's living looks for `:purpose` on `:resource`."""
    query = select(_a.object).where(
        _a.account == bindparam("account"),
        _a.asker == bindparam("person"),
        _a.purpose == bindparam("purpose"),
        _a.resource == bindparam("resource"),
        _a.kind == LOOK,
        standing(),
    )
    return query.where(_a.lives_until > bindparam("now")) if windows else query


# Glass that this person broke and nobody has looked at in time.
_OVERDUE = Prepared(
    select(
        exists()
        .where(
            _a.asker == bindparam("person"),
            ~_a.reviewed,
            _a.urgent,
            _a.review_until <= bindparam("now"),
        )
        .label("overdue")
    )
)
_DUTY = select(duties.c.desk).where(
    duties.c.person == bindparam("person"),
    duties.c.starts_at <= bindparam("now"),
    duties.c.ends_at > bindparam("now"),
    duties.c.made_by.not_in([bindparam("person"), bindparam("account")]),
)
_DUTY_MAKERS = select(duties.c.made_by).where(
    duties.c.person == bindparam("person"),
    duties.c.starts_at <= bindparam("now"),
    duties.c.ends_at > bindparam("now"),
)
_MADE_BY = select(accounts.c.made_by).where(
    accounts.c.person.in_(bindparam("people", expanding=True))
)
_PERSONS = select(accounts.c.person).where(
    accounts.c.login.in_(bindparam("logins", expanding=True))
)
# Cases that are not yet reviewed and that this person has answered.
_ANSWERED = (
    select(_a.approval_no)
    .join(approval_votes, approval_votes.c.approval == _a.id)
    .where(approval_votes.c.person == bindparam("person"), ~_a.reviewed)
)


# What stands for `approver_facts` where a request is not about a case.
NOTHING_TO_ANSWER: Mapping[str, Value] = MappingProxyType(
    {"duties": frozenset(), "makers": None, "answered": frozenset()}
)


def purpose_facts(cx: Connection, approved: Prepared, asked: Mapping[str, Any]) -> dict[str, Value]:
    """`approved` (objects) and `overdue_review`; nothing without a purpose."""
    if asked["purpose"] is None:
        return {"purpose": None, "approved": frozenset(), "overdue_review": None}
    return {
        "purpose": asked["purpose"],
        "approved": frozenset(one["object"] for one in approved.all(cx, asked)),
        "overdue_review": any(one["overdue"] for one in _OVERDUE.all(cx, asked)),
    }


def approver_facts(cx: Connection, asked: Mapping[str, Any]) -> dict[str, Value]:
    """`duties` (desks), `makers` (persons, over any number of steps), `answered` (cases)."""
    return {
        "duties": frozenset(cx.scalars(_DUTY, asked)),
        "makers": _makers(cx, asked),
        "answered": frozenset(cx.scalars(_ANSWERED, asked)),
    }


def _makers(cx: Connection, asked: Mapping[str, Any]) -> frozenset[str] | None:
    """Who made this person's account or duty, and who made those, and so on: logins and persons."""
    made = set(cx.scalars(_MADE_BY, {"people": [asked["person"]]}))
    if not made or "" in made:
        return None
    newest = made | set(cx.scalars(_DUTY_MAKERS, asked))
    found: set[str] = set()
    for _ in range(MAKERS_DEEP):
        newest |= set(cx.scalars(_PERSONS, {"logins": sorted(newest)})) - {None}
        found |= newest
        newest = set(cx.scalars(_MADE_BY, {"people": sorted(newest)})) - found - {""}
        if not newest:
            return frozenset(found)
    return None
