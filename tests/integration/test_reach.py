"""How far an account reaches, and what a new policy changes of it: against every record, judged."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from acl_engine.analysis.policy_diff import diff
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.reach import diff_on, reach_of
from acl_engine.cli import cli
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.domain.decision import Decision, Show
from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Request
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database, world_time
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.reach import principals
from acl_engine.storage.resources import WAYBILL, waybills
from tests.line_world import ROOT, template

AFTER = ROOT / "policies" / "courier" / "after"
PACK = load_pack(AFTER)


@dataclass(frozen=True)
class World:
    database: Database
    url: str
    rows: list[Mapping[str, Any]]

    def judged(self, pack: Pack, login: str, action: Action) -> list[Decision]:
        """The decision for every record, one by one."""
        now = world_time(self.database)
        clock = SteppedClock(datetime.fromtimestamp(now, UTC))
        (who,) = principals(self.database, now, login=login)
        asked = Request("-", action, "waybill", None, (), (), None, None, (), 1, None)
        facts = DirectoryStore(self.database, clock).facts(who, asked)
        decider = PackDecider(pack)
        return [
            decider.judge(asked, Facts(facts.subject, None), WAYBILL.row_attributes(dict(row)))
            for row in self.rows
        ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("reach")
    database, _ = template(folder)
    with database.read() as cx:
        rows: list[Any] = list(cx.execute(waybills.select()).mappings())
    yield World(database, f"sqlite:///{folder / 'line.db'}", rows)
    database.close()


@pytest.mark.parametrize("login", ["courier-88", "sup-0413", "cs-12"])
def test_reach_is_what_every_look_would_show(world: World, login: str) -> None:
    """Per field: as many records, of as many people, as judging each record one by one gives."""
    best: dict[tuple[str, int], bool] = {}
    for action in Action:
        for row, decision in zip(world.rows, world.judged(PACK, login, action), strict=True):
            for field, grant in decision.grants.items():
                key = (field, row["id"])
                best[key] = best.get(key, False) or grant.show is Show.CLEAR
    by_id = {row["id"]: row for row in world.rows}
    expected: dict[tuple[str, bool], tuple[int, int]] = {}
    for field, clear in {(field, clear) for (field, _), clear in best.items()}:
        ids = [number for (one, number), how in best.items() if (one, how) == (field, clear)]
        person = PACK.resources["waybill"].fields[field].person
        people = {by_id[number][person] for number in ids} if person else set()
        expected[field, clear] = len(ids), len(people)
    found = reach_of(world.database, PACK, login, {})
    assert {
        (one.field, one.clear): (one.records, sum(one.people.values())) for one in found
    } == expected
    assert expected


def stricter(into: Path) -> Path:
    """A manager traces what was delivered unpaid no more, and reads what is at the station."""
    shutil.copytree(AFTER, into)
    rows = (AFTER / "policy.csv").read_text()
    assert "device_bound & within_week, DELIVERED" in rows
    rows = rows.replace(
        "device_bound & within_week, DELIVERED", "device_bound & within_week & cash, DELIVERED"
    )
    old = "OUT_FOR_DELIVERY, waybill_no=clear route=clear trace=clear, allow"
    new = "OUT_FOR_DELIVERY|AT_STATION, waybill_no=clear route=clear trace=clear, allow"
    assert old in rows
    (into / "policy.csv").write_text(rows.replace(old, new))
    return into


def test_the_counts_of_a_change_are_those_of_every_record(world: World, tmp_path: Path) -> None:
    """Both ways: what is gained and what is lost, account by account."""
    new = load_pack(stricter(tmp_path / "new"))
    counted = diff_on(world.database, (PACK, new), diff(PACK, new), {})
    assert {one.wider for one in counted} == {True, False}

    @cache
    def judged(changed: bool, login: str, action: Action) -> list[Decision]:
        return world.judged(new if changed else PACK, login, action)

    people = principals(world.database, world_time(world.database))
    for one in counted:
        gained = []
        for who in (who for who in people if who.role == one.role):
            decided = [
                judged(changed, who.account, Action(one.action)) for changed in (False, True)
            ]
            seen = [
                (shown(a, one.field, one.clear), shown(b, one.field, one.clear))
                for a, b in zip(*decided, strict=True)
            ]
            gained.append(
                sum((before, after) == (not one.wider, one.wider) for before, after in seen)
            )
        moved = [many for many in gained if many]
        assert (one.accounts, one.records, one.most) == (len(moved), sum(moved), max(moved)), one


def shown(decision: Decision, field: str, clear: bool) -> bool:
    if not field:
        return decision.allowed
    grant = decision.grants.get(field)
    return grant is not None and (grant.show is Show.CLEAR or not clear)


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], catch_exceptions=False)


def test_the_commands(world: World, tmp_path: Path) -> None:
    """In both languages, as a document, and with facts that are assumed."""
    place = ("--database", world.url)
    said = run("account", "reach", "courier-88", *place).output
    assert "recipient's name (masked)" in said
    assert "脱敏" in run("--lang", "zh", "account", "reach", "courier-88", *place).output
    off = ("account", "reach", "courier-88", *place, "--assume", "on_shift=false")
    assert "recipient's name" not in run(*off).output
    found = json.loads(run("account", "reach", "courier-88", *place, "--format", "json").output)
    assert {one["kind"] for one in found["reach"]} >= {"name", "address"}
    new = stricter(tmp_path / "new")
    lines = run("policy", "diff", AFTER, new, *place).output
    assert "accounts lose" in lines
    assert "accounts gain" in lines
    document = json.loads(run("policy", "diff", AFTER, new, *place, "--format", "json").output)
    assert sum(one["records"] for one in document["counted"]) > 0
    assert "nobody gains or loses" in run("policy", "diff", AFTER, AFTER, *place).output


def test_an_account_that_is_not_there(world: World) -> None:
    with pytest.raises(InputError, match="no active account"):
        run("account", "reach", "nobody", "--database", world.url)
