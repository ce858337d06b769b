"""Ten thousand connections held by strangers, with and without TLS: `make soak`."""

import os
import resource
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.line_world import template
from tests.serving import Served, serving

pytestmark = pytest.mark.soak
MANY = 10_000
# What a connection may cost the service, held by default limits: 2,000 with TLS, 1,000 on the way.
MOST_MEGABYTES, MOST_SECONDS = 512, 1.0
MOST_FILES = 2_000 + 1_000 + 256
CLOSE = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
BODY = b"POST /cas/login HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nusername="


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`acl serve` with its default limits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 1_000:
        pytest.skip(f"the system allows {hard:,} open files, {MANY + 1_000:,} are needed")
    folder = tmp_path_factory.mktemp("connections")
    database, _ = template(folder)
    database.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 1_000, hard))
    try:
        with serving(folder, "--database", f"sqlite:///{folder / 'line.db'}") as one:
            yield one
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def plain(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=30)


def with_tls(served: Served) -> ssl.SSLSocket:
    return served.context.wrap_socket(plain(served), server_hostname="localhost")


def with_a_body_that_never_ends(served: Served) -> ssl.SSLSocket:
    one = with_tls(served)
    one.sendall(BODY)
    return one


def answered_without_a_good_bye(served: Served) -> ssl.SSLSocket:
    one = with_tls(served)
    one.sendall(CLOSE)
    assert one.recv(100).startswith(b"HTTP/1.1 200 ")
    return one


KINDS = [plain, with_tls, with_a_body_that_never_ends, answered_without_a_good_bye]


@pytest.mark.parametrize("how", KINDS)
def test_ten_thousand_connections_keep_nobody_out(
    served: Served, how: Callable[[Served], socket.socket]
) -> None:
    """Bounded memory and files; whoever comes is served; and all of it is given back."""
    before, megabytes = files(served), memory(served)
    with ExitStack() as held:
        waits = []
        for number in range(1, MANY + 1):
            held.enter_context(how(served))
            if number % 1_000 == 0:
                waits.append(answered(served))
                assert files(served) <= MOST_FILES
        waits += [answered(served) for _ in range(10)]
        assert statistics.median(waits) < MOST_SECONDS
        assert memory(served) - megabytes < MOST_MEGABYTES
    until = time.monotonic() + 30
    while files(served) > before + 20:
        assert time.monotonic() < until, "connections that are gone are still held"
        time.sleep(0.2)
    assert answered(served) < MOST_SECONDS


def answered(served: Served) -> float:
    """Seconds until a new caller has the answer."""
    started = time.perf_counter()
    assert served.ask("/readyz").status == 200
    return time.perf_counter() - started


def files(served: Served) -> int:
    return len(os.listdir(f"/proc/{served.process.pid}/fd"))


def memory(served: Served) -> float:
    pages = int(Path(f"/proc/{served.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
