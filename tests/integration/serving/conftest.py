"""A small world on disk, and the service over it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from tests import api_world
from tests.api_world import Api
from tests.line_world import PARCELS, ROOT, template
from tests.serving import Served, serving


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company in a SQLite file; copy it to change it."""
    folder = tmp_path_factory.mktemp("served-world")
    database, _ = template(folder)
    database.close()
    return folder / "line.db"


@pytest.fixture
def world_copy(world_file: Path, tmp_path: Path) -> str:
    """The URL of a copy of one's own."""
    shutil.copy(world_file, tmp_path / "world.db")
    return f"sqlite:///{tmp_path / 'world.db'}"


@pytest.fixture(scope="module")
def served(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for a module; its tests change nothing that another one reads."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(world_file, folder / "world.db")
    limits = {"ACL_LIMITS_HEADER_SECONDS": "1", "ACL_LIMITS_BODY_SECONDS": "1"}
    with serving(folder, "--database", f"sqlite:///{folder / 'world.db'}", **limits) as one:
        yield one


@pytest.fixture(scope="module")
def api(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The whole application in this process, over a world of the module's own."""
    url = api_world.copied(world_file, tmp_path_factory.mktemp("api"))
    made = api_world.api(url, Truth(small_world(ROOT), PARCELS))
    yield made
    made.service.close()
