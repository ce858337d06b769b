"""The Transport port: a raw HTTP request to the engine of one run. `cli` fills it.

Each run has an engine over its own copy of the world, so the port is filled by a function that
puts a web application over that engine. Without one, a scenario with an `http` step is skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from acl_engine.bootstrap import Engine, Keys
from acl_engine.domain.pack import Pack
from acl_engine.domain.ports import Clock
from acl_engine.storage.database import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """`target` is path and query as on the request line. A header may stand twice."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Replied:
    """`headers` in the order received, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def text(self) -> str:
        """Status line, headers and body, as a person who reads the wire sees them."""
        lines = [str(self.status), *(f"{name}: {value}" for name, value in self.headers), ""]
        return "\n".join([*lines, self.body.decode("utf-8", "replace")])


@dataclass(frozen=True, slots=True)
class Site:
    """What a web application is put over: the engine of one run and what it was made of.

    `off`: components that the run switches off."""

    engine: Engine
    database: Database
    pack: Pack
    clock: Clock
    keys: Keys
    off: frozenset[str] = frozenset()


class Transport(Protocol):
    """Sends a request as it is, follows no redirect, keeps no cookie."""

    def send(self, request: Asked) -> Replied: ...

    def close(self) -> None: ...


Serve = Callable[[Site], Transport]
