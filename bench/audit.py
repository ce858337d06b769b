"""The audit log, measured: appends as a share of the store's own group commit, verify, size.

Run: python -m bench audit [--records 1000000] [--seconds 1.5]

The ceiling is one thread with nothing around it, in the same run on the same file or server: it
makes the same records, encoded and hashed, and writes as many a transaction as there are callers,
as durably, into the same table with its indexes, by whichever of two statements is faster there:
SQLAlchemy's for many rows, or the store's own. `records at hand` is the same without making them.
Of each number the best of three rounds counts, in turn, so that a moment's other work meets all.
"""

import argparse
import hashlib
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, insert

from acl_engine.audit import record
from acl_engine.audit.checkpoint import Trust, next_checkpoint
from acl_engine.audit.merkle import Tree, fold
from acl_engine.audit.note import Signer
from acl_engine.audit.verify import verify
from acl_engine.bootstrap.crew import hands
from acl_engine.bootstrap.surveying import surveys
from acl_engine.domain.accountability import AuditEntry
from acl_engine.storage.audit_proofs import AuditProofStore
from acl_engine.storage.audit_reading import size_of
from acl_engine.storage.audit_store import AuditStore, insert_postgres, insert_sqlite
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.group_commit import Row
from acl_engine.storage.tables import audit_records
from bench._postgres import own_server
from bench._processor import spent
from bench._table import Table, Target, progress

TITLE = "The audit log: appends and verification"
MOST_VERIFY_SECONDS = 3  # at 1,000,000 records
CALLERS = (1, 8, 64, 256)
# From so many callers on, appends reach this share of the ceiling.
MANY, LEAST_SHARE = 64, 0.6
ROUNDS = 3
LOG = Signer("bench.example/audit", b"b" * 32)


def look(number: int) -> AuditEntry:
    """An outcome of the usual size: one waybill, four fields."""
    who = number % 500
    return AuditEntry(
        kind="outcome",
        request=f"{number:016x}",
        at=1_772_000_000_000 + number,
        action="read",
        resource="waybill",
        account=f"courier-{who}",
        person=f"p-{who}",
        role="courier",
        unit="ba-xixiang",
        device=f"pda-{who}",
        session=f"{who:032x}",
        effect="allow",
        line="10",
        rule="courier.read.load",
        reason="allowed",
        subjects=(f"{number % 300_000:064x}",),
        fields=("area", "recipient_name", "route", "waybill_no"),
        count=1,
        digest="d" * 64,
        watermark="ABCDEFGHIJ",
        policy="courier/after@1",
    )


def plain_row(number: int) -> Row:
    """What the store writes of a record, but for its index."""
    entry = look(number)
    body = record.encode(entry)
    return entry.request, entry.at, entry.account, body, record.leaf_hash(body)


def by_sqlalchemy(cx: Connection, rows: Sequence[Row]) -> None:
    names = ("index", "request", "at", "account", "body", "leaf")
    first = size_of(cx)
    cx.execute(
        insert(audit_records),
        [dict(zip(names, (first + i, *one), strict=True)) for i, one in enumerate(rows)],
    )


def by_the_store(cx: Connection, rows: Sequence[Row]) -> None:
    of_its_kind = insert_postgres if cx.dialect.name == "postgresql" else insert_sqlite
    of_its_kind(cx, rows)


def commits(
    database: Database,
    rows: Callable[[], Sequence[Row]],
    write: Callable[[Connection, Sequence[Row]], object],
    seconds: float,
) -> float:
    """Rows a second by one thread."""
    written, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        group = rows()
        with database.write() as cx:
            write(cx, group)
        written += len(group)
    return written / spent


def ceiling(url: str, group: int, seconds: float, *, at_hand: bool = False) -> float:
    """Rows a second, `group` a commit; `at_hand`: rows that were made before."""
    numbers, made = itertools.count(), [plain_row(number) for number in range(group)]

    def fresh() -> Sequence[Row]:
        return [plain_row(next(numbers)) for _ in range(group)]

    with Database.open(url) as database:
        rows = (lambda: made) if at_hand else fresh
        ways = (by_sqlalchemy, by_the_store)
        return max(commits(database, rows, way, seconds / len(ways)) for way in ways)


def appends(url: str, callers: int, seconds: float) -> tuple[float, float]:
    """Receipts a second, and the 99th percentile of one append in milliseconds."""
    with Database.open(url) as database:
        store = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        times: list[list[float]] = [[] for _ in range(callers)]

        def call(number: int) -> None:
            now = time.perf_counter()
            store.append(look(number * 1_000_000 + len(times[number])))
            times[number].append(time.perf_counter() - now)

        spent = at_once(call, callers, seconds)
        every = sorted(t for mine in times for t in mine)
    return len(every) / spent, every[int(len(every) * 0.99)] * 1000


def at_once(call: Callable[[int], None], callers: int, seconds: float) -> float:
    """So many threads that call again and again, at least once each; the seconds from the moment
    at which all of them are there until the last is done."""
    start = 0.0

    def begin() -> None:
        nonlocal start
        start = time.perf_counter()

    ready = threading.Barrier(callers, action=begin)

    def run(number: int) -> None:
        ready.wait()
        while True:
            call(number)
            if time.perf_counter() - start >= seconds:
                return

    threads = [threading.Thread(target=run, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def measure_appends(
    name: str, url: str, seconds: float
) -> Iterator[tuple[list[str], Target | None]]:
    for callers in CALLERS:
        progress(f"{name}, {callers} callers")
        best = at_hand = rate = 0.0
        p99 = float("inf")
        for _ in range(ROUNDS):
            best = max(best, ceiling(url, callers, seconds))
            at_hand = max(at_hand, ceiling(url, callers, seconds, at_hand=True))
            reached, slow = appends(url, callers, seconds)
            rate, p99 = max(rate, reached), min(p99, slow)
        share = rate / best
        numbers = [f"{rate:,.0f}", f"{best:,.0f}", f"{share:.0%}", f"{at_hand:,.0f}"]
        what = f"{name}, {callers} callers: at least {LEAST_SHARE:.0%} of the ceiling"
        target = Target(what, f"{share:.0%}", share >= LEAST_SHARE)
        yield [name, str(callers), *numbers, f"{p99:.1f} ms"], target if callers >= MANY else None


def fill(database: Database, count: int) -> float:
    """Fill in large groups; the bytes that a record takes in the encoded form."""
    size = 0
    for start in range(0, count, 20_000):
        rows = [plain_row(i) for i in range(start, min(start + 20_000, count))]
        size += sum(len(one[3]) for one in rows)
        with database.write() as cx:
            by_sqlalchemy(cx, rows)
    return size / count


def read_and_hash(store: AuditStore) -> None:
    """What no verification can do without."""
    for page in store.pages():
        for one in page:
            hashlib.sha256(one[1]).digest()


def measure_whole_log(folder: Path, count: int) -> Table:
    path = folder / "whole.db"
    create_or_upgrade(f"sqlite:///{path}").close()
    with Database.open(f"sqlite:///{path}") as database:
        progress(f"{count:,} records are written")
        body = fill(database, count)
        store = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        proofs = AuditProofStore(database, fold)
        tree = Tree(proofs)
        kept = spent(lambda: proofs.keep_nodes(count))
        signed = spent(lambda: next_checkpoint(tree, count, None, [LOG]))
        note = signed.result
        progress("the whole log is verified")
        trust = Trust((LOG.verifier,))
        alone = spent(lambda: verify(store.pages, [note], trust))
        assert alone.result.signed_to == count
        assert alone.result.sound
        url = f"sqlite:///{path}"
        many = hands(url, 10**9)
        both = spent(lambda: verify(store.pages, [note], trust, surveys=surveys(url, count, many)))
        assert both.result == alone.result
        floor = spent(lambda: read_and_hash(store))
    rows = [
        ["a record, encoded", f"{body:.0f} bytes"],
        ["a record, on disk", f"{path.stat().st_size / count:.0f} bytes"],
        ["subtree roots kept (once)", f"{kept.wall:.1f} s"],
        ["checkpoint", f"{signed.wall * 1000:.1f} ms"],
        [f"verify the whole log, {many} processes", both.text(many)],
        ["verify the whole log, one process", alone.text()],
        ["floor: every record read and hashed, one process", floor.text()],
    ]
    most = MOST_VERIFY_SECONDS * count / 1_000_000
    target = Target(
        f"verify {count:,} records in {most:g} s of {many} cores",
        f"{both.shared(many):.2f} s of each; {both.wall:.2f} s by the clock",
        both.shared(many) <= most,
    )
    return Table(("what", "measured"), rows, f"{count:,} records on SQLite", (target,))


def main(arguments: list[str]) -> Iterator[Table]:
    """Appends on both databases, then the whole log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only-appends", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/appends.db"
        create_or_upgrade(url).close()
        found = [*measure_appends("SQLite", url, options.seconds)]
        server = own_server(f"{name}/pg")
        create_or_upgrade(server.get_uri()).close()
        found += measure_appends("PostgreSQL", server.get_uri(), options.seconds)
        server.cleanup()
        columns = (
            "database", "callers", "appends/s", "the ceiling", "share", "records at hand", "p99",
        )  # fmt: skip
        yield Table(columns, [row for row, _ in found], "", [one for _, one in found if one])
        if not options.only_appends:
            yield measure_whole_log(Path(name), options.records)
