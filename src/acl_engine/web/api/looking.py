"""Looks, along the numbered line of the engine."""

from acl_engine.domain import view
from acl_engine.domain.request import Query
from acl_engine.web.api import bodies
from acl_engine.web.api.session import Asking


def lookup(asking: Asking, body: bodies.Lookup) -> bodies.Answer:
    query = Query(
        body.action,
        body.resource,
        key=body.key,
        fields=tuple(body.fields),
        purpose=body.purpose,
        ticket=body.ticket,
        params=body.params,
    )
    return shown(asking.engine.ask(asking.token, query))


def search(asking: Asking, body: bodies.Search) -> bodies.Answer:
    query = Query(
        body.action,
        body.resource,
        by=body.by,
        fields=tuple(body.fields),
        purpose=body.purpose,
        ticket=body.ticket,
        limit=body.limit,
        after=body.after,
    )
    return shown(asking.engine.ask(asking.token, query))


def shown(answer: view.Answer) -> bodies.Answer:
    """An answer as it leaves."""
    views = [
        bodies.Shown(handle=one.handle, fields=dict(one.fields), watermark=one.watermark)
        for one in answer.views
    ]
    return bodies.Answer(request=answer.request_id, views=views, next=answer.next)
