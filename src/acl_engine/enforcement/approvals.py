"""Just-in-time rights: asked for, answered by a second named person, for one object and minutes.

The acts walk the same gate as every act (`acts.py`); who may ask, answer and review are policy
rows. What is written here is what a case is made of.

INVARIANTS
- Silence is a denial; a case that nobody answered in time can never be granted.
- Which cases are looked at afterwards is not known to whoever answers: a keyed draw over the
  request's id, which is new each time.
- Breaking the glass is an asking like any other, and loud: an alarm at once, a review always.
"""

from collections.abc import Callable, Mapping

from acl_engine.domain.approvals import Asking
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack_settings import ApprovalSettings, PurposeSpec
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Text
from acl_engine.enforcement.door import Door, refuse
from acl_engine.enforcement.trail import Trail

OWN_UNIT = "unit"
_DRAW = 10_000

UNKNOWN_PURPOSE = Text(
    "approval.unknown-purpose",
    "没有可申请的用途 `{purpose}`",
    "there is no purpose `{purpose}` to ask for",
    "可用：{known}",
    "known: {known}",
)
BROKEN_GLASS = Text(
    "approval.broken-glass",
    "应急申请 {approval}：账号 {account}，用途 {purpose}，须在事后复核",
    "glass broken, case {approval}: account {account}, purpose {purpose}; to be reviewed",
)


def purpose_of(door: Door, name: str | None) -> tuple[ApprovalSettings, PurposeSpec]:
    """What the pack says about a purpose. Raises InputError for one that there is not."""
    settings = door.pack.settings.approvals
    purposes = settings.purposes if settings else {}
    if settings is None or name is None or name not in purposes:
        known = ", ".join(purposes) or "-"
        raise InputError(UNKNOWN_PURPOSE.of(purpose=name or "-", known=known))
    return settings, purposes[name]


def asking(
    door: Door,
    who: Principal,
    request: Request,
    now: int,
    *,
    object_: str,
    urgent: bool = False,
    paper: Mapping[str, str] | None = None,
) -> Asking:
    """The case that a request for `request.purpose` makes about `object_`."""
    settings, spec = purpose_of(door, request.purpose)
    drawn = int(door.pseudonyms.digest("sample", request.id)[:8], 16) % _DRAW
    looked_at = urgent or spec.approvers > 1 or drawn < settings.sample_percent * _DRAW // 100
    return Asking(
        kind=spec.kind,
        purpose=request.purpose or "",
        resource=request.resource,
        object=object_,
        desk=who.unit if spec.desk == OWN_UNIT else spec.desk,
        approvers=spec.approvers,
        answer_until=now + 60 * settings.answer_minutes,
        minutes=spec.minutes,
        urgent=urgent,
        review_until=now + 3600 * settings.review_hours if looked_at else None,
        ticket=request.ticket,
        paper=tuple(sorted((paper or {}).items())),
    )


def use(trail: Trail, approval: str, kind: str, object_: str) -> tuple[str, ...]:
    """Use a grant up for the act that `trail` walks; the persons who agreed.

    Raises ActRefused, which the line writes down, unless this account was granted exactly this
    object, nobody has used it, and it has not run out.
    """
    now = int(trail.now.timestamp())
    return trail.door.approvals.take(trail.who, approval, kind, object_, now).approvers


# --- acts --------------------------------------------------------------------------------------


def check_purpose(door: Door, request: Request) -> None:
    """A look can be asked for about one record; other kinds are asked for where they are done."""
    _, spec = purpose_of(door, request.purpose)
    if spec.kind != "look":
        raise refuse("1", "approval.other-door")


def _ask(door: Door, who: Principal, request: Request, now: int) -> str:
    wanted = asking(door, who, request, now, object_=request.key or "")
    return door.approvals.ask(who, wanted, now)


def _break_glass(door: Door, who: Principal, request: Request, now: int) -> str:
    wanted = asking(door, who, request, now, object_=request.key or "", urgent=True)
    made = door.approvals.ask(who, wanted, now)
    door.alarm(BROKEN_GLASS.of(approval=made, account=who.account, purpose=wanted.purpose))
    return made


def _approve(door: Door, who: Principal, request: Request, now: int) -> str:
    image = dict(request.params).get("image")
    return door.approvals.vote(who, request.key or "", now, agree=True, image=image).stage


def _refuse(door: Door, who: Principal, request: Request, now: int) -> str:
    return door.approvals.vote(who, request.key or "", now, agree=False).stage


def _withdraw(door: Door, who: Principal, request: Request, now: int) -> str:
    return door.approvals.withdraw(who, request.key or "", now).stage


def _review(door: Door, who: Principal, request: Request, now: int) -> str:
    sound = dict(request.params)["finding"] == SOUND
    return door.approvals.review(who, request.key or "", now, sound=sound).stage


SOUND, WRONG = "sound", "wrong"

Act = Callable[[Door, Principal, Request, int], str]
APPROVAL_ACTS: Mapping[Action, Act] = {
    Action.ASK: _ask,
    Action.BREAK_GLASS: _break_glass,
    Action.APPROVE: _approve,
    Action.REFUSE: _refuse,
    Action.WITHDRAW: _withdraw,
    Action.REVIEW: _review,
}
