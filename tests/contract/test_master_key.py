"""The master key changes in place: what is stored stays as it is, the old key opens nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, select

from acl_engine.bootstrap.keys import KEY, KEY_FILE, Keys, LocalKeyService
from acl_engine.bootstrap.master_key import change_master, keys_of
from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.storage.database import Database
from acl_engine.storage.key_rotation import KeyRotation
from acl_engine.storage.tables import audit_records, world_mark
from acl_engine.storage.tables_keys import data_keys, root_keys
from acl_engine.storage.vault import Vault, context_of

FIELDS = {"name": "张三", "phone": "13800138000"}


@pytest.fixture
def masters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The old master key's file, which the environment names, and the new one's."""
    files = tmp_path / "old.key", tmp_path / "new.key"
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 32)
        file.chmod(0o600)
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.setenv(KEY_FILE, str(files[0]))
    return files


def sealed(database: Database) -> bytes:
    safe = vault(keys_of(database))
    with database.write() as cx:
        return safe.put(cx, "records", 1, FIELDS)


def opened(database: Database, payload: bytes, keys: Keys) -> dict[str, str]:
    with database.read() as cx:
        return vault(keys).open(cx, "records", {1: payload})[1]


def vault(keys: Keys) -> Vault:
    return Vault(LocalKeyService(keys.wrapping))


def without_root(database: Database) -> None:
    """As a database is that was made before there were root keys."""
    with database.write() as cx:
        cx.execute(delete(root_keys))


def test_a_new_database_has_a_root_of_its_own(
    database: Database, masters: tuple[Path, Path]
) -> None:
    """Also where several processes open it at once."""
    with ThreadPoolExecutor(4) as pool:
        (first, *others) = pool.map(lambda _: keys_of(database), range(4))
    assert all(one == first for one in others)
    assert first.index != Keys.of(masters[0].read_bytes(), masters[0].read_bytes()).index
    with pytest.raises(ConfigError) as refused:
        keys_of(database, masters[1])
    assert refused.value.message.code == "keys.other-root"


@pytest.mark.parametrize("older", [False, True], ids=["new", "older-than-roots"])
def test_everything_opens_under_the_new_key_and_nothing_under_the_old(
    database: Database, masters: tuple[Path, Path], older: bool
) -> None:
    if older:
        master = masters[0].read_bytes()
        keys = Keys.of(master, master)
        with database.write() as cx:
            payload = vault(keys).put(cx, "records", 1, FIELDS)
        assert keys_of(database) == keys
    else:
        payload = sealed(database)
    before = keys_of(database)
    assert change_master(database, masters[1], dry_run=False) == 2
    after = keys_of(database, masters[1])
    assert opened(database, payload, after) == FIELDS
    for stays in ("index", "pseudonym", "totp", "checkpoint"):
        assert getattr(after, stays) == getattr(before, stays)
    assert after.signing_seed(3) == before.signing_seed(3)
    assert after.wrapping != before.wrapping
    with pytest.raises(ConfigError):
        keys_of(database)
    with pytest.raises(ConfigError):
        opened(database, payload, before)


def test_nothing_is_changed_by_halves(
    database: Database, masters: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data key of another master stops the change: root and other data keys stay."""
    payload = sealed(database)
    other = LocalKeyService(Keys.synthetic("other").wrapping).wrap(b"k" * 32, context_of(2))
    with database.write() as cx:
        cx.execute(insert(data_keys).values(generation=2, wrapped=other, made_at=0))
    with pytest.raises(ConfigError):
        change_master(database, masters[1], dry_run=False)
    with database.write() as cx:
        cx.execute(delete(data_keys).where(data_keys.c.generation == 2))
    assert opened(database, payload, keys_of(database)) == FIELDS


def test_a_root_that_was_taken_away_opens_nothing(
    database: Database, masters: tuple[Path, Path]
) -> None:
    """It is not made anew over what hangs on it; the log's key and the index are others' then."""
    sealed(database)
    before = keys_of(database)
    without_root(database)
    assert keys_of(database).index != before.index
    with database.read() as cx:
        assert cx.execute(select(root_keys)).first() is None


def test_as_an_operator_types_it(
    database: Database, database_url: str, masters: tuple[Path, Path]
) -> None:
    payload = sealed(database)

    def typed(file: Path, *more: str) -> str:
        words = ["--lang", "en", "keys", "change-master", "--new-key-file", str(file)]
        words += ["--by", "it-ops-01", "--database", database_url, *more]
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "2 keys would be put" in typed(masters[1], "--dry-run")
    assert opened(database, payload, keys_of(database)) == FIELDS
    with pytest.raises(InputError):
        typed(masters[0])
    with pytest.raises(ConfigError):
        typed(masters[0].with_name("none.key"))
    assert "restart" in typed(masters[1])
    assert opened(database, payload, keys_of(database, masters[1])) == FIELDS
    with pytest.raises(ConfigError):
        typed(masters[1])  # the environment still names the old one
    with database.read() as cx:
        log = [bytes(one) for one in cx.scalars(select(audit_records.c.body))]
    assert sum(b"keys.change-master" in one for one in log) == 1


def test_a_synthetic_world_has_none(database: Database, masters: tuple[Path, Path]) -> None:
    mark = {"kind": "synthetic", "pack": "courier", "seed": "t", "built_at": 0}
    with database.write() as cx:
        cx.execute(insert(world_mark).values(id=1, finished=True, **mark))
    with pytest.raises(InputError):
        change_master(database, masters[1], dry_run=False)


def test_who_runs_with_the_old_key_makes_no_data_key_that_would_be_lost(
    database: Database, masters: tuple[Path, Path]
) -> None:
    """A rotation that was under way when the master key changed: refused, and what was sealed
    still opens. Under the old key, all that was sealed from then on could not be read."""
    payload = sealed(database)
    running = vault(keys_of(database))
    with database.write() as cx:
        running.newest(cx)  # it holds the data key
    change_master(database, masters[1], dry_run=False)
    with pytest.raises(ConfigError):
        KeyRotation(database, running).begin()
    after = keys_of(database, masters[1])
    assert opened(database, payload, after) == FIELDS
    assert KeyRotation(database, vault(after)).begin() == 2


def test_nor_the_first_one(database: Database, masters: tuple[Path, Path]) -> None:
    """A server started on an empty database, whose master key is changed before the first parcel:
    the server is refused, and whoever comes with the new key is not."""
    running = vault(keys_of(database))
    assert change_master(database, masters[1], dry_run=False) == 2
    with pytest.raises(ConfigError), database.write() as cx:
        running.put(cx, "records", 1, FIELDS)
    after = keys_of(database, masters[1])
    with database.write() as cx:
        payload = vault(after).put(cx, "records", 1, FIELDS)
    assert opened(database, payload, after) == FIELDS


def test_a_data_key_that_is_being_made_is_waited_for(
    database: Database, masters: tuple[Path, Path]
) -> None:
    """A rotation that has not committed yet, and the master key changed meanwhile: either both
    keys are under the new one, or there is no second."""
    sealed(database)
    rotation = KeyRotation(database, vault(keys_of(database)))
    with ThreadPoolExecutor(2) as pool:
        begun = pool.submit(rotation.begin)
        changed = pool.submit(change_master, database, masters[1], dry_run=False)
        changed.result(30)
        if begun.exception(30) is not None:
            assert isinstance(begun.exception(), ConfigError)
    new = vault(keys_of(database, masters[1]))
    with database.write() as cx:
        for generation in cx.scalars(select(data_keys.c.generation)).all():
            new.data_key(cx, generation)
