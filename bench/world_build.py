"""World build: rows a second, as a share of raw inserts of the same rows in the same run.

    python -m bench world_build --waybills 1000000
    python -m bench world_build --waybills 100000 --database postgresql://...

The build runs as `acl world build` in a process of its own, so that its peak memory is its own.
Then its rows are read back and inserted by the bare driver (executemany, the same tables, indexes,
durability and rows a transaction); reading is not counted. The database must be empty; a second,
empty one for the raw inserts is `--raw-database` (SQLite: a file beside it).
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Table as Stored
from sqlalchemy import select

from acl_engine.storage.bulk import CHUNK
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import metadata
from bench._table import Table, Target

TITLE = "Building a synthetic company"
LEAST_SHARE = 0.2
MOST_MIB = 300


def build(url: str, waybills: int) -> tuple[float, float]:
    """Seconds, and the peak resident memory in MiB."""
    command = [sys.executable, "-m", "acl_engine", "world", "build", "--database", url]
    started = time.perf_counter()
    subprocess.run([*command, "--waybills", str(waybills)], check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def chunks(database: Database, table: Stored) -> Iterator[Sequence[Any]]:
    """All rows of a table, `CHUNK` at a time; a unit comes after the one above it."""
    order = [table.c.path] if "path" in table.c else list(table.primary_key.columns)
    with database.read() as cx:
        query = select(table).order_by(*order)
        rows = cx.execution_options(yield_per=CHUNK).execute(query)
        for part in rows.partitions():
            yield [tuple(row) for row in part]


def raw(source: Database, target: Database) -> tuple[int, float]:
    """Insert the rows of `source` by the bare driver: how many, and the seconds it took."""
    mark = "?" if target.dialect == "sqlite" else "%s"
    count, seconds = 0, 0.0
    for table in metadata.sorted_tables:
        if table.name == "world_mark":
            continue
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        marks = ", ".join([mark] * len(table.columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
        for rows in chunks(source, table):
            started = time.perf_counter()
            with target.write() as cx:
                driver: Any = cx.connection.driver_connection
                driver.cursor().executemany(statement, rows)
            seconds += time.perf_counter() - started
            count += len(rows)
    return count, seconds


def main(arguments: list[str]) -> Iterator[Table]:
    """Build, then insert the same rows raw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waybills", type=int, default=100_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--raw-database", default="")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as folder:
        url = args.database or f"sqlite:///{Path(folder) / 'built.db'}"
        raw_url = args.raw_database or f"sqlite:///{Path(folder) / 'raw.db'}"
        seconds, peak = build(url, args.waybills)
        with Database.open(url) as source, create_or_upgrade(raw_url) as target:
            rows, raw_seconds = raw(source, target)
            dialect = source.dialect
    share = raw_seconds / seconds
    lines = [
        ["database", dialect],
        ["waybills / rows", f"{args.waybills:,} / {rows:,}"],
        ["build", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s"],
        ["raw executemany", f"{raw_seconds:.1f} s, {rows / raw_seconds:,.0f} rows/s"],
    ]
    targets = (
        Target(
            f"at least {LEAST_SHARE:.0%} of the rate of raw inserts",
            f"{share:.0%}",
            share >= LEAST_SHARE,
        ),
        Target(f"peak memory under {MOST_MIB} MiB", f"{peak:.0f} MiB", peak < MOST_MIB),
    )
    yield Table(("what", "measured"), lines, targets=targets)
