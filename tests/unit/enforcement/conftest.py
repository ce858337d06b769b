"""One world for the module's tests; each gets its own copy."""

from collections.abc import Iterator

import pytest
from tests.line_world import Line, line_over, template

from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Truth]]:
    database, truth = template(tmp_path_factory.mktemp("line"))
    yield database, truth
    database.close()


@pytest.fixture
def line(world: tuple[Database, Truth]) -> Iterator[Line]:
    with line_over(*world) as made:
        yield made
