"""OpenTelemetry traces: one span for each request, sent over OTLP where the settings say so.

INVARIANTS
- A span holds the method, the route's pattern, the status and our request id; no path, no query,
  no header, no person.
- Of the caller's trace only its two numbers are taken (W3C Trace Context, `traceparent`).
- A collector that is away loses spans and holds up no request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text
from acl_engine.web.outermost import Observer, Seen

NO_TELEMETRY = Text(
    "tracing.not-installed",
    "缺少 OpenTelemetry，无法按 telemetry.endpoint 上报",
    "telemetry.endpoint is set, and OpenTelemetry is not installed",
    "运行 pip install 'acl-engine[telemetry]'",
    "run pip install 'acl-engine[telemetry]'",
)


@contextmanager
def tracing(endpoint: str | None) -> Iterator[list[Observer]]:
    """Observers that send spans to an OTLP/HTTP endpoint; what is left is sent at the end."""
    if endpoint is None:
        yield []
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise ConfigError(NO_TELEMETRY.of()) from None
    provider = TracerProvider(
        resource=Resource({"service.name": "acl-engine"}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    try:
        yield [_observer(provider.get_tracer("acl_engine.web"))]
    finally:
        provider.shutdown()


def _observer(tracer: Any) -> Observer:
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()

    def observe(seen: Seen) -> None:
        span = tracer.start_span(
            f"{seen.method} {seen.route}",
            context=propagator.extract({"traceparent": seen.parent}),
            kind=SpanKind.SERVER,
            start_time=seen.ended - int(seen.seconds * 1e9),
            attributes={
                "http.request.method": seen.method,
                "http.route": seen.route,
                "http.response.status_code": seen.status,
                "acl.request": seen.number,
            },
        )
        if seen.status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(seen.ended)

    return observe
