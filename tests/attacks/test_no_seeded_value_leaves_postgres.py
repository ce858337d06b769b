"""The same busy day on a PostgreSQL of its own: a dump, the files of the tables, the log of changes
and the server's own log are searched for every distinctive value of the seed.

What may be clear, and why, stands in docs/threat-model.md.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bench._postgres import own_server
from tests.attacks.test_nothing_clear_in_the_log import a_busy_day
from tests.line_world import PARCELS, ROOT, Line
from tests.seeded import found, personal

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.provider import Switchboard
from acl_engine.policy.pack import load_pack
from acl_engine.replay.asking import Watch
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import small_world
from acl_engine.replay.transport import Site
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database, create_or_upgrade

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres-day")]
_EMPTY = re.compile(rb"\0{64,}")
_HEX = re.compile(rb"\\x([0-9a-f]{4,})")
# Tables, indexes and what is stored out of line: whatever holds rows of ours.
_FILES = (
    "SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid ="
    " c.relnamespace WHERE c.relkind IN ('r', 'i', 't') AND (n.nspname = 'public' OR c.oid IN"
    " (SELECT reltoastrelid FROM pg_class t JOIN pg_namespace m ON m.oid = t.relnamespace"
    " WHERE m.nspname = 'public'))"
)


@dataclass
class Stolen:
    truth: Truth
    held: dict[str, bytes]


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server that nobody else writes to: its log of changes is this day's alone."""
    with tempfile.TemporaryDirectory(prefix="acl-pg-day-", dir="/tmp") as folder:
        made = own_server(folder)
        try:
            yield made
        finally:
            made.cleanup()


@pytest.fixture(scope="module")
def stolen(server: Any) -> Stolen:
    """The day, and what a thief copies at its end while the server runs."""
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE acl_day")
        create_or_upgrade(server.get_uri("acl_day")).close()
        admin.execute("SELECT pg_switch_wal()")
        first = _segment(admin)
    world = small_world(ROOT)
    database = Database.open(server.get_uri("acl_day"))
    build_world(database, world, PARCELS, synthetic_sealing(world.seed))
    truth = Truth(world, PARCELS)
    stage = _stage(database, truth)
    try:
        assert a_busy_day(Line(stage, [], {})).answers
    finally:
        database.close()
    return Stolen(truth, _copied(server, first))


def _stage(database: Database, truth: Truth) -> Stage:
    """As `Stage.open`, over this database itself and not over a copy of a file."""
    pack = load_pack(ROOT / "policies" / "courier" / "after")
    clock, keys, watch = SteppedClock(NOW), Keys.synthetic(truth.world.seed), Watch()
    switchboard = Switchboard(clock)
    engine = Engine.open(
        database=database,
        pack=pack,
        clock=clock,
        keys=keys,
        replay=Weakened(frozenset(), watch),
        provider=switchboard,
    )
    site = Site(engine, database, pack, clock, keys, frozenset())
    return Stage(site, clock, truth, False, watch, switchboard)


def _copied(server: Any, first: str) -> dict[str, bytes]:
    uri, folder = server.get_uri("acl_day"), Path(server.pgdata)
    with psycopg.connect(uri, autocommit=True) as cx:
        cx.execute("CHECKPOINT")
        files = [folder / row[0] for row in cx.execute(_FILES).fetchall()]
        last = _segment(cx)
    wal = [one for one in sorted((folder / "pg_wal").iterdir()) if first <= one.name <= last]
    done = subprocess.run([server.bin_path / "pg_dump", uri], capture_output=True)
    assert done.returncode == 0, done.stderr
    dump = done.stdout
    return {
        "dump": dump,
        # A dump writes bytes as figures: what they stand for is searched too.
        "bytes of the dump": b"\n".join(bytes.fromhex(one.decode()) for one in _even(dump)),
        "files": _joined(files),
        "log of changes": _joined(wal),
        "server's log": _joined([folder / "log"]),
    }


def _even(dump: bytes) -> Iterator[bytes]:
    for match in _HEX.finditer(dump):
        yield match[1][: len(match[1]) // 2 * 2]


def _joined(files: list[Path]) -> bytes:
    """The files one after the other, long stretches of nothing cut short."""
    read = (_EMPTY.sub(b"\0" * 64, one.read_bytes()) for one in files if one.is_file())
    return b"\0".join(read)


def _segment(cx: Any) -> str:
    return str(cx.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()[0])


@pytest.mark.parametrize(
    "where", ["dump", "bytes of the dump", "files", "log of changes", "server's log"]
)
def test_it_holds_none(stolen: Stolen, where: str) -> None:
    """Not in clear, not escaped, in no encoding."""
    values = personal(stolen.truth)
    assert len(values) > 400
    assert found(stolen.held[where], values) == set()


@pytest.mark.parametrize("where", ["dump", "files", "log of changes"])
def test_the_search_finds_what_is_there(stolen: Stolen, where: str) -> None:
    """A waybill's number is clear by design: copies that did not hold it would prove nothing."""
    parcel = stolen.truth.by_name["load-1"]
    assert parcel.waybill_no.encode() in stolen.held[where]
    assert len(stolen.held[where]) > 300_000


def test_the_search_would_find_a_value_in_bytes(stolen: Stolen) -> None:
    """Were a payload stored in clear, the bytes of the dump would hold it."""
    phone = stolen.truth.by_name["load-1"].fields["recipient_phone"]
    dump = f"\\\\x{phone.encode().hex()}\t".encode()
    held = b"\n".join(bytes.fromhex(one.decode()) for one in _even(dump))
    assert found(held, personal(stolen.truth)) == {"recipient_phone"}
