"""A connection that asks nothing whole is closed, whatever it sends to stay."""

import asyncio
from typing import Any

import pytest
import uvicorn

from acl_engine.bootstrap.settings import Limits
from acl_engine.web.connections import bounded

WHOLE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_ANSWER = b"HTTP/1.1 200"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _told(*sent: bytes) -> bytes:
    """What a connection is sent till it is closed, that sends each part after the first once all
    before are answered. Raises TimeoutError when it stays open."""
    config = uvicorn.Config(
        _app, port=0, http=bounded(Limits(header_seconds=1)), lifespan="off", log_level="error",
        timeout_keep_alive=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    place = server.servers[0].sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(*place)
    told = b""
    for part in sent:
        while sent[0] is not part and told.count(_ANSWER) < sent[0].count(WHOLE):
            told += await reader.read(4096)
        writer.write(part)
    try:
        async with asyncio.timeout(8):
            while more := await reader.read(4096):
                told += more
    finally:
        writer.close()
        server.should_exit = True
        await serving
    return told


@pytest.mark.parametrize("then", [b"", b"\r\n", b"\n", b"\r\n\r\n", b"G", WHOLE[:-2]])
@pytest.mark.parametrize("first", [WHOLE, WHOLE + WHOLE])
def test_what_is_no_request_keeps_no_connection(first: bytes, then: bytes) -> None:
    """Empty lines after an answer begin no request, and end the wait for the next one."""
    told = asyncio.run(_told(first, then))
    assert told.count(_ANSWER) == first.count(WHOLE)


def test_requests_in_turn_are_all_answered() -> None:
    assert asyncio.run(_told(WHOLE, b"\r\n" + WHOLE)).count(_ANSWER) == 2
