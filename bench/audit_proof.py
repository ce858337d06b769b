"""Inclusion and consistency proofs out of a log of 10,000,000 records.

Run: python -m bench audit_proof [--records 10000000]

A proof reads hashes alone, so the records here have hashes and no bodies. The floor is what a proof
cannot do without: reading, by key, as many rows of 32 bytes as it has tiles to fold.
"""

import argparse
import hashlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import insert

from acl_engine.audit.checkpoint import next_checkpoint
from acl_engine.audit.merkle import Tree, fold, verify_consistency, verify_inclusion
from acl_engine.audit.note import Signer
from acl_engine.storage.audit_proofs import AuditProofStore
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import audit_records
from bench._table import Table, progress

TITLE = "Proofs out of a large log"
LOG = Signer("bench.example/audit", b"b" * 32)
PROOFS = 200
_BATCH = 50_000


def fill(database: Database, count: int) -> None:
    """Leaf hashes of `count` records."""
    sha = hashlib.sha256
    for start in range(0, count, _BATCH):
        rows = [
            {"index": i, "request": "", "at": 0, "account": None, "body": b"",
             "leaf": sha(b"%d" % i).digest()}
            for i in range(start, min(start + _BATCH, count))
        ]  # fmt: skip
        with database.write() as cx:
            cx.execute(insert(audit_records), rows)


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def main(arguments: list[str]) -> Iterator[Table]:
    """Proofs at random places, each verified."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    count = parser.parse_args(arguments).records
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'log.db'}"
        create_or_upgrade(url).close()
        with Database.open(url) as database:
            progress(f"{count:,} hashes are written")
            fill(database, count)
            proofs = AuditProofStore(database, fold)
            tree, rng = Tree(proofs), random.Random(1)
            progress("subtree roots are kept")
            kept = milliseconds(lambda: proofs.keep_nodes(count))
            signed = milliseconds(lambda: next_checkpoint(tree, count, None, [LOG]))
            root, places = tree.root(count), [rng.randrange(count) for _ in range(PROOFS)]
            inclusion = [milliseconds(lambda: tree.inclusion(at, count)) for at in places]  # noqa: B023
            consistency = [milliseconds(lambda: tree.consistency(at, count)) for at in places]  # noqa: B023
            floor = [milliseconds(lambda: _tiles(proofs, at)) for at in places]  # noqa: B023
            progress("the proofs are verified")
            for at in places[:20]:
                leaf = proofs.hashes(0, at, at + 1)[0]
                verify_inclusion(leaf, at, count, tree.inclusion(at, count), root)
                verify_consistency(at, tree.root(at), count, root, tree.consistency(at, count))
    rows = [
        _row("inclusion proof", inclusion),
        _row("consistency proof", consistency),
        _row("floor: three tiles of 256 read", floor),
        ["checkpoint", f"{signed:.1f} ms", ""],
        ["subtree roots kept, all at once", f"{kept / 1000:.1f} s", ""],
    ]
    yield Table(("what", "median", "slowest"), rows, f"{count:,} records on SQLite")


def _tiles(proofs: AuditProofStore, at: int) -> None:
    for level in (0, 8, 16):
        first = (at >> level) // 256 * 256
        proofs.hashes(level, first, first + 256)


def _row(what: str, times: list[float]) -> list[str]:
    return [what, f"{statistics.median(times):.2f} ms", f"{max(times):.2f} ms"]
