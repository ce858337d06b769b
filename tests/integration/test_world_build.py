"""Building a world into a real database: the mark, what is refused, and a build that was killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, text

from acl_engine.bootstrap.keys import Keys, LocalKeyService
from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.company import World, make_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.seed import read_seed
from acl_engine.storage import bulk
from acl_engine.storage.census import census
from acl_engine.storage.database import Database, is_synthetic, require_synthetic
from acl_engine.storage.tables import customers, metadata, units, waybills, world_mark

SEEDS = Path(__file__).parents[2] / "seeds" / "courier"
COUNT = 120
SEALING = synthetic_sealing("test")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(*read_seed(SEEDS), "test", COUNT)


def digest(database: Database) -> str:
    """Of every row of every table, in the order of the primary keys."""
    found = sha256()
    with database.read() as cx:
        for table in metadata.sorted_tables:
            for row in cx.execute(select(table).order_by(*table.primary_key.columns)):
                found.update(repr((table.name, tuple(row))).encode())
    return found.hexdigest()


def test_two_builds_are_the_same_to_the_byte(database: Database, world: World) -> None:
    """Salts and nonces too: a world can be named by its seed."""
    build_world(database, world, COUNT, SEALING)
    first = digest(database)
    build_world(database, world, COUNT, SEALING, replace=True)
    assert digest(database) == first
    build_world(database, world, COUNT, SEALING, secrets="weak", replace=True)
    assert digest(database) != first


def test_a_world_is_marked_and_whole(database: Database, world: World) -> None:
    """The mark is what replay and every switch ask for."""
    assert not is_synthetic(database)
    with pytest.raises(ConfigError):
        require_synthetic(database)
    build_world(database, world, COUNT, SEALING)
    require_synthetic(database)
    found = census(database)
    assert sum(found.waybills.values()) == COUNT
    assert found.mark is not None
    assert (found.mark.pack, found.mark.seed, found.mark.finished) == ("courier", "test", True)
    with database.write() as cx:  # ids go on after those given by hand
        row = dict(cx.execute(select(waybills).limit(1)).mappings().one())
        del row["id"]
        cx.execute(insert(waybills).values(row | {"waybill_no": "SN-next"}))


def test_the_database_holds_what_the_truth_says(database: Database, world: World) -> None:
    """The truth comes from the seed alone; the two must not drift apart."""
    from acl_engine.replay.world.truth import Truth
    from acl_engine.storage.tables import waybill_people
    from acl_engine.storage.vault import Vault

    build_world(database, world, COUNT, SEALING)
    truth = Truth(world, COUNT)
    query = select(waybills, waybill_people.c.payload).join(waybill_people)
    with database.read() as cx:
        rows = cx.execute(query).mappings().all()
        payloads = {row["id"]: row["payload"] for row in rows}
        opened = Vault(LocalKeyService(Keys.synthetic("test").wrapping)).open(
            cx, "waybill_people", payloads
        )
    assert {row["waybill_no"] for row in rows} == set(truth.by_number)
    for row in rows:
        parcel = truth.by_number[row["waybill_no"]]
        assert {name: row[name] for name in parcel.facts} == parcel.facts
        clear = {name: value for name, value in parcel.fields.items() if value}
        assert opened[row["id"]] == clear


def test_a_world_is_replaced_only_when_asked(database: Database, world: World) -> None:
    build_world(database, world, COUNT, SEALING)
    with pytest.raises(StoreError, match="--replace"):
        build_world(database, world, COUNT, SEALING)
    build_world(database, world, COUNT, SEALING, replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_real_data_is_never_overwritten(
    database: Database, database_url: str, world: World, replace: bool
) -> None:
    """One customer without the mark is enough, `--replace` or not."""
    with database.write() as cx:
        cx.execute(insert(customers).values(id="c1", phone_index="x", payload=b"{}"))
    with pytest.raises(StoreError, match="never overwritten"):
        build_world(database, world, COUNT, SEALING, replace=replace)
    with pytest.raises(StoreError, match="never overwritten"):
        bulk.prepare(database_url, replace=replace)
    with database.read() as cx:
        assert cx.execute(select(customers.c.id)).scalars().all() == ["c1"]
        assert cx.execute(select(units.c.id)).first() is None


def test_a_foreign_mark_is_never_overwritten(database: Database, world: World) -> None:
    with database.write() as cx:
        mark = {"id": 1, "kind": "production", "pack": "courier", "seed": "", "built_at": 0}
        cx.execute(insert(world_mark).values(mark | {"finished": True}))
    with pytest.raises(StoreError, match="never overwritten"):
        build_world(database, world, COUNT, SEALING, replace=True)


def test_a_build_that_broke_off_is_no_world(
    database: Database, database_url: str, world: World
) -> None:
    """Neither opened nor built over by accident; `--replace` builds the same world as ever."""
    build_world(database, world, COUNT, SEALING)
    whole = digest(database)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_world(database, world, COUNT, SEALING, replace=True, progress=stop)
    assert not is_synthetic(database)
    with pytest.raises(StoreError):
        Database.open(database_url)
    with pytest.raises(StoreError, match="not finished"):
        build_world(database, world, COUNT, SEALING)
    build_world(database, world, COUNT, SEALING, replace=True)
    assert digest(database) == whole


def _rows(url: str) -> int:
    try:
        with Database.open(url, may_be_unfinished=True) as database, database.read() as cx:
            return int(cx.execute(text("SELECT count(*) FROM waybills")).scalar_one())
    except StoreError:
        return 0


@pytest.fixture
def building(database_url: str) -> Iterator[Any]:
    """`acl world build` of a large world in a process of its own."""
    command = [sys.executable, "-m", "acl_engine", "world", "build", "--waybills", "40000"]
    process = subprocess.Popen([*command, "--database", database_url], stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_a_killed_build_is_recognised(building: Any, database_url: str) -> None:
    """SIGKILL in the middle of the parcels: the database says so, in one line."""
    deadline = time.monotonic() + 60
    while _rows(database_url) == 0:
        assert building.poll() is None
        assert time.monotonic() < deadline, "the build wrote nothing for a minute"
    building.send_signal(signal.SIGKILL)
    building.wait()
    with pytest.raises(StoreError) as refused:
        Database.open(database_url)
    assert "\n" not in refused.value.render("en")


def run(*args: str) -> Any:
    return CliRunner().invoke(cli, ["world", *args])


def test_the_command_builds_shows_and_refuses(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    built = run("build", "--waybills", "200", "--database", url)
    assert built.exit_code == 0, built.output
    assert "200 waybills" in built.output
    shown = run("show", "--database", url)
    assert "seed `courier-small`" in shown.output
    assert "waybills: 200 (" in shown.output
    assert "branch_mgr 10" in shown.output
    again = run("build", "--waybills", "200", "--database", url)
    assert isinstance(again.exception, StoreError)
    assert "--replace" in again.exception.render("en")
    assert run("build", "--database", url, "--replace").exit_code == 0


def test_weak_secrets_are_guessable_and_strong_ones_are_not(tmp_path: Path) -> None:
    """The company of 2020 and the one of today, from one seed."""
    from acl_engine.identity.passwords import Passwords
    from acl_engine.storage.tables import accounts

    for kind, guessed in (("weak", True), ("strong", False)):
        url = f"sqlite:///{tmp_path / kind}.db"
        assert run("build", "--database", url, "--secrets", kind).exit_code == 0
        with Database.open(url) as database, database.read() as cx:
            query = select(accounts.c.password_hash).where(accounts.c.login == "sup-0413")
            stored = cx.execute(query).scalar_one()
        assert Passwords.synthetic().verify(stored, "123456") is guessed
