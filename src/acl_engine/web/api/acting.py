"""Acts and calls, through the same gate as looks."""

from acl_engine.domain.request import Action, Query
from acl_engine.web.api import bodies
from acl_engine.web.api.session import Asking


def act(asking: Asking, body: bodies.Act) -> bodies.Acted:
    query = Query(
        body.action, body.resource, key=body.key, params=body.params, purpose=body.purpose
    )
    done = asking.engine.act(asking.token, query)
    return bodies.Acted(request=done.request_id, made=done.made)


def dial(asking: Asking, body: bodies.Dial) -> bodies.Capability:
    query = Query(Action.DIAL, body.resource, key=body.key, purpose=body.purpose)
    given = asking.engine.dial(asking.token, query)
    return bodies.Capability(
        request=given.request_id, capability=given.token, expires_at=given.expires_at
    )


def call(asking: Asking, body: bodies.Call) -> bodies.Called:
    done = asking.engine.call(asking.token, body.capability)
    return bodies.Called(request=done.request_id, outcome=done.outcome)
