"""A filesystem without room: said so in one line, and nothing half-made is left on it.

A real small filesystem, mounted in a namespace of the test's own: a size limit on files does not
stop SQLite where a full disk does, when it lays out its -shm file.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FULL = "no room left for database"
SMALL = "mount -t tmpfs -o size={size}k none {folder} && cd {folder} && "


def on_small_disk(folder: Path, size: int, script: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a folder of `size` KiB that exists for it alone."""
    if not shutil.which("unshare"):
        pytest.skip("no `unshare`: no small filesystem can be made")
    folder.mkdir()
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(folder)]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount in a namespace of their own")
    acl = f"acl() {{ '{sys.executable}' -m acl_engine --lang en \"$@\"; }}; "
    mounted = SMALL.format(size=size, folder=f"'{folder}'")
    command = ["unshare", "-rm", "sh", "-c", acl + mounted + script]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_world_that_finds_no_room(tmp_path: Path) -> None:
    """One line, exit 2, and no empty database that the next run would stumble on."""
    build = "head -c 60k /dev/zero > full; acl world build --database sqlite:///n.db; echo $?; ls"
    ran = on_small_disk(tmp_path / "disk", 64, build)
    assert ran.stdout.split() == ["2", "full"]
    assert FULL in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_look_that_finds_no_room(tmp_path: Path) -> None:
    """A whole database on a disk that filled up since: full, not out of reach; no name in it."""
    world = f"sqlite:///{tmp_path / 'world.db'}"
    made = [sys.executable, "-m", "acl_engine", "world", "build", "--waybills", "50"]
    subprocess.run([*made, "--database", world], check=True, capture_output=True)
    size = (tmp_path / "world.db").stat().st_size // 1024 + 16
    fill = f"cp '{tmp_path}/world.db' . && head -c 64k /dev/zero > rest 2> /dev/null; "
    look = "acl lookup --as courier-88 --key load-1 --database sqlite:///world.db; echo $?"
    ran = on_small_disk(tmp_path / "disk", size, fill + look)
    assert ran.stdout.split() == ["2"]
    assert FULL in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
