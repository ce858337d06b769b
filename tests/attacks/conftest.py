"""The line over a small world, for the attacks on it."""

from collections.abc import Iterator

import pytest
from tests.line_world import Line, line_over, template

from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database


@pytest.fixture(scope="session")
def line_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Truth]]:
    database, truth = template(tmp_path_factory.mktemp("attacked"))
    yield database, truth
    database.close()


@pytest.fixture
def line(line_template: tuple[Database, Truth]) -> Iterator[Line]:
    with line_over(*line_template) as made:
        yield made
