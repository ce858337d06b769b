"""A disk that says no to fsync: a layer under SQLite itself, compiled for the test.

It proves what the log does with the error. What a disk does that says yes and loses the bytes all
the same is not proven; see `docs/limitations.md`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acl_engine.storage.database import Database
from tests.contract.test_audit_store import store_of

COMPILER = shutil.which("cc") or shutil.which("gcc")
SOURCE = Path(__file__).parents[1] / "assets" / "faults" / "failing_fsync.c"
ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from pathlib import Path
from acl_engine.domain.errors import AuditUnavailable
from acl_engine.storage.database import Database
from tests.contract.test_audit_store import entry, store_of

url, flag = sys.argv[1], Path(sys.argv[2])
with Database.open(url) as database:
    store = store_of(database)
    def told(name):
        try:
            print(store.append(entry(name)).index, name)
        except AuditUnavailable:
            print("refused", name)
    told("before")
    flag.touch()
    for number in range(3):
        told(f"failing-{number}")
    flag.unlink()
    told("after")
"""


@pytest.mark.skipif(COMPILER is None, reason="no C compiler for the layer that fails fsync")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is Linux's")
def test_fsync_that_fails_gives_no_receipt(sqlite_url: str, tmp_path: Path) -> None:
    """While the disk refuses to flush nobody gets a receipt; the process lives on, and when the
    disk flushes again the log goes on. Whoever got a receipt is in it."""
    layer, flag = tmp_path / "failing_fsync.so", tmp_path / "failing"
    assert COMPILER is not None
    build = [COMPILER, "-shared", "-fPIC", "-o", str(layer), str(SOURCE), "-ldl"]
    subprocess.run(build, check=True, capture_output=True)
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    layered = {"LD_PRELOAD": str(layer), "ACL_FAILING_FSYNC": str(flag), "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, sqlite_url, str(flag)],
        env=os.environ | layered,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines if line[0] == "refused"] == [
        "failing-0", "failing-1", "failing-2",
    ]  # fmt: skip
    receipts = {int(line[0]): line[1] for line in lines if line[0] != "refused"}
    assert sorted(receipts.values()) == ["after", "before"]
    with Database.open(sqlite_url) as database:
        kept = {index: one.request for index, one in store_of(database).entries()}
    assert receipts.items() <= kept.items()
