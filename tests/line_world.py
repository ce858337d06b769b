"""The lookup line over a small real world, with ports that a test can watch, break or make lie."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acl_engine.bootstrap import Engine
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.request import Query
from acl_engine.policy.pack import load_pack
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database, create_or_upgrade

ROOT = Path(__file__).parents[1]
PARCELS = 300


class Spy:
    """A port that writes down each call by `port.method`, then does it, or fails as told."""

    def __init__(self, port: Any, name: str, calls: list[str], fails: dict[str, Exception]) -> None:
        self._port, self._name, self._calls, self._fails = port, name, calls, fails

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            name = f"{self._name}.{method}"
            self._calls.append(name)
            if name in self._fails:
                raise self._fails[name]
            return found(*args, **kwargs)

        return called


PORTS = ("sessions", "directory", "decider", "budgets", "audit", "records", "dials", "provider")


@dataclass
class Line:
    """One engine over a copy of the world, every port watched."""

    stage: Stage
    calls: list[str]
    fails: dict[str, Exception]

    @property
    def engine(self) -> Engine:
        return self.stage.engine

    def key(self, parcel: str) -> str:
        return self.stage.truth.by_name[parcel].waybill_no

    def token(self, login: str, device: str) -> str:
        password = self.stage.truth.password(login, weak=False)
        done = self.stage.login(login, password, totp=True, device=device)
        assert done.allowed, done
        self.calls.clear()
        return self.stage._tokens[login, device]

    def read(self, parcel: str) -> Query:
        return Query("read", "waybill", key=self.key(parcel))

    def entries(self, request: str) -> list[AuditEntry]:
        return self.engine.audit.of_request(request)

    def lie(self, port: str, make: Callable[[Any], Any]) -> None:
        """Put another adapter behind one port."""
        door = self.engine._door
        self.engine._door = replace(door, **{port: make(getattr(door, port))})


def template(folder: Path) -> tuple[Database, Truth]:
    """The world that every line starts from."""
    world = small_world(ROOT)
    database = create_or_upgrade(f"sqlite:///{folder / 'line.db'}")
    build_world(database, world, PARCELS, synthetic_sealing(world.seed))
    return database, Truth(world, PARCELS)


@contextmanager
def line_over(database: Database, truth: Truth, version: str = "after") -> Iterator[Line]:
    pack = load_pack(ROOT / "policies" / "courier" / version)
    stage = Stage.open(database, pack, truth, weak=False)
    calls: list[str] = []
    fails: dict[str, Exception] = {}
    door = stage.engine._door
    spies = {name: Spy(getattr(door, name), name, calls, fails) for name in PORTS}
    stage.engine._door = replace(door, **spies)  # type: ignore[arg-type]
    try:
        yield Line(stage, calls, fails)
    finally:
        stage.close()
