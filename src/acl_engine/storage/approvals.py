"""Approvals: the cases, each answer one transaction. The adapter behind `domain.approvals`.

INVARIANTS
- The case's row is locked first; what is decided is read after that. A stage changes by
  compare-and-set, so that two answers at once cannot both be the last one.
- Nobody agrees to an authority's paper who does not hold the same image, through whatever door.
- Nobody answers one case twice: (case, person) is the key of an answer.
- A grant counts only while `standing` holds: the asker's account and those of enough approvers
  have the epoch that they had then, and are active.
"""

import secrets
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    select,
    update,
)

from acl_engine.domain.approvals import Approval, Asking
from acl_engine.domain.principal import Principal
from acl_engine.storage.custody import refuse
from acl_engine.storage.database import Database
from acl_engine.storage.tables import (
    accounts,
    approval_papers,
    approval_votes,
    approvals,
    persons,
)
from acl_engine.storage.vault import Vault

CONTROL = "approval"
WINDOW = "approval-window"
PAPER = "judicial-approval"
_a, _v = approvals.c, approval_votes.c


def _current(account: ColumnElement[Any], epoch: ColumnElement[Any]) -> ColumnElement[bool]:
    """The account is active, and nothing was taken from it since."""
    gone = exists().where(persons.c.id == accounts.c.person, persons.c.status != "active")
    return exists().where(
        accounts.c.login == account,
        accounts.c.epoch == epoch,
        accounts.c.status == "active",
        ~gone,
    )


def standing() -> ColumnElement[bool]:
    """A granted case whose asker and approvers are who they were. Silent about its time."""
    agreed = (
        select(func.count())
        .select_from(approval_votes)
        .where(
            _v.approval == _a.id,
            _v.agree,
            _current(_v.account, _v.epoch),
        )
        .scalar_subquery()
    )
    return and_(_a.stage == "GRANTED", _current(_a.account, _a.epoch), agreed >= _a.needed)


class ApprovalStore:
    """Implements `domain.approvals.Approvals` on either database.

    `windows` False (replay's ablation): a grant never runs out.
    """

    def __init__(self, database: Database, vault: Vault, *, windows: bool = True) -> None:
        self._database = database
        self._vault = vault
        self._windows = windows

    def ask(self, who: Principal, asking: Asking, now: int) -> str:
        """A new case, or the open one of this account about the same; its id."""
        same = and_(
            _a.account == who.account,
            _a.kind == asking.kind,
            _a.purpose == asking.purpose,
            _a.object == asking.object,
            _a.stage == "ASKED",
            _a.answer_until > now,
        )
        with self._database.write() as cx:
            epoch = _locked_epoch(cx, who.account)
            found = cx.scalar(select(_a.approval_no).where(same).limit(1))
            if found is not None:
                return str(found)
            number = f"A-{secrets.token_hex(8)}"
            id_ = cx.execute(
                insert(approvals)
                .values(_new(who, asking, now) | {"approval_no": number, "epoch": epoch})
                .returning(_a.id)
            ).scalar_one()
            paper = self._vault.put(cx, approval_papers.name, id_, dict(asking.paper))
            cx.execute(insert(approval_papers).values(approval=id_, payload=paper))
        return number

    def vote(
        self, who: Principal, approval: str, now: int, *, agree: bool, image: str | None = None
    ) -> Approval:
        """One answer. A refusal ends the case; the last agreement needed grants it."""
        with self._database.write() as cx:
            case = _locked(cx, approval)
            if case["stage"] != "ASKED" or case["answer_until"] <= now:
                raise refuse("approval.closed", WINDOW)
            if not cx.scalar(select(_current(_a.account, _a.epoch)).where(_a.id == case["id"])):
                raise refuse("approval.asker-changed", CONTROL)
            paper = dict(case_of(cx, self._vault, approval).paper)
            if agree and paper.get("image") != image:
                raise refuse("approval.paper", PAPER)
            _answer(cx, case, who, now, agree=agree)
            agreed = select(func.count()).where(_v.approval == case["id"], _v.agree)
            if not agree:
                _move(cx, case, "REFUSED")
            elif cx.scalars(agreed).one() >= case["needed"]:
                until = now + 60 * case["minutes"]
                _move(cx, case, "GRANTED", granted_at=now, lives_until=until)
            return case_of(cx, self._vault, approval)

    def withdraw(self, who: Principal, approval: str, now: int) -> Approval:
        """The asker takes it back, asked or granted."""
        with self._database.write() as cx:
            case = _locked(cx, approval)
            if case["account"] != who.account or case["stage"] not in ("ASKED", "GRANTED"):
                raise refuse("approval.not-open", CONTROL)
            _move(cx, case, "WITHDRAWN")
            return case_of(cx, self._vault, approval)

    def take(self, who: Principal, approval: str, kind: str, object_: str, now: int) -> Approval:
        """Use a grant up, for its asker and exactly this object."""
        usable = and_(
            _a.approval_no == approval,
            _a.account == who.account,
            _a.kind == kind,
            _a.object == object_,
            standing(),
        )
        if self._windows:
            usable = and_(usable, _a.lives_until > now)
        with self._database.write() as cx:
            _locked(cx, approval)
            used = cx.execute(update(approvals).where(usable).values(stage="USED", used_at=now))
            if used.rowcount != 1:
                raise refuse("approval.not-usable", CONTROL)
            return case_of(cx, self._vault, approval)

    def review(self, who: Principal, approval: str, now: int, *, sound: bool) -> Approval:
        """What was found afterwards; the first review stands."""
        with self._database.write() as cx:
            case = _locked(cx, approval)
            if case["reviewed"]:
                raise refuse("approval.reviewed", CONTROL)
            row = update(approvals).where(_a.id == case["id"])
            found = {"reviewed": True, "reviewed_by": who.person, "sound": sound}
            cx.execute(row.values(**found, reviewed_at=now))
            return case_of(cx, self._vault, approval)


# --- inside ------------------------------------------------------------------------------------


def _new(who: Principal, asking: Asking, now: int) -> dict[str, Any]:
    return {
        "stage": "ASKED",
        "kind": asking.kind,
        "purpose": asking.purpose,
        "resource": asking.resource,
        "object": asking.object,
        "asker": who.person,
        "account": who.account,
        "unit": who.unit,
        "desk": asking.desk,
        "urgent": asking.urgent,
        "sampled": asking.review_until is not None,
        "review_until": asking.review_until,
        "reviewed": False,
        "asked_at": now,
        "answer_until": asking.answer_until,
        "needed": asking.approvers,
        "minutes": asking.minutes,
        "ticket": asking.ticket,
    }


def _locked_epoch(cx: Connection, login: str) -> int:
    """The account's epoch, its row locked: one asks for one thing at a time."""
    query = select(accounts.c.epoch).where(accounts.c.login == login)
    found = cx.scalar(query.with_for_update(key_share=True))
    if found is None:
        raise refuse("approval.no-account", CONTROL)
    return int(found)


def _locked(cx: Connection, approval: str) -> RowMapping:
    """The case, its row locked until the transaction ends. Raises ActRefused."""
    query = select(approvals).where(_a.approval_no == approval).with_for_update()
    row = cx.execute(query).mappings().first()
    if row is None:
        raise refuse("approval.none", CONTROL)
    return row


def _answer(cx: Connection, case: RowMapping, who: Principal, now: int, *, agree: bool) -> None:
    epoch = cx.scalar(select(accounts.c.epoch).where(accounts.c.login == who.account))
    mine = {"approval": case["id"], "person": who.person, "account": who.account}
    if epoch is None:
        raise refuse("approval.no-account", CONTROL)
    if cx.scalar(select(exists().where(_v.approval == case["id"], _v.person == who.person))):
        raise refuse("approval.answered-already", CONTROL)
    cx.execute(insert(approval_votes).values(mine | {"epoch": epoch, "agree": agree, "at": now}))


def _move(cx: Connection, case: RowMapping, stage: str, **values: Any) -> None:
    still = and_(_a.id == case["id"], _a.stage == case["stage"])
    moved = cx.execute(update(approvals).where(still).values(stage=stage, **values))
    if moved.rowcount != 1:
        raise refuse("approval.closed", CONTROL)


def case_of(cx: Connection, vault: Vault, approval: str) -> Approval:
    """One case with its paper, in the caller's transaction."""
    row = cx.execute(select(approvals).where(_a.approval_no == approval)).mappings().one()
    papers = select(approval_papers.c.approval, approval_papers.c.payload)
    sealed = cx.execute(papers.where(approval_papers.c.approval == row["id"]))
    paper = vault.open(cx, approval_papers.name, {one.approval: one.payload for one in sealed})
    agreed = select(_v.person).where(_v.approval == row["id"], _v.agree).order_by(_v.at, _v.person)
    return Approval(
        id=row["approval_no"],
        kind=row["kind"],
        purpose=row["purpose"],
        resource=row["resource"],
        object=row["object"],
        stage=row["stage"],
        account=row["account"],
        person=row["asker"],
        desk=row["desk"],
        needed=row["needed"],
        urgent=row["urgent"],
        asked_at=row["asked_at"],
        answer_until=row["answer_until"],
        lives_until=row["lives_until"],
        approvers=tuple(cx.scalars(agreed)),
        paper=tuple(sorted(paper.get(row["id"], {}).items())),
    )
