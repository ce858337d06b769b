"""Fixtures for every room: both databases, fresh for each test, and the outside test data."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench._postgres import own_server

from acl_engine.storage.database import Database, create_or_upgrade


@pytest.fixture(scope="session")
def acl_test_data() -> Path:
    """The folder of published test data that is no part of the project."""
    folder = os.environ.get("ACL_TEST_DATA")
    if not folder:
        pytest.skip("ACL_TEST_DATA is not set: it names the folder with the published test data")
    return Path(folder)


ROOMY = 4 * 2**30  # bytes: some hundred small databases, their log, and a few made-up worlds


def _in_memory() -> list[str]:
    """Where a server of the tests is fastest: its fsync stays on, as the engine asks, and costs
    nothing. What tests kill is processes, never the machine, so nothing is lost with it."""
    shared = "/dev/shm"
    roomy = os.path.isdir(shared) and shutil.disk_usage(shared).free >= ROOMY
    return [shared] if roomy and os.access(shared, os.W_OK) else []


def _plain_temp_folder() -> str:
    """A temporary folder whose path the server accepts: no space, not in a home or a checkout."""
    for candidate in (*_in_memory(), tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(candidate).resolve()
        private = path.is_relative_to(Path.home()) or path.is_relative_to(Path(__file__).parents[1])
        if path.is_dir() and " " not in str(path) and not private:
            return tempfile.mkdtemp(prefix="acl-pg-", dir=path)
    pytest.fail("no temporary folder without spaces outside the home: set TMPDIR")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL from a pip wheel, one a test process, started when first asked for."""
    folder = _plain_temp_folder()
    server = own_server(folder)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: Any) -> Iterator[Any]:
    """A connection that may make and drop databases; `acl_template` holds the migrated schema."""
    import psycopg

    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE acl_template")
        create_or_upgrade(postgres_server.get_uri("acl_template")).close()
        yield admin


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    create_or_upgrade(f"sqlite:///{path}").close()
    return path


_databases = iter(range(10**6))


def _sqlite(template: Path, folder: Path) -> str:
    shutil.copy(template, folder / "acl.db")
    return f"sqlite:///{folder / 'acl.db'}"


def _postgres(server: Any, admin: Any) -> Iterator[str]:
    name = f"acl_{next(_databases)}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE acl_template STRATEGY file_copy")
    yield server.get_uri(name)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database of the newest schema."""
    return _sqlite(sqlite_template, tmp_path)


@pytest.fixture
def postgres_url(postgres_server: Any, postgres_admin: Any) -> Iterator[str]:
    """A fresh PostgreSQL database of the newest schema, dropped after the test."""
    yield from _postgres(postgres_server, postgres_admin)


@pytest.fixture(scope="module")
def own_sqlite_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same for a whole file of tests, each of which takes a `Database.trial` of it."""
    return _sqlite(sqlite_template, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def own_postgres_url(postgres_server: Any, postgres_admin: Any) -> Iterator[str]:
    """The same for a whole file of tests, each of which takes a `Database.trial` of it."""
    yield from _postgres(postgres_server, postgres_admin)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases in turn: the contract suites run against every backend."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty database of the newest schema."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def company(database: Database) -> Database:
    """The database with the small company of the contract suites in it."""
    from tests.contract.company import build

    build(database)
    return database
