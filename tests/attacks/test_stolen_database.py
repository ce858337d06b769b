"""A thief holds the files of the database (C13) or an old copy of what was destroyed (C15).

What stands in the files is looked for by test_no_seeded_value_leaves. Clear by design
(docs/threat-model.md): waybill numbers, cities and routes.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.line_world import Line, template

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.keyring import KeyDesk
from acl_engine.bootstrap.retention_desk import RetentionDesk
from acl_engine.domain.errors import AclError
from acl_engine.domain.request import Query
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database

POLICY = Path(__file__).parents[2] / "policies" / "courier" / "after"
CLEAR_BY_DESIGN = ("city", "route", "value", "weight", "pieces")


def bytes_of(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file())


@pytest.fixture(scope="module")
def stolen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A built world's folder: file, log of changes, and a backup beside them."""
    folder = tmp_path_factory.mktemp("stolen")
    database, truth = template(folder)
    database.close()
    (file,) = folder.glob("*.db")
    shutil.copy(file, folder / "backup.db")
    return folder, truth


def test_what_was_destroyed_opens_for_nobody(stolen: tuple[Path, Truth], tmp_path: Path) -> None:
    """Not by the files of before the destruction with the keys of after: none of them is left."""
    folder, _ = stolen
    file = tmp_path / "acl.db"
    shutil.copy(folder / "backup.db", file)
    url = f"sqlite:///{file}"
    with Database.open(url) as database, database.read() as cx:
        before = {bytes(row[0]) for row in cx.exec_driver_sql("SELECT wrapped FROM record_keys")}
    with RetentionDesk.open(url, POLICY) as desk:
        destroyed = sum(one.records for one in desk.sweep("dpo-01") if one.rule.destroy)
    assert destroyed
    with KeyDesk.open(url) as keys:
        list(keys.rotate("it-ops-01"))
        assert keys.destroy_old("it-ops-01")
    held = bytes_of(tmp_path)
    assert not [one for one in before if one in held]


def test_a_sweep_does_not_set_the_logs_clock_back(
    stolen: tuple[Path, Truth], tmp_path: Path
) -> None:
    """Also where the world's log has gone on since the world was built."""
    folder, _ = stolen
    url = f"sqlite:///{shutil.copy(folder / 'backup.db', tmp_path / 'acl.db')}"
    with Accountability.open(url) as desk:
        desk.write_down("keys.seal", "it-ops-01")
        *_, (_, last) = desk.store.entries()
        desk.store.append(replace(last, at=last.at + 3_600_000))
    with RetentionDesk.open(url, POLICY) as sweep:
        assert list(sweep.sweep("dpo-01"))
    with Accountability.open(url) as desk:
        times = [entry.at for _, entry in desk.store.entries()]
    assert times == sorted(times)


def test_put_away_is_read_by_nobody(line: Line) -> None:
    """Whoever may read everything else is shown nothing of a person at ARCHIVED."""
    archived = [one for one in line.stage.truth.parcels if one.facts["stage"] == "ARCHIVED"]
    assert archived
    token = line.token("sup-0413", "pc-22")
    shown = 0
    for parcel in archived[:5]:
        try:
            answer = line.engine.ask(token, Query("read", "waybill", key=parcel.waybill_no))
        except AclError:
            continue
        text = repr(answer)
        shown += any(v in text for n, v in parcel.fields.items() if n not in CLEAR_BY_DESIGN and v)
    assert shown == 0
