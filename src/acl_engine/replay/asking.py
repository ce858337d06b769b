"""One request to an engine, and what came of it, as the log tells."""

import json
from dataclasses import dataclass, replace

from acl_engine.bootstrap import Engine
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AccessDenied, AuditUnavailable, InputError, StoreError
from acl_engine.domain.request import Action, Query
from acl_engine.enforcement.acts import ACTS
from acl_engine.enforcement.judicial import DISCLOSURES
from acl_engine.enforcement.normalise import RELEASES
from acl_engine.replay.outcome import Outcome, named

# The control that says no when no record can be written.
AUDIT_FIRST = "audit-first"
# Not an action of the engine: using a dial capability up.
CALL = "call"
# Not actions of the engine either: asking others for a release or a disclosure.
ASK = "ask_"
DOOR_WORDS = (CALL, *(f"{ASK}{action}" for action in sorted(RELEASES | DISCLOSURES)))


@dataclass(frozen=True, slots=True)
class Held:
    """The right to one call that an account holds, and which parcel's contact it rings."""

    capability: str = ""
    parcel: str = ""


@dataclass(slots=True)
class Watch:
    """The number of the lookup line that was entered last."""

    line: str = ""

    def __call__(self, line: str) -> None:
        self.line = line


def ask(engine: Engine, token: str, query: Query, held: Held) -> Outcome:
    """One look, act or dial; `held` is what a call uses up. Raises what the engine raises."""
    if query.action == CALL:
        called = engine.call(token, held.capability or "none")
        heard = {"handle": held.parcel, "call": called.outcome}
        return _allowed(engine, called.request_id, [heard])
    if query.action == Action.DIAL:
        given = engine.dial(token, query)
        return _allowed(engine, given.request_id, [], kept=given.token)
    if query.action in DOOR_WORDS:
        asked = replace(query, action=query.action.removeprefix(ASK))
        desk = engine.judicial if asked.action in DISCLOSURES else engine.releases
        acted = desk.ask(token, asked)
        return _allowed(engine, acted.request_id, [], kept=acted.made)
    if query.action in RELEASES:
        return _released(engine, token, query)
    if query.action in DISCLOSURES:
        return _disclosed(engine, token, query)
    if query.action in ACTS:
        acted = engine.act(token, query)
        return _allowed(engine, acted.request_id, [], kept=acted.made)
    answer = engine.ask(token, query)
    shown = [{"handle": view.handle, **view.fields} for view in answer.views]
    came = _allowed(engine, answer.request_id, shown, looked=len(shown))
    return replace(came, mark=answer.views[0].watermark if answer.views else "")


def _released(engine: Engine, token: str, query: Query) -> Outcome:
    """The first recipient's copy. Whose copy its made-up rows name is asked as a tracer would."""
    params = dict(query.params)
    case = params.pop("approval", "")
    made = engine.releases.release(token, replace(query, params=params), case)
    views = made.copies[0].views
    shown = [{"handle": view.handle, **view.fields} for view in views]
    marked = engine.releases.recipients(query.resource, [view.handle for view in views])
    outcome = _allowed(engine, made.request_id, shown, looked=len(shown))
    return replace(outcome, marked=marked)


def _disclosed(engine: Engine, token: str, query: Query) -> Outcome:
    """What whoever fetches the result can read of its bytes: nothing, if it is sealed."""
    params = dict(query.params)
    case = params.pop("approval", "")
    made = engine.judicial.deliver(token, replace(query, params=params), case)
    fields = json.loads(made.body).get("fields")
    return _allowed(
        engine, made.request_id, [{"handle": query.key or "", **fields}] if fields else []
    )


def refused(engine: Engine, error: Exception, watch: Watch) -> Outcome:
    """Where and why a request stopped. A foreign error is the engine's fault and raises on."""
    match error:
        case AccessDenied():
            return of_entries(engine.audit.of_request(error.request_id), error.request_id)
        case AuditUnavailable():
            # Nobody could be named, and nobody was answered.
            code = error.message.code
            return Outcome(False, watch.line, (AUDIT_FIRST,), reason=code, named=True)
        case StoreError() | InputError():
            return Outcome(False, watch.line, reason=error.message.code, named=True)
    raise error


def of_entries(entries: list[AuditEntry], request: str = "") -> Outcome:
    """The refusal that the log's records tell of."""
    if not entries:
        return Outcome(False, "?", request=request)
    last = entries[-1]
    return Outcome(
        False,
        last.line,
        last.controls,
        last.rule,
        last.reason,
        request=request,
        named=named(entries),
    )


def _allowed(
    engine: Engine, request: str, shown: list[dict[str, str]], looked: int = 1, kept: str = ""
) -> Outcome:
    body = json.dumps(shown, ensure_ascii=False).encode() if shown else b""
    entries = engine.audit.of_request(request)
    return Outcome(
        True,
        "11",
        answer=body,
        request=request,
        named=named(entries),
        looked=looked,
        token=kept,
    )
