"""AuthZEN access evaluation: a decision alone, on the event loop wherever nothing has to be read.

(1) look      at the database's state, after the request came: one look for all that came before it
(2) known     the same question in the same state and second has been answered: that is the answer
(3) check     credential, media type, JSON, as for every operation
(4) decide    from what is kept of this state
(5) read      in a thread, what is not kept

INVARIANT: no answer rests on a look that began before the request came.
"""

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from acl_engine.bootstrap.evaluations import Evaluations
from acl_engine.domain.request import Query
from acl_engine.storage.unchanged import Kept, NotKept
from acl_engine.web.api import json_body
from acl_engine.web.api.bodies import Evaluation
from acl_engine.web.api.session import worked
from acl_engine.web.api.shared_looks import SharedLooks
from acl_engine.web.bearer import token_of, unknown
from acl_engine.web.heads import headers_of

PATH = "/access/v1/evaluation"
_BODIES = {True: b'{"decision":true}', False: b'{"decision":false}'}
_HEADERS = {
    allowed: [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", json_body.MEDIA.encode()),
    ]
    for allowed, body in _BODIES.items()
}
# How many may read from a server's database at once what is not kept.
_READERS = 4


class Evaluating:
    """The ASGI application of one route."""

    def __init__(self, evaluations: Evaluations) -> None:
        self._evaluations = evaluations
        self._without_wait = evaluations.look_without_wait
        self._looks = SharedLooks(lambda: evaluations.look(wait=True))
        # Whoever waits for its turn finds what the one before has read: a change sends all of them
        # to the database at once, and threads that read the same would hold each other up.
        self._turn = asyncio.Semaphore(1 if self._without_wait else _READERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        credential = headers.get(b"authorization", b"")
        media = headers.get(b"content-type", b"")
        body = (await receive())["body"]  # whole: see `web.limits`
        question = self._evaluations.question(credential, media, body)
        kept = await self._look()
        allowed = None if kept is None else self._evaluations.known(kept, question)
        if allowed is None:
            asked = _Asked(question, *_read(credential, media, body))
            allowed = await self._decide(kept, asked)
        start = _HEADERS[allowed]
        if b"x-request-id" in headers:
            start = start + json_body.own_number(headers)
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": _BODIES[allowed]})

    async def _look(self) -> Kept | None:
        if self._without_wait:
            with suppress(NotKept):
                return self._evaluations.look(wait=False)
        return await self._looks.one()

    async def _decide(self, kept: Kept | None, asked: "_Asked") -> bool:
        if kept is not None:
            with suppress(NotKept):
                return self._decided(kept, asked, False)
        async with self._turn:
            if kept is not None:
                with suppress(NotKept):
                    return self._decided(kept, asked, False)
            return await run_in_threadpool(self._decided, kept, asked, True)

    def _decided(self, kept: Kept | None, asked: "_Asked", wait: bool) -> bool:
        decide = self._evaluations.decide
        return worked(
            lambda: decide(kept, asked.question, asked.token, asked.account, asked.query, wait=wait)
        )


class _Asked:
    __slots__ = ("account", "query", "question", "token")

    def __init__(self, question: bytes, token: str, body: Evaluation) -> None:
        self.question, self.token = question, token
        self.account = body.subject.id if body.subject.type == "account" else ""
        self.query = Query(body.action.name, body.resource.type, key=body.resource.id)


def _read(credential: bytes, media: bytes, body: bytes) -> tuple[str, Evaluation]:
    token = token_of(credential)
    if not token:
        raise unknown()
    return token, json_body.read(media, body, Evaluation)


def route(evaluations: Evaluations) -> Route:
    return Route(PATH, Evaluating(evaluations), methods=["POST"])
