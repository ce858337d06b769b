"""What may be opened over whose data: nothing weak over real people."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SystemClock
from acl_engine.bootstrap.provider import NO_PROVIDER
from acl_engine.domain.calls import Ends
from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.domain.pack import Pack
from acl_engine.policy.pack import load_pack
from acl_engine.replay.ablation import without
from acl_engine.storage.database import Database
from tests import signed_policy
from tests.line_world import ROOT, template

KEYS = Keys.synthetic("real")


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The world without its mark: whoever opens it must take its people for real."""
    database, _ = template(tmp_path_factory.mktemp("unmarked"))
    with database.write() as cx:
        cx.execute(text("DELETE FROM world_mark"))
    yield database
    database.close()


def pack(version: str) -> Pack:
    return load_pack(ROOT / "policies" / "courier" / version)


def opened(database: Database, pack: Pack, replay: Weakened | None = None) -> Engine:
    clock = SystemClock()
    return Engine.open(database=database, pack=pack, clock=clock, keys=KEYS, replay=replay)


def test_the_company_of_2020_over_real_people(unmarked: Database) -> None:
    with pytest.raises(ConfigError):
        opened(unmarked, pack("before"))


@pytest.mark.parametrize("off", [frozenset[str](), frozenset({"budgets"})])
def test_replay_over_real_people(unmarked: Database, off: frozenset[str]) -> None:
    with pytest.raises(ConfigError):
        opened(unmarked, pack("after"), Weakened(off))


@pytest.mark.parametrize("control", sorted(pack("after").controls))
def test_no_control_is_switched_off_over_real_people(unmarked: Database, control: str) -> None:
    """Every one of them, with and without replay's own word."""
    weakened = without(pack("after"), [control]).pack
    for replay in (None, Weakened()):
        with pytest.raises(ConfigError):
            opened(unmarked, weakened, replay)


def test_a_mark_of_a_world_half_built(unmarked: Database, tmp_path: Path) -> None:
    """A mark that is not finished is no mark."""
    copy = unmarked.clone_to_memory()
    with copy.write() as cx:
        columns = cx.execute(text("SELECT name, type FROM pragma_table_info('world_mark')")).all()
        values = {
            name: 0 if "INT" in kind or kind == "BOOLEAN" else "synthetic" for name, kind in columns
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        cx.execute(text(f"INSERT INTO world_mark ({names}) VALUES ({marks})"), values)
    with pytest.raises(ConfigError):
        opened(copy, pack("before"), Weakened())
    copy.close()


def test_a_real_world_pretends_no_calls(unmarked: Database, tmp_path: Path) -> None:
    """Without a provider a number is neither bound nor kept in memory."""
    provider = opened(unmarked, signed_policy.loaded(unmarked, tmp_path))._door.provider
    with pytest.raises(StoreError) as caught:
        provider.bind(Ends("pda-1", "19012345678", 1, True, 1))
    assert caught.value.message.code == NO_PROVIDER.code


def test_a_signed_pack_opens_anywhere(unmarked: Database, tmp_path: Path) -> None:
    """The refusals above come from what is weak, not from the database."""
    loaded = signed_policy.loaded(unmarked, tmp_path)
    assert opened(unmarked, replace(loaded, folder="elsewhere"))


def test_what_was_changed_in_memory_is_gone(unmarked: Database, tmp_path: Path) -> None:
    """The pack is read again from the files that were signed."""
    loaded = signed_policy.loaded(unmarked, tmp_path)
    weak = replace(loaded.settings, budgets=())
    engine = opened(unmarked, replace(loaded, rows=(), settings=weak))
    assert engine._door.pack == loaded
    more = {**loaded.files, "policy.csv": loaded.files["policy.csv"] + "# a word more\n"}
    with pytest.raises(ConfigError) as caught:
        opened(unmarked, replace(loaded, files=more))
    assert caught.value.message.code == "policies.not-loaded"
