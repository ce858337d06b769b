"""Importing a published parcel trace: its shape and times, nobody real, all of it or nothing."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from acl_engine.cli import cli
from acl_engine.domain.errors import InputError, StoreError
from acl_engine.replay.world.trace import read_trace
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, areas, roster, scans, units, waybills, world_mark

HEADER = "order_id,region_id,city,courier_id,accept_time,aoi_id,pickup_time"
ROWS = (
    "11,3,Chongqing,317,05-01 07:59:00,337,05-01 09:28:00",
    "12,3,Chongqing,317,05-01 08:10:00,338,05-01 10:00:00",
    "13,7,Jilin,318,05-02 08:10:00,337,05-02 08:30:00",
    "14,7,Jilin,317,05-04 08:10:00,339,05-04 11:30:00",
)


def run(*args: str) -> Any:
    return CliRunner().invoke(cli, ["world", "import-lade", *args])


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "trace.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_trace_joins_the_company(tmp_path: Path, database_url: str) -> None:
    """Regions are branches under headquarters; pickups keep courier, area and waiting time."""
    done = run(str(write(tmp_path, *ROWS)), "--database", database_url)
    assert done.exit_code == 0, done.exception
    with Database.open(database_url) as database, database.read() as cx:
        paths = dict(cx.execute(select(units.c.id, units.c.path)).all())
        assert paths["lade-jilin-7"] == "/hq/lade-jilin/lade-jilin-hub/lade-jilin-7/"
        rows = {
            row["waybill_no"]: row
            for row in cx.execute(select(waybills).where(waybills.c.waybill_no.like("LD%")))
            .mappings()
            .all()
        }
        assert len(rows) == len(ROWS)
        first = rows["LD000000000011"]
        assert (first["origin_unit"], first["pickup_courier"]) == (
            "lade-chongqing-3",
            "p-lade-c317",
        )
        picked = select(scans.c.at).where(scans.c.waybill == first["id"], scans.c.kind == "pickup")
        assert cx.execute(picked).scalar_one() - first["ordered_at"] == 89 * 60
        served = select(roster.c.area).where(roster.c.person == "p-lade-c317")
        assert sorted(cx.execute(served).scalars()) == [
            "a-lade-chongqing-3-337", "a-lade-chongqing-3-338", "a-lade-jilin-7-339",
        ]  # fmt: skip
        now = cx.execute(select(world_mark.c.built_at)).scalar_one()
        last = cx.execute(select(func.max(scans.c.at))).scalar_one()
        assert now - 86_400 < last <= now


def test_imported_staff_cannot_log_in(tmp_path: Path, sqlite_url: str) -> None:
    """They have no authenticator and no scanner that holds a key."""
    assert run(str(write(tmp_path, *ROWS)), "--database", sqlite_url).exit_code == 0
    with Database.open(sqlite_url) as database, database.read() as cx:
        query = select(accounts.c.totp_seed).where(accounts.c.login.like("lade-%"))
        seeds = cx.execute(query).scalars().all()
    assert seeds
    assert not any(seeds)


def test_the_same_trace_is_not_imported_twice(tmp_path: Path, sqlite_url: str) -> None:
    file = str(write(tmp_path, *ROWS))
    assert run(file, "--database", sqlite_url).exit_code == 0
    again = run(file, "--database", sqlite_url)
    assert isinstance(again.exception, StoreError)
    assert run(file, "--database", sqlite_url, "--replace").exit_code == 0


BAD = {
    "text where a number belongs": (ROWS[0].replace("317", "x", 1), "courier_id"),
    "a month that does not exist": (ROWS[0].replace("05-01 07", "13-01 07"), "accept_time"),
    "a day that does not exist": (ROWS[0].replace("05-01 07", "02-30 07"), "accept_time"),
    "a pickup before its order": (ROWS[0].replace("09:28", "07:28"), "pickup_time"),
    "an order that stands twice": (ROWS[1].replace("12", "13", 1), "order_id"),
    "a short row": (ROWS[0].rsplit(",", 1)[0], "order_id"),
    "a long row": (ROWS[0] + ",more", "order_id"),
    "a city that is none": (ROWS[0].replace("Chongqing", "<b>"), "city"),
    "an id too long to store": (ROWS[0].replace("337", "123456789"), "aoi_id"),
    "digits of another script": (ROWS[0].replace("317", "３１７"), "courier_id"),
    "an empty field": (ROWS[0].replace("317", ""), "courier_id"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    """By file, line and column, in one line; not even the database is made."""
    row, column = BAD[name]
    target = tmp_path / "new.db"
    done = run(str(write(tmp_path, ROWS[2], row)), "--database", f"sqlite:///{target}")
    assert isinstance(done.exception, InputError)
    said = done.exception.render("en")
    assert f"trace.csv:3: `{column}`" in said
    assert "\n" not in said
    assert not target.exists()


def test_every_bad_row_is_listed(tmp_path: Path) -> None:
    row = ROWS[0].replace("317", "x", 1)
    with pytest.raises(InputError, match=r"\(2 bad rows: lines 2, 4\)"):
        list(read_trace(write(tmp_path, row, ROWS[2], row)))


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (HEADER.replace("aoi_id", "aoi"), ROWS, "`aoi_id` is missing"),
        (HEADER, (), "no rows"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    header: str, rows: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        list(read_trace(write(tmp_path, *rows, header=header)))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe\n")
    for name in ("latin.csv", "missing.csv"):
        with pytest.raises(InputError, match="cannot be read"):
            list(read_trace(tmp_path / name))


def test_a_file_that_turns_bad_while_it_is_loaded_changes_nothing(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second reading checks again, inside the one transaction."""
    from acl_engine.replay.world import lade

    file = write(tmp_path, *ROWS)
    surveyed = lade.survey(file)
    monkeypatch.setattr("acl_engine.cli.world.survey", lambda _: surveyed)
    write(tmp_path, *ROWS[:3], ROWS[3].replace("14", "x", 1))
    done = run(str(file), "--database", sqlite_url)
    assert isinstance(done.exception, InputError)
    with Database.open(sqlite_url) as database, database.read() as cx:
        assert cx.execute(select(units.c.id).where(units.c.id.like("lade-%"))).first() is None
        assert (
            cx.execute(select(waybills.c.id).where(waybills.c.waybill_no.like("LD%"))).all() == []
        )


def test_the_published_sample_keeps_its_shape(acl_test_data: Path, sqlite_url: str) -> None:
    """132 regions, 1,217 couriers and 4,779 areas, five of which lie in two regions."""
    file = acl_test_data / "lade_p_sample.csv"
    done = run(str(file), "--database", sqlite_url)
    assert done.exit_code == 0, done.exception
    assert "6,190 pickups, 132 regions, 1,217 couriers" in done.output
    with Database.open(sqlite_url) as database, database.read() as cx:
        imported = select(func.count()).select_from(areas).where(areas.c.branch.like("lade-%"))
        assert cx.execute(imported).scalar_one() == 4_779 + 5
        served = select(roster.c.person, areas.c.branch).join(areas, roster.c.area == areas.c.id)
        regions: dict[str, set[str]] = {}
        for person, branch in cx.execute(served.where(roster.c.person.like("p-lade-c%"))):
            regions.setdefault(person, set()).add(branch)
    assert Counter(map(len, regions.values())) == {1: 1_156, 2: 59, 3: 2}
