"""Prometheus metrics of the service: how many, how fast, how refused; nobody's name among them.

INVARIANTS
- A label is a method, a route's pattern or a status: a fixed set, and no value of a request.
- They are told to a service with a credential for that purpose, not to strangers.
- Several processes add up: each writes to files of its own in one folder, whoever is asked reads
  all of them.
"""

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from acl_engine.bootstrap.access import Access
from acl_engine.domain.errors import SessionDead
from acl_engine.web.bearer import bearer, unknown
from acl_engine.web.outermost import Seen
from acl_engine.web.workers import SHARED

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
# From a decision in memory to the slowest login.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One for a process."""

    def __init__(self, watch_age: Callable[[], float]) -> None:
        """`watch_age`: seconds since a watch was last at work on the log. Raises AclError."""
        self._watch_age = watch_age
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "acl_http_requests",
            "Requests answered, by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "acl_http_request_seconds",
            "Seconds from the whole request to the answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._watched = Gauge(
            "acl_watch_age_seconds",
            "Seconds since a watch was last at work on the log; +Inf where none ever was.",
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        ProcessCollector(registry=self._registry)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, seen: Seen) -> None:
        labels = seen.method, seen.route, seen.status
        if (found := self._known.get(labels)) is None:
            one = self._requests.labels(seen.method, seen.route, str(seen.status))
            found = self._known[labels] = one, self._seconds.labels(seen.route)
        found[0].inc()
        found[1].observe(seen.seconds)

    def text(self) -> bytes:
        """All of them, of all processes of the service. Raises AclError."""
        self._watched.set(self._watch_age())
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)

    def routes(self, access: Access) -> list[BaseRoute]:
        def told(token: str) -> Response:
            try:
                access.credential(token, "metrics")
            except SessionDead:
                raise unknown() from None
            return Response(self.text(), media_type=MEDIA)

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(told, bearer(request))

        return [Route("/metrics", endpoint)]
