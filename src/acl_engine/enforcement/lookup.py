"""One lookup, a straight line. Every look at a customer's data walks these numbers:

(0) who         the live person behind the token: account, device, shift, checked now
(1) what        the query in canonical form; reverse lookup is an action of its own
(2) facts       live facts about the person and the record; a missing one never fits
(3) decide      allow or deny, with a scope, a reason and what may be shown of each field
(4) budget      looks set aside in every window, atomically
(5) write down  the intent, durable; cannot write = no answer
(6) refuse      the same bytes whether or not the record exists
(7) fetch       the scope as a WHERE, or held against the one row of a key; at most a page
(8) re-check    every row against the decision again: the store is not trusted to filter
(9) mask        a record and its obligations become a view
(10) close      the outcome, durable: how many, which fields, the digest, the mark
(11) return     the answer
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hmac import compare_digest

from acl_engine.audit import screenmark
from acl_engine.domain.budgets import NO_WEIGHTS
from acl_engine.domain.decision import CLEAR, Decision
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack, ResourceSpec
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Action, Query, Request
from acl_engine.domain.view import Answer, View
from acl_engine.enforcement import exposure
from acl_engine.enforcement.door import Door, Refused, refuse
from acl_engine.enforcement.narrowed import CONTROL as NARROW
from acl_engine.enforcement.narrowed import narrow, narrowed
from acl_engine.enforcement.narrowed import refusal as narrow_refusal
from acl_engine.enforcement.normalise import SEARCH_SHAPE, normalise
from acl_engine.enforcement.trail import Trail
from acl_engine.masking import view as masked

LOOKS = frozenset(
    {
        Action.READ,
        Action.SEARCH,
        Action.TRACE,
        Action.REVERSE_LOOKUP,
        Action.COUNT_BY_PHONE,
        Action.AGGREGATE,
        Action.VERIFY,
    }
)
# A count under this is shown as "<10": a small cell can point at one person. So is none at all:
# whether there is one would tell as much.
SMALL_CELL = 10


def lookup(door: Door, token: str, query: Query) -> Answer:
    """One look. Raises AccessDenied, InputError (a query that says nothing), StoreError."""
    trail = Trail.start(door, query)
    try:
        gate(trail, token, LOOKS)  # (0) to (4)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial, its text is dropped
        raise raised(trail, error) from None  # (5), (6)
    trail.at("5")
    trail.write_intent()
    try:
        trail.at("7")
        rows = _fetch(trail)
        trail.at("8")
        judged = [(row, rejudge(trail, row)) for row in rows]
        trail.at("9")
        views = _views(trail, judged)
        trail.at("10")
        trail.settle(max(1, len(views)), exposure.seen(trail, judged, views))
        trail.write_outcome(
            subjects=tuple(trail.subject(row.key) for row in rows),
            fields=tuple(sorted({name for view in views for name in view.fields})),
            count=len(views),
            digest=_digest(views),
            watermark=_watermark(trail),
            areas=tuple(trail.area(row.attributes) for row in rows),
        )
    except Exception as error:  # noqa: BLE001 -- as above
        raise raised(trail, error) from None
    trail.at("11")
    return Answer(trail.id, views, _next(trail, judged))


def gate(trail: Trail, token: str, actions: frozenset[Action], *, shows: bool = True) -> None:
    """(0) to (4), shared by looks, acts and dial. Raises whatever says no.

    `shows`: people of the store are shown by what follows; a budget counts them.
    """
    door = trail.door
    trail.at("0")
    trail.principal = door.sessions.resolve(token)
    trail.at("1")
    request = normalise(trail.query, door.pack, trail.id)
    trail.request = request
    if request.action not in actions:
        raise refuse("1", "query.wrong-door")
    trail.at("2")
    trail.facts = door.directory.facts(trail.principal, request)
    trail.at("3")
    decision = door.decider.decide(request, trail.facts)
    trail.decision = decision
    if not decision.allowed:
        raise _refused_by(decision, "3")
    login = door.pack.settings.login
    if narrow(trail.who, login):
        asked = request.fields if trail.query.fields else ()
        if code := narrow_refusal(request.action, asked, login.legacy_shows):
            raise refuse("3", code, NARROW)
        decision = trail.decision = narrowed(decision, login.legacy_shows)
    _asks_openly(request, decision, door.pack)
    trail.at("4")
    amount = request.limit if request.key is None else 1
    trail.set_aside(amount, exposure.weights(trail) if shows else NO_WEIGHTS)


def _asks_openly(request: Request, decision: Decision, pack: Pack) -> None:
    """What is not shown in clear does not choose rows either: which of them come would tell it.

    A page after a hidden key would tell, by halving, what the keys are.
    """
    resource = pack.resources[request.resource]
    if request.after is not None and decision.grants.get(resource.key) != CLEAR:
        raise refuse("3", "search-shape.after", SEARCH_SHAPE)
    if request.action is Action.SEARCH and not pack.settings.lookup.broad_search:
        for name, _ in request.by:
            if name in resource.fields and decision.grants.get(name) != CLEAR:
                raise refuse("3", "search-shape.hidden", SEARCH_SHAPE)


def _refused_by(decision: Decision, line: str) -> Refused:
    rule = " ".join(decision.rules) or None
    return refuse(line, decision.reason.code, *decision.controls, rule=rule)


def raised(trail: Trail, error: Exception) -> Exception:
    """What to raise. A query that is no query is told so; everything else looks the same."""
    outward = trail.denied(error)
    return error if isinstance(error, InputError) else outward


def _fetch(trail: Trail) -> Sequence[PersonalRecord]:
    decision, request = trail.decision, trail.asked
    assert decision is not None
    if request.action is Action.AGGREGATE:
        return ()
    # What nobody will be shown is not read. Of each row that is decided again.
    wanted = replace(request, fields=request.fields or tuple(decision.grants))
    rows = trail.door.records.find(wanted, decision.scope)
    if request.key is not None and not rows:
        # Gone since step 2. An empty answer would tell it from a record that was never there.
        raise refuse("7", "fetch.no-record")
    return rows


def rejudge(trail: Trail, row: PersonalRecord) -> Decision:
    assert trail.facts is not None
    if not _asked_for(trail, row):
        raise refuse("8", "store.other-record")
    decision = trail.door.decider.judge(trail.asked, trail.facts, row.attributes)
    if not decision.allowed:
        raise _refused_by(decision, "8")
    login = trail.door.pack.settings.login
    return narrowed(decision, login.legacy_shows) if narrow(trail.who, login) else decision


def _asked_for(trail: Trail, row: PersonalRecord) -> bool:
    """Whether the store gave what was asked for, and not another record of the same scope."""
    request = trail.asked
    if row.type != request.resource or request.key not in (None, row.key):
        return False
    if request.after is not None and row.key <= request.after:
        return False
    if trail.door.pack.settings.lookup.broad_search:
        return True  # a pattern is the store's to match
    held = [(row.attributes.get(name), value) for name, value in request.by]
    return all(found == value for found, value in held if isinstance(found, str))


def _next(trail: Trail, judged: list[tuple[PersonalRecord, Decision]]) -> str | None:
    """Where the next page begins, if there may be one: a key, so only if the key was shown."""
    if not judged or len(judged) < trail.asked.limit:
        return None
    row, decision = judged[-1]
    key = trail.door.pack.resources[trail.asked.resource].key
    return row.key if decision.grants.get(key) == CLEAR else None


def _views(trail: Trail, judged: list[tuple[PersonalRecord, Decision]]) -> tuple[View, ...]:
    request = trail.asked
    resource = trail.door.pack.resources[request.resource]
    if request.action is Action.AGGREGATE:
        return _counts(trail, resource)
    if request.action is Action.COUNT_BY_PHONE:
        shown = {"count": str(len(judged))}
        return (View(resource.type, "count", shown, _watermark(trail)),)
    if request.action is Action.VERIFY:
        return tuple(_verified(trail, row, resource) for row, _ in judged)
    return tuple(_view(trail, row, decision, resource) for row, decision in judged)


def _view(trail: Trail, row: PersonalRecord, decision: Decision, resource: ResourceSpec) -> View:
    shown = masked(row, decision, resource, trail.asked.fields)
    known = decision.grants.get(resource.key) == CLEAR or trail.asked.key is not None
    handle = row.key if known else trail.subject(row.key)[:16]
    return View(resource.type, handle, shown, _watermark(trail))


def _verified(trail: Trail, row: PersonalRecord, resource: ResourceSpec) -> View:
    """Whether the pickup code fits: yes or no, and nothing of the record."""
    offered = dict(trail.asked.params).get("pickup_code", "")
    truth = row.fields.get("pickup_code", "")
    fits = bool(truth) and compare_digest(offered.encode(), truth.encode())
    return View(resource.type, row.key, {"verified": "yes" if fits else "no"}, _watermark(trail))


def _counts(trail: Trail, resource: ResourceSpec) -> tuple[View, ...]:
    assert trail.decision is not None
    counts = trail.door.directory.count(trail.asked, trail.decision.scope)
    only = dict(trail.asked.by).get("stage")
    stages = [stage for stage in resource.stages if only in (None, stage)]
    shown = {stage: _cell(counts.get(stage, 0)) for stage in stages}
    return (View(resource.type, "count", shown, _watermark(trail)),)


def _cell(count: int) -> str:
    return str(count) if count >= SMALL_CELL else f"<{SMALL_CELL}"


def _watermark(trail: Trail) -> str:
    """The short code on every view: session and minute, never the name."""
    if not trail.door.marks:
        return ""
    minute = int(trail.now.timestamp()) // 60
    return screenmark.mark(trail.door.pseudonyms.digest("mark", f"{trail.who.session}:{minute}"))


def _digest(views: tuple[View, ...]) -> str:
    body: list[Mapping[str, str]] = [dict(view.fields) for view in views]
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
