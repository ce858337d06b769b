"""No answer without its durable record: the engine is killed in the middle of looks, many times.

kill -9 is not a power cut: what a disk that lies about flushing loses is not proven here.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.killing import PACK, Doomed, look

from acl_engine.audit.verify import verify
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.keys import Keys
from acl_engine.replay.stage import Stage
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database

# `tests/soak/test_kills.py` does it a thousand times.
KILLS = 50
STEPS = ("0", "1", "2", "3", "4", "5", "7", "8", "9", "10", "11")


@dataclass
class Office:
    """A company on disk, two couriers logged in, and everything that they were told."""

    stage: Stage
    path: str
    asks: list[tuple[str, str]]
    answered: list[str]

    def doomed(self, callers: int, step: str | None = None) -> Doomed:
        seed = self.stage.truth.world.seed
        return Doomed(look, self.path, seed, self.asks[:callers], step)

    def holds(self) -> None:
        """Each answer has its intent and its outcome, once; the log is whole and continues what
        was signed before."""
        kinds: dict[str, list[str]] = {}
        for _, one in self.stage.engine.audit.entries():
            kinds.setdefault(one.request, []).append(one.kind)
        for request in self.answered:
            assert kinds.get(request) == ["intent", "outcome"], request
        desk = Accountability(self.stage.database, Keys.synthetic(self.stage.truth.world.seed))
        trust = desk.trust(None)
        report = verify(desk.store.pages, desk.proofs.checkpoints(), trust)
        assert report.sound, report.findings
        desk.checkpoint(trust)


@pytest.fixture
def office(line_template: tuple[Database, Truth], tmp_path: Path) -> Iterator[Office]:
    database, truth = line_template
    stage = Stage.open(database, PACK, truth, weak=False, folder=tmp_path)
    asks = []
    for login, device, parcel in (
        ("courier-88", "pda-88", "load-1"), ("courier-89", "pda-89", "load-89"),
        ("keeper-07", "pc-31", "keeper-parcel"),
    ):  # fmt: skip
        done = stage.login(login, truth.password(login, weak=False), totp=True, device=device)
        assert done.allowed, done
        asks.append((stage._tokens[login, device], truth.by_name[parcel].waybill_no))
    yield Office(stage, str(tmp_path / "stage.db"), asks, [])
    stage.close()


def killed(office: Office, kills: int, rng: random.Random, every: int) -> None:
    for number in range(kills):
        office.answered += office.doomed(rng.choice([1, 2, 3])).kill(rng)
        if number % every == every - 1:
            office.holds()
    office.holds()
    assert len(office.answered) >= kills


@pytest.mark.slow
def test_kill_9_at_random_points(office: Office) -> None:
    """Whoever got an answer is in the log that is found afterwards, and the log verifies."""
    killed(office, KILLS, random.Random(9), every=10)


@pytest.mark.slow
def test_kill_9_at_every_number_of_the_line(office: Office) -> None:
    """Killed as it enters each number: up to 5 there is no record, from 5 on the intent alone, and
    only after 10 the outcome; the answer never came before its outcome."""
    for step in STEPS:
        before = len(list(office.stage.engine.audit.raw()))
        told = office.doomed(1, step).died()
        office.answered += told
        assert len(told) == 2, step  # the third look is the one that dies
        rows = [one.kind for _, one in office.stage.engine.audit.entries(before)][4:]
        expected = ["intent", "outcome"] if step == "11" else ["intent"] if int(step) > 5 else []
        assert rows == expected, step
    office.holds()
