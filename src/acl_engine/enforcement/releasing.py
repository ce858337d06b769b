"""Export and publication: many records leave at once. The numbers of `lookup.py`, and besides:

(4) budget      a second person's agreement to exactly this release is used up
(7) fetch       more rows than were agreed to are refused, never cut
(9) mask        each recipient's copy gets rows of its own, so that a leaked one names them
(10) close      copies, marks and outcome are durable before a row leaves

INVARIANTS
- What is agreed to is the whole: selection, fields, purpose, recipients, days, row cap, the file's
  content where the rows come from a file, and the policy's version. A change of any asks anew.
- A release is selected by facts, never by a person's phone, name or number.
- Nothing leaves in clear that the policy does not say is clear; the mask is put on here.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from acl_engine.domain.decision import Decision, Show
from acl_engine.domain.errors import ActRefused, InputError
from acl_engine.domain.personal import PersonalRecord, Records
from acl_engine.domain.releases import Copy, Made, Released
from acl_engine.domain.request import Action, Query
from acl_engine.domain.text import Text
from acl_engine.domain.view import View
from acl_engine.enforcement import exposure
from acl_engine.enforcement.acts import Acted, put_case
from acl_engine.enforcement.approvals import asking, use
from acl_engine.enforcement.door import Door, refuse
from acl_engine.enforcement.lookup import gate, raised, rejudge
from acl_engine.enforcement.marking import mark_copies
from acl_engine.enforcement.normalise import RELEASES, short_name
from acl_engine.enforcement.trail import Trail
from acl_engine.masking import view as masked
from acl_engine.masking.outgoing import outgoing

DAY = 86_400
MOST_RECIPIENTS = 8
SECOND_PERSON = "second-person"
# A selection and its recipients fit a line of the register.
LONGEST = 400

RECIPIENTS = Text(
    "release.recipients",
    "接收方须为 1 至 {most} 个不同的简短名称",
    "name 1 to {most} different recipients, by short names",
    "例：supervisor-1；公示没有接收方",
    "for example: supervisor-1; a publication has none",
)
DAYS = Text(
    "release.days",
    "期限须为 1 至 {most} 天",
    "the term is 1 to {most} days",
    "最长期限见 settings.yaml 的 releases.days_max",
    "the longest is releases.days_max in settings.yaml",
)
ROWS = Text(
    "release.rows",
    "行数上限须为 1 至 {most}",
    "the row cap is 1 to {most}",
    "最大行数见 settings.yaml 的 releases.rows_max",
    "the largest is releases.rows_max in settings.yaml",
)
NOTHING = Text(
    "release.nothing",
    "没有可发布的行",
    "there is no row to release",
    "检查选择条件",
    "check the selection",
)


class Listed(Records, Protocol):
    """Records that come from a file. `digest` is that of its content."""

    digest: str


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a release is, besides its query."""

    kind: Literal["export", "publish"]
    recipients: tuple[str, ...]
    days: int
    content: str
    selection: str


def ask_release(door: Door, token: str, query: Query, source: Listed | None = None) -> Acted:
    """Ask for a release; `made` is the case. Who may release may ask, for one of the pack's
    purposes. `query.limit` is the row cap. Raises AccessDenied, InputError, StoreError."""
    trail = Trail.start(door, query)
    try:
        gate(trail, token, RELEASES, shows=False)  # (0) to (4)
        terms = _terms(trail, source)
        now = int(trail.now.timestamp())
        object_, paper = _object(trail, terms), _paper(trail, terms, source)
        case = asking(door, trail.who, trail.asked, now, object_=object_, paper=paper)
        if case.kind != terms.kind:
            raise refuse("1", "approval.other-door")
        trail.becomes(Action.ASK)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None  # (5), (6)
    return put_case(trail, case, ())


def release(
    door: Door, token: str, query: Query, case: str, source: Listed | None = None
) -> Released:
    """The copies of an agreed release, one a recipient.

    `case` is the approval; `query` and `source` must be what it was given for. Raises AccessDenied,
    InputError, StoreError.
    """
    trail = Trail.start(door, query)
    try:
        # Whoever brings the rows has seen them.
        gate(trail, token, RELEASES, shows=source is None)  # (0) to (4)
        terms = _terms(trail, source)
        _agreed(trail, terms, case)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None  # (5), (6)
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        rows = _fetch(trail, source or door.records)
        trail.at("8")
        judged = [(row, rejudge(trail, row)) for row in rows]
        trail.at("9")
        views = [_view(trail, row, decision) for row, decision in judged]
        copies, marks = mark_copies(trail, views, _copies(trail, terms, case, len(rows)))
        trail.at("10")
        trail.settle(len(rows), exposure.seen(trail, judged, views))
        trail.write_outcome(
            subjects=tuple(trail.subject(row.key) for row in rows),
            fields=tuple(sorted({name for view in views for name in view.fields})),
            count=len(rows),
            digest=_digest(copies),
            areas=tuple(trail.area(row.attributes) for row in rows),
        )
        door.releases.add([one.copy for one in copies], marks)
    except Exception as error:  # noqa: BLE001 -- as above
        raise raised(trail, error) from None
    trail.at("11")
    return Released(trail.id, copies)


def _agreed(trail: Trail, terms: _Terms, case: str) -> None:
    if trail.door.pack.settings.releases.second_person:
        try:
            use(trail, case, terms.kind, _object(trail, terms))
        except ActRefused as refused:
            raise refuse("4", refused.refusal.code, SECOND_PERSON) from None


# --- what is asked for -------------------------------------------------------------------------


def _terms(trail: Trail, source: Listed | None) -> _Terms:
    """Raises InputError."""
    request, settings = trail.asked, trail.door.pack.settings.releases
    params = dict(request.params)
    recipients = tuple(params.get("recipients", "").replace(",", " ").split())
    publishes = request.action is Action.PUBLISH
    most = 0 if publishes else MOST_RECIPIENTS
    short = all(short_name(one) for one in recipients)
    if not (short and len(set(recipients)) == len(recipients) <= most) or not (
        recipients or publishes
    ):
        raise InputError(RECIPIENTS.of(most=MOST_RECIPIENTS))
    days = params.get("days", "")
    if not (days.isascii() and days.isdigit()) or not 1 <= int(days[:6]) <= settings.days_max:
        raise InputError(DAYS.of(most=settings.days_max))
    if not 1 <= trail.query.limit <= settings.rows_max:
        raise InputError(ROWS.of(most=settings.rows_max))
    return _Terms(
        "publish" if publishes else "export",
        recipients,
        int(days),
        source.digest if source else "",
        " ".join(f"{name}={value}" for name, value in request.by)[:LONGEST],
    )


def _object(trail: Trail, terms: _Terms) -> str:
    """The digest of all that the second person agrees to."""
    request = trail.asked
    whole = [
        terms.kind,
        request.resource,
        request.by,
        sorted(request.fields),
        request.purpose,
        sorted(terms.recipients),
        terms.days,
        request.limit,
        terms.content,
        trail.door.decider.version,
    ]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=True).encode()).hexdigest()


def _paper(trail: Trail, terms: _Terms, source: Listed | None) -> dict[str, str]:
    """What the second person sees of it: what, how many, how masked, to whom, for how long."""
    request, decision = trail.asked, trail.decision
    assert decision is not None
    if source is not None:
        count = len(source.find(replace(request, limit=request.limit + 1), decision.scope))
    else:
        count = sum(trail.door.directory.count(request, decision.scope).values())
    if count > request.limit:
        raise InputError(OVER.of(most=request.limit))
    return {
        "selection": terms.selection,
        "rows": str(count),
        "shown": _shown(decision, request.fields),
        "recipients": " ".join(terms.recipients) or "-",
        "days": str(terms.days),
    }


OVER = Text(
    "release.over-cap",
    "选中的行超过上限 {most}",
    "the selection has more rows than the cap of {most}",
    "缩小范围，或申请更高的上限",
    "narrow it, or ask for a higher cap",
)


def _shown(decision: Decision, fields: Sequence[str]) -> str:
    words = []
    for name, grant in sorted(decision.grants.items()):
        if grant.show is not Show.HIDDEN and (not fields or name in fields):
            how = "clear" if grant.show is Show.CLEAR else "+".join(grant.profiles)
            words.append(f"{name}={how}")
    return " ".join(words)


# --- what leaves -------------------------------------------------------------------------------


def _fetch(trail: Trail, records: Records) -> Sequence[PersonalRecord]:
    request, decision = trail.asked, trail.decision
    assert decision is not None
    rows = records.find(replace(request, limit=request.limit + 1), decision.scope)
    if len(rows) > request.limit:
        raise refuse("7", "release.row-cap", SECOND_PERSON)
    if not rows:
        raise InputError(NOTHING.of())
    return rows


def _view(trail: Trail, row: PersonalRecord, decision: Decision) -> View:
    resource = trail.door.pack.resources[trail.asked.resource]
    shown = outgoing(masked(row, decision, resource, trail.asked.fields), resource)
    return View(resource.type, row.key, shown)


def _copies(trail: Trail, terms: _Terms, case: str, rows: int) -> list[Copy]:
    now = int(trail.now.timestamp())
    return [
        Copy(
            id=f"R-{trail.id}-{at}",
            kind=terms.kind,
            resource=trail.asked.resource,
            selection=terms.selection,
            purpose=trail.asked.purpose or "",
            recipient=recipient,
            account=trail.who.account,
            case=case,
            request=trail.id,
            rows=rows,
            marks=0,
            digest="",
            released_at=now,
            expires_at=now + terms.days * DAY,
        )
        for at, recipient in enumerate(terms.recipients or ("",), 1)
    ]


def _digest(copies: Sequence[Made]) -> str:
    """One digest over the copies' own, for the log."""
    return hashlib.sha256("".join(one.copy.digest for one in copies).encode()).hexdigest()
