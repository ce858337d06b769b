"""World build: rows a second, as a share of raw inserts of the same rows in the same run.

    python -m bench.world_build --waybills 1000000
    python -m bench.world_build --waybills 100000 --database postgresql://...

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

from sqlalchemy import Table, select

from acl_engine.storage.bulk import CHUNK
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import metadata

LEAST_SHARE = 0.2
MOST_MIB = 300


def build(url: str, waybills: int) -> tuple[float, float]:
    """Seconds, and the peak resident memory in MiB."""
    command = [sys.executable, "-m", "acl_engine", "world", "build", "--database", url]
    started = time.perf_counter()
    subprocess.run([*command, "--waybills", str(waybills)], check=True)
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def chunks(database: Database, table: Table) -> Iterator[Sequence[Any]]:
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waybills", type=int, default=100_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--raw-database", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as folder:
        url = args.database or f"sqlite:///{Path(folder) / 'built.db'}"
        raw_url = args.raw_database or f"sqlite:///{Path(folder) / 'raw.db'}"
        seconds, peak = build(url, args.waybills)
        with Database.open(url) as source, create_or_upgrade(raw_url) as target:
            rows, raw_seconds = raw(source, target)
            dialect = source.dialect
    share = raw_seconds / seconds
    print(f"database            {dialect}")
    print(f"waybills, rows      {args.waybills:,}, {rows:,}")
    print(f"build               {seconds:.1f} s, {rows / seconds:,.0f} rows/s")
    print(f"raw executemany     {raw_seconds:.1f} s, {rows / raw_seconds:,.0f} rows/s")
    print(f"share of raw        {share:.2f} (at least {LEAST_SHARE})")
    print(f"peak memory         {peak:.0f} MiB (under {MOST_MIB})")
    return 0 if share >= LEAST_SHARE and peak < MOST_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
