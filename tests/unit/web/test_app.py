"""The layers around every route: ids, headers, limits, and errors rendered in one place."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.asgi import Answer, call

from acl_engine.bootstrap.settings import Limits, ServerSettings
from acl_engine.domain.errors import AccessDenied, InputError, StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.failures import LOCKED
from acl_engine.web import health
from acl_engine.web.app import Area, compose
from acl_engine.web.heads import headers_of
from acl_engine.web.language import preferred

SAID = Text("test.said", "不对", "not so")
SECRET = "13800138000"


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def fails(request: Request) -> Response:
    raise {
        "denied": AccessDenied("r1"),
        "input": InputError(SAID.of()),
        "store": StoreError(LOCKED.of(database="where-the-operator-keeps-it")),
        "bug": ValueError(SECRET),
    }[request.path_params["how"]]


ROUTES = [Route("/echo", echo, methods=["GET", "POST"]), Route("/fails/{how}", fails)]


def app(**limits: int) -> Any:
    settings = ServerSettings(limits=Limits(**limits))
    areas = [Area("test", ROUTES), Area("big", [], "/big", body_bytes=200_000)]
    return compose(areas, SimpleNamespace(settings=settings))  # type: ignore[arg-type]


def failing(how: str, **more: Any) -> Answer:
    return call(app(), f"/fails/{how}", **more)


def test_every_answer_has_an_id_and_cannot_be_framed_sniffed_or_kept() -> None:
    ids = set()
    for answer in (call(app(), "/echo"), call(app(), "/nope"), failing("bug")):
        ids.add(answer.header("x-request-id"))
        assert answer.header("x-frame-options") == "DENY"
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("referrer-policy") == "same-origin"
        policy = answer.header("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "max-age" in (answer.header("strict-transport-security") or "")
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("how", "status"), [("denied", 403), ("input", 400), ("store", 503), ("bug", 500)]
)
def test_errors_become_problems(how: str, status: int) -> None:
    answer = failing(how)
    assert answer.status == status
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["request"] == answer.header("x-request-id")


def test_an_error_speaks_the_callers_language_and_form() -> None:
    assert failing("input", headers=[("accept-language", "zh-CN")]).json()["title"] == "不对"
    page = failing("input", headers=[("accept", "text/html,*/*"), ("accept-language", "zh")])
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert "<h1>不对</h1>" in page.text


def test_no_text_of_a_foreign_error_leaves_or_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = failing("bug", query=f"phone={SECRET}")
    assert SECRET not in answer.text
    assert SECRET not in caplog.text
    assert "failed=ValueError" in caplog.text
    assert answer.header("x-request-id") in caplog.text  # type: ignore[operator]
    assert "route=/fails/{how}" in caplog.text


def test_what_the_database_says_stays_with_the_operator() -> None:
    answer = failing("store")
    assert "where-the-operator" not in answer.text
    assert answer.header("retry-after") == "5"


def test_unknown_places_and_methods() -> None:
    assert call(app(), "/nope").status == 404
    assert call(app(), "/echo", method="DELETE").status == 405
    assert call(app(), "/echo", method="DELETE").header("allow")


def test_a_body_that_says_or_proves_too_long_is_refused() -> None:
    small = app(body_bytes=1024)
    assert call(small, "/echo", method="POST", body=b"x" * 1024).body == b"x" * 1024
    assert call(small, "/echo", method="POST", body=b"x" * 1025).status == 413
    assert call(small, "/echo", method="POST", parts=[b"x" * 600, b"x" * 600]).status == 413
    lies = [("content-length", "-1")]
    assert call(small, "/echo", method="POST", body=b"x", headers=lies).status == 413


def test_an_area_may_take_longer_bodies() -> None:
    assert call(app(), "/big", method="POST", body=b"x" * 100_000).status == 404
    assert call(app(), "/bigger", method="POST", body=b"x" * 100_000).status == 413


def test_a_slow_body_never_reaches_a_handler() -> None:
    answer = call(app(body_seconds=1), "/echo", method="POST", parts=[b"x"], hang=True)
    assert answer.status == 408
    assert answer.header("connection") == "close"


def test_a_body_in_pieces_is_whole_or_nothing() -> None:
    """What comes after the first piece is waited for, within its time, and a caller may go."""
    pieces = [b"a", b"b", b"c"]
    assert call(app(), "/echo", method="POST", parts=pieces).body == b"abc"

    async def slowly() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        left = [*pieces]

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.01)
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"",
                 "headers": [(b"transfer-encoding", b"chunked")], "root_path": ""}  # fmt: skip
        await app()(scope, receive, send)
        scope.pop("acl.headers")
        left[:] = pieces
        stopped = asyncio.create_task(app()(scope, receive, send))
        await asyncio.sleep(0.015)
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        return sent

    sent = asyncio.run(slowly())
    assert [one["body"] for one in sent if one["type"] == "http.response.body"] == [b"abc"]


def test_of_a_header_sent_twice_the_first_counts() -> None:
    """In every layer alike: none decides on one and another on the other."""
    scope: dict[str, Any] = {"headers": [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]}
    assert headers_of(scope) == {b"a": b"1", b"b": b"2"}
    assert Request({"type": "http", **scope}).headers["a"] == "1"


def test_what_stands_behind_a_pattern_is_found_by_the_pattern() -> None:
    """The table of exact paths changes no order: the first route that fits has the request."""

    def saying(word: str) -> Any:
        async def endpoint(request: Request) -> Response:
            return PlainTextResponse(word)

        return endpoint

    routes = [
        Route("/a", saying("first")),
        Route("/a", saying("second"), methods=["GET", "POST"]),
        Route("/{any}", saying("pattern")),
        Route("/b", saying("never")),
    ]
    whole = compose([Area("t", routes)], SimpleNamespace(settings=ServerSettings()))  # type: ignore[arg-type]
    assert call(whole, "/a").text == "first"
    assert call(whole, "/a", method="POST").text == "second"
    assert call(whole, "/a", method="DELETE").status == 405
    assert call(whole, "/b").text == "pattern"


def test_too_many_parameters_or_too_long_a_query() -> None:
    assert call(app(parameters=8), "/echo", query="a&" * 7).status == 200
    assert call(app(parameters=8), "/echo", query="a&" * 8).status == 400
    assert call(app(), "/echo", query="a=" + "x" * 13_000).status == 414


def test_readiness_says_no_while_draining_or_without_a_store() -> None:
    def broken() -> None:
        raise StoreError(LOCKED.of(database="where-the-operator-keeps-it"))

    def asked(check: Any, draining: bool) -> Answer:
        routes = health.routes(check, lambda: draining)
        settings = SimpleNamespace(settings=ServerSettings())
        return call(compose([Area("h", routes)], settings), "/readyz")  # type: ignore[arg-type]

    assert asked(lambda: None, False).status == 200
    assert asked(lambda: None, True).json() == {"status": "draining"}
    assert asked(broken, False).status == 503
    assert "db" not in asked(broken, False).text


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("fr, zh;q=0.2", "zh"),
        ("zh;q=x", "en"),
        ("zh;q=0", "en"),
    ],
)
def test_language_by_weight(header: str, lang: str) -> None:
    assert preferred(header) == lang
