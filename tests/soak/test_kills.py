"""A thousand processes killed in the middle of looks, and of writing the log: `make soak`."""

import random
from pathlib import Path

import pytest

from acl_engine.storage.database import Database
from tests.attacks.conftest import line_template
from tests.attacks.test_killed_while_looking import Office, killed, office
from tests.contract.test_audit_store import store_of
from tests.integration.test_audit_crashes import assert_holds
from tests.killing import Doomed, write

pytestmark = pytest.mark.soak
__all__ = ["line_template", "office"]  # fixtures of the tests that this is the long form of
KILLS = 1_000


def test_a_thousand_kills_of_the_engine(office: Office) -> None:
    """Every answer that came out has its intent and its outcome; the log verifies throughout."""
    killed(office, KILLS, random.Random(1000), every=100)


def test_a_thousand_kills_of_the_log(sqlite_url: str, tmp_path: Path) -> None:
    """Every receipt has its record, with up to sixteen callers in a commit."""
    rng, receipts = random.Random(1001), list[str]()
    for number in range(KILLS):
        receipts += Doomed(write, sqlite_url, f"k{number}", rng.choice([1, 4, 16])).kill(rng)
    with Database.open(sqlite_url) as database:
        assert_holds(store_of(database), receipts)
    assert len(receipts) > KILLS
