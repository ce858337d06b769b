"""The rooms and their one direction are kept, and the contracts that keep them can say no."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {
    "domain", "masking", "policy", "decision", "audit", "enforcement", "identity", "storage",
    "analysis", "bootstrap", "replay", "web", "cli",
}  # fmt: skip

PLANTED = {
    "record in web": ("web/page.py", "import acl_engine.domain.personal", "handled by few"),
    "record in cli": ("cli/peek.py", "import acl_engine.domain.personal", "handled by few"),
    "unmasked record in replay's runner": (
        "replay/peek.py", "import acl_engine.domain.personal", "handled by few",
    ),
    "sqlalchemy in decision": ("decision/peek.py", "import sqlalchemy", "judge do no I/O"),
    "sqlalchemy in cli": ("cli/peek.py", "import sqlalchemy", "storage alone"),
    "socket in enforcement": ("enforcement/peek.py", "import socket", "judge do no I/O"),
    "casbin in policy": ("policy/peek.py", "import casbin", "casbin is the tests' oracle"),
    "masking switched off by bootstrap": (
        "bootstrap/peek.py", "import acl_engine.masking.unsafe", "replay's alone",
    ),
    "record store opened by web": (
        "web/peek.py", "import acl_engine.storage.records", "opened by bootstrap",
    ),
    "storage judging": ("storage/peek.py", "import acl_engine.decision", "does not judge"),
    "domain looking up": ("domain/peek.py", "import acl_engine.storage.tables", "one direction"),
    "web and replay siblings": ("web/peek.py", "import acl_engine.replay", "one direction"),
    "yaml in domain": ("domain/peek.py", "import yaml", "standard library"),
    "a new utils room": ("utils/__init__.py", "", "one direction"),
}  # fmt: skip


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()",
         "--no-logo", "--no-cache"],
        cwd=folder, env={"PYTHONPATH": str(folder / "src"), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of the code and its contracts, to plant violations in."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def test_contracts_hold() -> None:
    """Every import in the project goes downwards, and the protected modules have few importers."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("name", PLANTED)
def test_planted_violation_is_caught(name: str, copy: Path) -> None:
    """A contract that cannot say no protects nothing."""
    file, line, contract = PLANTED[name]
    target = copy / "src" / "acl_engine" / file
    target.parent.mkdir(exist_ok=True)
    target.write_text(f'"""Planted."""\n{line}\n', encoding="utf-8")
    done = lint(copy)
    assert done.returncode != 0, f"not caught: {name}"
    assert contract in done.stdout, done.stdout


def test_no_room_without_a_name() -> None:
    """The house has the rooms of the design and no others; line 1 of each names the term."""
    found = {p.parent.name for p in (ROOT / "src" / "acl_engine").glob("*/__init__.py")}
    assert found == ROOMS
    for room in ROOMS:
        first = (ROOT / "src" / "acl_engine" / room / "__init__.py").read_text().splitlines()[0]
        assert first.startswith('"""'), room
        assert ":" in first, room


def test_decision_core_is_light() -> None:
    """`import acl_engine.decision` pulls in no database, web, crypto or casbin package."""
    heavy = "sqlalchemy alembic psycopg starlette uvicorn cryptography argon2 click rich jinja2"
    code = (
        "import sys, acl_engine, acl_engine.decision\n"
        f"heavy = [m for m in '{heavy} casbin numpy'.split() if m in sys.modules]\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
