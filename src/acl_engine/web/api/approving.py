"""Approvals, through the engine's own desk: asked, answered by a second person, reviewed."""

from acl_engine.enforcement.acts import Acted
from acl_engine.web.api import bodies
from acl_engine.web.api.looking import shown
from acl_engine.web.api.session import Asking


def ask(asking: Asking, body: bodies.Ask) -> bodies.Acted:
    return _done(
        asking.engine.approvals.ask(
            asking.token,
            body.key,
            body.purpose,
            resource=body.resource,
            ticket=body.ticket,
            urgent=body.urgent,
        )
    )


def answer(asking: Asking, body: bodies.Reply) -> bodies.Acted:
    desk = asking.engine.approvals
    if body.answer == "approve":
        return _done(desk.approve(asking.token, body.case, image=body.image))
    ways = {"refuse": desk.refuse, "withdraw": desk.withdraw}
    return _done(ways[body.answer](asking.token, body.case))


def review(asking: Asking, body: bodies.Review) -> bodies.Acted:
    return _done(asking.engine.approvals.review(asking.token, body.case, sound=body.sound))


def cases(asking: Asking, body: bodies.Cases) -> bodies.Answer:
    return shown(asking.engine.approvals.cases(asking.token, body.stage, due=body.due))


def open_case(asking: Asking, body: bodies.Case) -> bodies.Answer:
    return shown(asking.engine.approvals.open(asking.token, body.case))


def _done(done: Acted) -> bodies.Acted:
    return bodies.Acted(request=done.request_id, made=done.made)
