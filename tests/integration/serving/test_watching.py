"""Metrics and traces say how many and how fast, and nothing about anybody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from acl_engine.bootstrap.settings import load
from acl_engine.domain.errors import ConfigError
from acl_engine.web.outermost import Seen
from acl_engine.web.tracing import tracing
from tests.api_world import Api
from tests.asgi import Answer, call
from tests.seeded import found, personal
from tests.serving import serving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def metrics(api: Api, token: str | None) -> Answer:
    bearer = (("authorization", f"Bearer {token}"),) if token else ()
    return call(api.app, "/metrics", headers=bearer)


def test_metrics_count_routes_and_name_nobody(api: Api) -> None:
    key = api.key("load-1")
    call(api.app, f"/nowhere/{key}", query="phone=13800138000")
    api.post("/v1/lookup", {"key": key}, api.token("courier-88"))
    told = metrics(api, api.credential("metrics"))
    assert told.status == 200
    assert 'acl_http_requests_total{method="POST",route="/v1/lookup",status="200"} 1.0' in told.text
    assert 'acl_http_requests_total{method="GET",route="-",status="404"} 1.0' in told.text
    assert 'acl_http_request_seconds_count{route="/v1/login"} 1.0' in told.text
    for secret in (key, "13800138000", "courier-88", api.token("courier-88")):
        assert secret not in told.text


def test_no_answer_nor_metric_holds_a_value_of_the_seed(api: Api) -> None:
    """Whatever is typed where, in each role: not in a body, a header or a count."""
    clear = api.truth.by_name["load-1"].fields
    told: list[str] = []
    for login in ("keeper-07", "sup-0413", "auditor-01"):
        token = api.token(login)
        for body in (
            {"key": clear["recipient_phone"]},
            {"key": api.key("load-1")},
            {"action": "reverse_lookup", "by": {"recipient_phone": clear["recipient_phone"]}},
            {"action": "search", "by": {"recipient_name": clear["recipient_name"]}},
            {"action": clear["recipient_name"], "resource": clear["unit"]},
            {"key": api.key("load-1"), "purpose": clear["id_number"]},
            {clear["recipient_phone"]: clear["recipient_name"]},
            {"key": api.key("keeper-parcel")},
        ):
            answer = api.post("/v1/lookup", body, token)
            told.append(f"{answer.headers} {answer.text}")
    for where in ("/v1/lookup", "/nowhere", "/scanner/"):
        query = "&".join(f"{name}={quote(value)}" for name, value in clear.items())
        answer = call(api.app, f"{where}/{quote(clear['recipient_phone'])}", query=query)
        told.append(f"{answer.headers} {answer.text}")
    shown = [text for text in told if "waybill_no" in text]
    assert shown  # some were answered: nothing is not all that was searched
    told.append(metrics(api, api.credential("metrics")).text)
    for one in told:
        assert found(one.encode(), personal(api.truth)) == set(), one


def test_metrics_are_not_told_to_strangers(api: Api) -> None:
    for token in (None, "x", api.credential("evaluation"), api.token("courier-88")):
        assert metrics(api, token).status == 401


@contextmanager
def collector() -> Iterator[tuple[int, list[bytes]]]:
    """An OTLP/HTTP collector that keeps what it is sent."""
    kept: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_served_request_becomes_a_span_of_the_callers_trace(
    world_copy: str, tmp_path: Path
) -> None:
    """Over the wire, by the service as it is started: route and status, no path, nobody."""
    with collector() as (port, kept):
        endpoint = f"http://127.0.0.1:{port}/v1/traces"
        with serving(tmp_path, "--database", world_copy, ACL_TELEMETRY_ENDPOINT=endpoint) as one:
            one.ask(
                "/cas/login?service=https://13800138000.example/", headers={"traceparent": PARENT}
            )
            one.ask("/nowhere/SECRET-KEY")
            assert one.stop() == 0
    sent = b"".join(kept)
    assert b"GET /cas/login" in sent
    assert bytes.fromhex(TRACE) in sent
    for secret in (b"13800138000", b"SECRET-KEY", b"traceparent"):
        assert secret not in sent


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    """Spans are lost, requests are not."""
    with tracing("http://127.0.0.1:9/v1/traces") as (observe,):
        observe(Seen("n", "GET", "/healthz", 200, 0.001, 1_772_400_000_000_000_000, "nonsense"))


@pytest.mark.parametrize("endpoint", ["http://collector.example/", "collector", "ftp://x/"])
def test_traces_leave_over_tls_alone(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        load(None, {"telemetry.endpoint": endpoint}, {})
