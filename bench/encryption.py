"""What encryption costs: writing, reading, searching, and changing the data key under way.

Run: python -m bench encryption [--rows 5000] [--indexed 200000] [--rotated 20000]
The large one: --indexed 10000000 --rotated 1000000 (a quarter of an hour, 6 GB of disk)

`unsealed` is the same code over the same rows with a vault that seals nothing: what differs is
encryption, and the row of its key that has to be written or read. Rotation runs in a process of its
own, as the command does; the lookups beside it are those of one caller who never rests. A process
that only computes takes a processor too: rotation is held against lookups beside that.
"""

import argparse
import multiprocessing
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, text
from sqlalchemy import Table as SqlTable

from acl_engine.bootstrap.keys import Keys, LocalKeyService
from acl_engine.domain.request import Action, Request
from acl_engine.domain.scope import EVERYTHING, Compare, Scope
from acl_engine.storage.bulk import chunks
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.key_rotation import KeyRotation
from acl_engine.storage.payload import pack_fields, phone_index, unpack_fields
from acl_engine.storage.records import RecordStore
from acl_engine.storage.sealing import seal
from acl_engine.storage.tables import waybill_people, waybills
from acl_engine.storage.tables_keys import record_keys
from acl_engine.storage.vault import Vault, as_row
from bench._table import Table, Target, progress

TITLE = "Encryption: its cost, the blind index, rotation while lookups go on"
KEYS = Keys.synthetic("bench")
STORE = waybill_people.name
BRANCH = 200  # rows of one branch
_BATCH = 20_000
_SIZE = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
# Times the 99th percentile beside a process that only computes: a lookup waits for no batch.
MOST_SLOWER = 2
ALONE_SECONDS = 10.0


class Unsealed(Vault):
    """A vault that seals nothing, and keeps no keys."""

    def put(self, cx: Connection, store: str, row: object, fields: Mapping[str, str]) -> bytes:
        return pack_fields(fields)

    def open(
        self, cx: Connection, store: str, payloads: Mapping[object, bytes]
    ) -> dict[object, dict[str, str]]:
        return {row: unpack_fields(payload) for row, payload in payloads.items()}


def number(row: int) -> str:
    return f"SY{row:012d}"


def phone(row: int) -> str:
    return f"190{row:08d}"


def person(row: int) -> dict[str, str]:
    """What a waybill's payload holds, of the usual size."""
    return {
        "recipient_name": "王小明",
        "recipient_phone": phone(row),
        "recipient_address": f"广东省深圳市宝安区西乡街道臣田花园{row % 90}栋{row % 1900}",
        "sender_name": "某某有限公司",
        "sender_phone": phone(row + 50_000_000),
        "sender_address": "沈阳市和平区南湖街道三好小区1号",
        "goods": "衣服",
    }


def waybill(row: int) -> dict[str, object]:
    return {
        "id": row, "waybill_no": number(row), "stage": "OUT_FOR_DELIVERY", "origin_unit": "b0",
        "dest_unit": f"b{row // BRANCH}", "dest_path": "/cn/gd/sz", "custody_sound": True,
        "route": "r1", "area": "a1", "city": "深圳市", "assignee_sound": True, "sender": f"s{row}",
        "recipient": f"c{row}", "cod": False, "ordered_at": 1_772_000_000,
    }  # fmt: skip


def people(row: int, payload: bytes) -> dict[str, object]:
    index = partial(phone_index, KEYS.index)
    return {
        "waybill": row, "payload": payload, "recipient_phone_index": index(phone(row)),
        "sender_phone_index": index(phone(row + 50_000_000)),
    }  # fmt: skip


def asked(**given: Any) -> Request:
    nothing: dict[str, Any] = {"key": None, "by": (), "fields": ("recipient_name",), "limit": 50}
    rest: dict[str, Any] = {"purpose": None, "ticket": None, "params": (), "after": None}
    return Request("0" * 16, Action.READ, "waybill", **{**nothing, **rest, **given})


def insert_all(database: Database, table: SqlTable, rows: Iterator[dict[str, object]]) -> None:
    for some in chunks(rows, _BATCH):
        with database.write() as cx:
            cx.execute(insert(table), some)


class Rows:
    """A database with so many waybills, sealed or not."""

    def __init__(self, path: Path, make: type[Vault]) -> None:
        self.url = f"sqlite:///{path}"
        create_or_upgrade(self.url).close()
        self.database = Database.open(self.url)
        self.vault = make(LocalKeyService(KEYS.wrapping))
        self.store = RecordStore(self.database, KEYS.index, self.vault)
        self.count = 0

    def write(self, many: int) -> float:
        """Seconds a row, one transaction for all; the facts of the waybills are there before."""
        first, self.count = self.count, self.count + many
        rows = range(first, self.count)
        insert_all(self.database, waybills, map(waybill, rows))
        began = time.perf_counter()
        with self.database.write() as cx:
            for row in rows:
                payload = self.vault.put(cx, STORE, row, person(row))
                cx.execute(insert(waybill_people), people(row, payload))
        return (time.perf_counter() - began) / many

    def fill(self, many: int) -> None:
        """Many sealed rows at once: what `write` leaves, without its statement for each."""
        with self.database.write() as cx:
            generation, data_key = self.vault.newest(cx)
        insert_all(self.database, waybills, map(waybill, range(many)))
        for some in chunks(range(many), _BATCH):
            sealed = [seal(data_key, generation, STORE, str(row), person(row)) for row in some]
            with self.database.write() as cx:
                held = [people(row, one) for row, (one, _) in zip(some, sealed, strict=True)]
                cx.execute(insert(waybill_people), held)
                cx.execute(insert(record_keys), [as_row(key) for _, key in sealed])
        self.count = many

    def read(self, scope: Scope = EVERYTHING, **given: Any) -> float:
        """Seconds of one question that finds something."""
        request = asked(**given)
        began = time.perf_counter()
        found = self.store.find(request, scope)
        spent = time.perf_counter() - began
        assert found, request
        return spent

    def read_one(self, dice: random.Random) -> float:
        return self.read(key=number(dice.randrange(self.count)))

    def read_page(self, dice: random.Random) -> float:
        branch = f"b{dice.randrange(self.count // BRANCH)}"
        return self.read(Compare("dest_unit", "==", branch))

    def read_phone(self, dice: random.Random) -> float:
        return self.read(by=(("phone", phone(dice.randrange(self.count))),))


# --- added cost ----------------------------------------------------------------------------------


def measure_cost(folder: Path, many: int) -> Table:
    sealed, clear = Rows(folder / "sealed.db", Vault), Rows(folder / "clear.db", Unsealed)
    progress(f"{many:,} rows are written and read, sealed and not")
    part = many // 10
    written = [(clear.write(part), sealed.write(part)) for _ in range(10)]
    rows = [_beside("write a row (one transaction for many)", written)]
    for what, act in (
        ("read one by its number", Rows.read_one),
        ("find one by its phone", Rows.read_phone),
        ("read a page of 50", Rows.read_page),
    ):
        dice = random.Random(what), random.Random(what)
        turns = [(act(clear, dice[0]), act(sealed, dice[1])) for _ in range(600)]
        rows.append(_beside(what, turns))
    size = [_size(one.database) / many for one in (clear, sealed)]
    rows.append(
        ["a row on disk", *(f"{one:,.0f} bytes" for one in size), f"{size[1] / size[0]:.1f} x"]
    )
    rows.append(_primitive())
    for one in (sealed, clear):
        one.database.close()
    return Table(("what, median", "unsealed", "sealed", "times"), rows, "Added cost, SQLite")


def _beside(what: str, turns: list[tuple[float, float]]) -> list[str]:
    clear, sealed = (statistics.median(one) * 1e6 for one in zip(*turns, strict=True))
    return [what, f"{clear:,.0f} us", f"{sealed:,.0f} us", f"{sealed / clear:.1f} x"]


def _size(database: Database) -> int:
    with database.read() as cx:
        return int(cx.execute(_SIZE).scalar_one())


def _primitive() -> list[str]:
    """The floor: two encryptions are what sealing cannot do without."""
    clear, nonce = pack_fields(person(1)), os.urandom(12)

    def both() -> None:
        own = AESGCM(os.urandom(32))
        own.encrypt(nonce, clear, b"")
        own.encrypt(nonce, nonce, b"")

    return ["floor: two AES-GCM encryptions alone", "", f"{_each(both, 5_000) * 1e6:,.1f} us", ""]


def _each(act: Callable[[], object], turns: int) -> float:
    began = time.perf_counter()
    for _ in range(turns):
        act()
    return (time.perf_counter() - began) / turns


# --- blind index ---------------------------------------------------------------------------------


def measure_index(folder: Path, many: int) -> Table:
    """The statement of a search by phone, and its keyed hash, over many rows of people alone."""
    path, index = folder / "indexed.db", partial(phone_index, KEYS.index)
    create_or_upgrade(f"sqlite:///{path}").close()
    names = ("recipient_phone_index", "sender_phone_index")
    with closing(sqlite3.connect(path, isolation_level=None)) as cursor:
        progress(f"{many:,} rows are made and indexed")
        for name in names:  # made again at once: row by row they take a multiple of the time
            cursor.execute(f"DROP INDEX ix_waybill_people_{name}")
        payload = os.urandom(300)
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(
            "INSERT INTO waybill_people (waybill, recipient_phone_index, sender_phone_index,"
            " payload) VALUES (?, ?, ?, ?)",
            ((row, index(phone(row)), index(phone(row + 50_000_000)), payload)
             for row in range(many)),
        )  # fmt: skip
        for name in names:
            cursor.execute(f"CREATE INDEX ix_waybill_people_{name} ON waybill_people ({name})")
        cursor.execute("COMMIT")
        dice, spent = random.Random(5), list[float]()
        for _ in range(5_000):
            row = dice.randrange(many)
            began = time.perf_counter()
            digest = index(phone(row))
            found = cursor.execute(
                "SELECT waybill FROM waybill_people"
                " WHERE recipient_phone_index = ? OR sender_phone_index = ?",
                (digest, digest),
            ).fetchall()
            spent.append(time.perf_counter() - began)
            assert found == [(row,)]
    hashing = _each(lambda: index(phone(7)), 20_000)
    rows = [
        ["hash and statement, median", f"{statistics.median(spent) * 1e6:,.0f} us"],
        ["hash and statement, p99", f"{_p99(spent) * 1e6:,.0f} us"],
        ["of it the keyed hash", f"{hashing * 1e6:.1f} us"],
    ]
    return Table(
        ("what", "measured"), rows, f"A phone found among {many:,} rows, both sides of each"
    )


def _p99(spent: list[float]) -> float:
    return sorted(spent)[int(len(spent) * 0.99)]


# --- rotation ------------------------------------------------------------------------------------


def measure_rotation(folder: Path, many: int) -> Table:
    rows = Rows(folder / "rotated.db", Vault)
    progress(f"{many:,} sealed rows are made")
    rows.fill(many)
    dice = random.Random(9)
    progress("lookups alone, then beside a rotation")
    for _ in range(500):
        rows.read_one(dice)
    alone = _while(rows, dice, _Clock(ALONE_SECONDS).running)
    beside, _ = _beside_process(rows, dice, _compute)
    during, (spent, busy, left) = _beside_process(rows, dice, _rotate)
    assert left == 0
    with rows.database.read() as cx:
        oldest = cx.execute(text("SELECT min(generation) FROM record_keys")).scalar()
    assert oldest == 2
    rows.database.close()
    slower = _p99(during) / _p99(beside)
    table = [
        ["rotation, from start to end", f"{spent:,.1f} s, {many / spent:,.0f} keys/s"],
        ["of it on the processor", f"{busy:,.1f} s"],
        ["lookups alone: median, p99", _milliseconds(alone)],
        ["beside a process that computes: median, p99", _milliseconds(beside)],
        ["beside the rotation: median, p99", _milliseconds(during)],
        ["lookups that failed, or found nothing", f"0 of {len(during):,}"],
    ]
    target = Target(
        f"lookups beside rotation: p99 at most {MOST_SLOWER} x that beside mere computing",
        f"{slower:.1f} x",
        slower <= MOST_SLOWER,
    )
    caption = f"Rotation of {many:,} record keys while one caller looks up without rest, SQLite"
    return Table(("what", "measured"), table, caption, (target,))


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds

    def running(self) -> bool:
        return time.perf_counter() < self._end


def _while(rows: Rows, dice: random.Random, going: Callable[[], bool]) -> list[float]:
    spent = [rows.read_one(dice)]
    while going():
        spent.append(rows.read_one(dice))
    return spent


def _beside_process(
    rows: Rows, dice: random.Random, work: Callable[[str, Any], None]
) -> tuple[list[float], Any]:
    """Lookups while a process works, and what it tells at its end."""
    spawn = multiprocessing.get_context("spawn")
    told, tells = spawn.Pipe(duplex=False)
    process = spawn.Process(target=work, args=(rows.url, tells))
    process.start()
    tells.close()  # so that its death is an EOFError here
    told.recv()  # it has started
    spent = _while(rows, dice, lambda: not told.poll())
    result = told.recv()
    process.join()
    return spent, result


def _compute(_: str, tells: Any) -> None:
    """A neighbour that takes a processor and touches no database: what any neighbour costs."""
    tells.send("started")
    clock = _Clock(ALONE_SECONDS)
    while clock.running():
        sum(range(100_000))
    tells.send(None)


def _milliseconds(spent: list[float]) -> str:
    return f"{statistics.median(spent) * 1e3:.2f} ms, {_p99(spent) * 1e3:.2f} ms"


def _rotate(url: str, tells: Any) -> None:
    """The whole rotation, in a process of its own."""
    with Database.open(url) as database:
        rotation = KeyRotation(database, Vault(LocalKeyService(KEYS.wrapping)))
        tells.send("started")
        began, busy = time.perf_counter(), time.process_time()
        rotation.begin()
        for _ in rotation.rewrap():
            pass
        left = rotation.left()
        rotation.destroy_old()
        tells.send((time.perf_counter() - began, time.process_time() - busy, left))


def main(arguments: list[str]) -> Iterator[Table]:
    """Added cost, then the index, then rotation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--indexed", type=int, default=200_000)
    parser.add_argument("--rotated", type=int, default=20_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as name:
        yield measure_cost(Path(name), options.rows)
        yield measure_index(Path(name), options.indexed)
        (Path(name) / "indexed.db").unlink()
        yield measure_rotation(Path(name), options.rotated)
