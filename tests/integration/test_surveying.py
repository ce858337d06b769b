"""A large log is read by several processes; what they say is what one says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from acl_engine.audit.checkpoint import Trust, next_checkpoint
from acl_engine.audit.merkle import Tree, fold
from acl_engine.audit.note import Signer
from acl_engine.audit.record import encode, leaf_hash
from acl_engine.audit.report import Report
from acl_engine.audit.survey import WIDTH
from acl_engine.audit.verify import verify
from acl_engine.bootstrap.looking import look_book
from acl_engine.bootstrap.surveying import surveys
from acl_engine.storage.audit_proofs import AuditProofStore
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.tables import audit_records
from tests.contract.test_audit_store import entry, store_of

LOG = Signer("log.example/audit", b"1" * 32)
RECORDS = 2 * WIDTH + 100
# One in a stretch, one at the end of one, one after the last whole one.
SIGNED = (300, WIDTH, RECORDS - 50)


class Log:
    """A log of two stretches and a rest."""

    def __init__(self, database: Database, url: str) -> None:
        self.database, self.url = database, url
        self.store: AuditStore = store_of(database)
        self.proofs = AuditProofStore(database, fold)
        bodies = [
            encode(entry(f"r{i}", at=1_000_000 + i, unit=f"b{i % 3}", subjects=(f"w{i % 9000}",),
                         count=1))
            for i in range(RECORDS)
        ]  # fmt: skip
        rows = [
            {"index": i, "leaf": leaf_hash(body), "body": body, "request": f"r{i}",
             "at": 1_000_000 + i, "account": "cs-12"} for i, body in enumerate(bodies)
        ]  # fmt: skip
        with database.write() as cx:
            cx.execute(insert(audit_records), rows)
        tree = Tree(self.proofs)
        self.notes = [next_checkpoint(tree, size, None, [LOG]) for size in SIGNED]

    def verify(self, processes: int, url: str = "") -> Report:
        trust = Trust((LOG.verifier,))
        together = surveys(url or self.url, RECORDS, processes) if processes else None
        return verify(self.store.pages, self.notes, trust, surveys=together)


@pytest.fixture(scope="module")
def log(own_sqlite_url: str) -> Iterator[Log]:
    with Database.open(own_sqlite_url) as database:
        yield Log(database, own_sqlite_url)


def test_two_processes_say_what_one_says(log: Log) -> None:
    """Sound; and then with one record of the second stretch changed."""
    report = log.verify(2)
    assert report == log.verify(0)
    assert (report.sound, report.size, report.signed_to) == (True, RECORDS, SIGNED[-1])
    bad = WIDTH + 7
    change = text('UPDATE audit_records SET body=:b WHERE "index"=:i')
    with log.database.read() as cx:
        body = cx.execute(text(f'SELECT body FROM audit_records WHERE "index"={bad}')).scalar_one()
    try:
        with log.database.write() as cx:
            cx.execute(change, {"b": body.replace(b"cs-12", b"cs-13"), "i": bad})
        report = log.verify(2)
        assert [(one.message.code, one.index) for one in report.findings] == [
            ("audit.changed", bad)
        ]
        assert report == log.verify(0)
    finally:
        with log.database.write() as cx:
            cx.execute(change, {"b": body, "i": bad})


def test_tracing_reads_the_same_looks_with_two_processes(
    log: Log, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the same order, so that a record's first look is the same; and where they all fail."""
    alone = look_book(log.store, "", 0, 2**62)
    assert (alone.size, alone.sizes[("b0", 0)]) == (9000, 3000)
    monkeypatch.setattr("acl_engine.bootstrap.crew.WORTHWHILE", 1)
    for url in (log.url, f"sqlite:///{tmp_path / 'gone.db'}"):
        together = look_book(log.store, url, 0, 2**62)
        assert (together.seen, together.cell) == (alone.seen, alone.cell)


def test_processes_that_fail_leave_the_work_to_the_verifier(log: Log, tmp_path: Path) -> None:
    """Processes that cannot open the database at all: all is judged here instead."""
    report = log.verify(2, f"sqlite:///{tmp_path / 'gone.db'}")
    assert (report.sound, report.size, report.signed_to) == (True, RECORDS, SIGNED[-1])
