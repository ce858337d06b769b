"""A policy over the past: the facts as they were, the engine's decisions, every line counted."""

import csv
import io
import json
import os
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given
from hypothesis import strategies as st

from acl_engine.analysis.backtest import csv_log
from acl_engine.analysis.backtest.access_log import NO_TIME, times
from acl_engine.analysis.backtest.columns import NO_WORD, TRUE
from acl_engine.analysis.backtest.csv_log import csv_columns
from acl_engine.analysis.backtest.judging import ACTIONS, Batch, Judging
from acl_engine.analysis.backtest.past import Lines, Past
from acl_engine.analysis.backtest.released import AHEAD
from acl_engine.audit import record as audit
from acl_engine.bootstrap import backtest_blocks, crew
from acl_engine.bootstrap.backtest import Order, backtest
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.cli import cli
from acl_engine.decision.pack_decider import MANY, PackDecider
from acl_engine.domain.errors import AccessDenied, InputError
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.history import History
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Query, Request
from acl_engine.policy.pack import load_pack
from acl_engine.storage import resources
from acl_engine.storage.audit_reading import AuditReading
from acl_engine.storage.database import Database, world_time
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.history import read_history
from tests.line_world import ROOT, line_over, template

AFTER = ROOT / "policies" / "courier" / "after"
PACK = load_pack(AFTER)
# What leaves no event, see analysis/backtest/custody.py.
UNDATED = frozenset({"ARCHIVED", "SHREDDED", "CLAIM"})


@dataclass(frozen=True)
class World:
    database: Database
    truth: Any
    url: str
    now: int
    history: History
    past: Past


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("past")
    database, truth = template(folder)
    history = read_history(database, PACK, "waybill")
    past = Past(history, PACK, "waybill", {})
    url = f"sqlite:///{folder / 'line.db'}"
    yield World(database, truth, url, world_time(database), history, past)
    database.close()


def asked(action: Action, key: str | None) -> Request:
    return Request("-", action, "waybill", key, (), (), None, None, (), 1, None)


def one(who: int, record: int, at: int, device: int = TRUE) -> Lines:
    return Lines(*(np.array([value]) for value in (who, record, at, device, NO_WORD)))


# --- facts ---------------------------------------------------------------------------------------


def test_now_is_what_the_directory_says(world: World) -> None:
    """At the world's now, every fact is the live one: shifts, stops, sets, custody, assignments."""
    directory = DirectoryStore(world.database, SteppedClock(datetime.fromtimestamp(world.now, UTC)))
    past, draw = world.past, random.Random(7)
    for record, key in enumerate(past.keys):
        place = draw.randrange(len(past.logins))
        account = world.history.accounts[place]
        who = Principal(
            account.login, account.person or "", account.role, account.unit, "s", None, None,
            account.tenant, account.customer,
        )  # fmt: skip
        live = directory.facts(who, asked(Action.READ, key))
        assert live.resource is not None
        if live.resource["stage"] == "AT_BRANCH" and not live.resource["custody_sound"]:
            continue  # it is said to be there, and no scan says so
        line = past.placed(one(place, record, world.now))
        for name, kind in past.record_kinds.items():
            if live.resource["stage"] not in UNDATED or name != "stage":
                found = past.value(kind, past.of_record(name, line)[0])
                assert found == live.resource[name], (name, live.resource["stage"])
        for name, kind in past.subject_kinds.items():
            if kind == "set" and not past.tracks(name):
                assert name in ("duties", "makers", "answered")  # of approvers alone
            elif kind == "set":
                held = live.subject[name]
                assert isinstance(held, frozenset)
                assert past.anything(name, line)[0] == bool(held)
                words = np.array([past.words.add(value) for value in (*sorted(held), "-")])
                many = line.take(np.zeros(len(words), dtype=int))
                assert past.member(name, words, many).tolist() == [1] * len(held) + [0]
            elif name not in ("device_bound", "device_class", "fresh_factor"):
                found = past.value(kind, past.of_subject(name, line)[0])
                expected = live.subject[name] or None if name == "person" else live.subject[name]
                assert found == expected, name


def test_the_past_differs_from_now(world: World) -> None:
    """A parcel that is out now was in its branch before, and before its order nowhere."""
    past = world.past
    key = next(
        row["waybill_no"]
        for row in rows_of(world)
        if row["stage"] == "OUT_FOR_DELIVERY" and row["assignee"]
    )
    record = past.keys.index(key)
    row = next(row for row in rows_of(world) if row["waybill_no"] == key)
    moments = (row["ordered_at"] - 1, row["ordered_at"], row["out_at"] - 1, world.now)
    lines = [past.placed(one(0, record, at)) for at in moments]
    found = [past.value("text", past.of_record("stage", line)[0]) for line in lines]
    assert found[0] is None
    assert not past.exists(lines[0])[0]
    assert found[1:] == ["ORDERED", "AT_BRANCH", "OUT_FOR_DELIVERY"]
    custody = past.of_record("custody_unit", lines[2])[0]
    assert past.words.text(int(custody)) == row["dest_unit"]


def test_released_stops_are_the_directory_s() -> None:
    assert AHEAD == resources.RELEASED_AHEAD


def rows_of(world: World) -> list[Any]:
    with world.database.read() as cx:
        return list(cx.execute(resources.waybills.select()).mappings())


# --- decisions -----------------------------------------------------------------------------------


def facts_of(world: World, line: Lines) -> Facts:
    """The facts of a line, read one by one; the sets straight from the history."""
    past, at = world.past, int(line.at[0])
    account = world.history.accounts[int(line.who[0])]
    subject: dict[str, Value] = {}
    for name, kind in past.subject_kinds.items():
        if kind == "set" and name not in world.history.lasted:
            subject[name] = frozenset() if past.tracks(name) else None
        elif kind == "set":
            owner = account.person if name == "roster_areas" else account.login
            subject[name] = frozenset(
                span.value
                for span in world.history.lasted[name]
                if span.owner == owner and span.start <= at < span.end
            )
        else:
            subject[name] = past.value(kind, past.of_subject(name, line)[0])
    if line.record[0] < 0:
        return Facts(subject, None)
    return Facts(
        subject,
        {
            name: past.value(kind, past.of_record(name, line)[0])
            for name, kind in past.record_kinds.items()
        },
    )


def test_each_line_is_decided_as_the_engine_decides_it(world: World) -> None:
    """Classes change nothing: fifteen hundred lines, each judged alone by the decider."""
    past, draw, decider = world.past, random.Random(11), PackDecider(PACK)
    moving = ("AT_BRANCH", "OUT_FOR_DELIVERY")
    holders = [row["assignee"] if row["stage"] in moving else "" for row in rows_of(world)]
    by_person = {account.person: place for place, account in enumerate(world.history.accounts)}
    held = [place for place, person in enumerate(holders) if person in by_person]
    size = 1500
    who, record, at, action, device = ([] for _ in range(5))  # type: ignore[var-annotated]
    for number in range(size):
        own = number % 3 == 0  # a courier at his own load, not long ago
        named = held if own else range(len(past.keys))
        record.append(-2 if number % 10 == 1 else draw.choice(named))
        who.append(by_person[holders[record[-1]]] if own and record[-1] >= 0
                   else draw.randrange(len(past.logins)))  # fmt: skip
        at.append(world.now - draw.randrange(3600 if own else 86_400 * draw.choice((1, 30))))
        device.append(draw.choice((0, 1, 1, 1)))
        action.append(0 if own else draw.randrange(len(ACTIONS)))
    columns = [np.array(column) for column in (who, record, at, device, [NO_WORD] * size)]
    lines = past.placed(Lines(*columns))
    judging = Judging(decider, past, "waybill")
    yes = np.ones(size, dtype=bool)
    judging.add(Batch(lines, np.array(action), yes, yes.astype(np.int8), np.arange(size) + 1, True))
    report = judging.take()
    allowed = denied = 0
    for place in range(size):
        line = lines.take(np.array([place]))
        many = ACTIONS[action[place]] in MANY
        if (line.record[0] < 0 and not many) or (line.record[0] >= 0 and not past.exists(line)[0]):
            continue
        facts = facts_of(world, line)
        key = None if facts.resource is None else "-"
        decision = (
            decider.decide(asked(ACTIONS[action[place]], None), facts)
            if facts.resource is None
            else decider.judge(asked(ACTIONS[action[place]], key), facts, facts.resource)
        )
        allowed += decision.allowed
        denied += not decision.allowed
    assert (report.count(now=True), report.count(now=False)) == (allowed, denied)
    assert allowed > 50
    assert report.count() + sum(report.unjudged.values()) == size


# --- the file ------------------------------------------------------------------------------------

CELL = st.text(st.sampled_from('ab,"\n\r 运;'), max_size=4)


@example([[" ", "", "", ""]], False)
@example([["a", "a", "a", "a"], [" a", "a", "a", "a"]], False)
@given(st.lists(st.lists(CELL, min_size=4, max_size=5), min_size=1, max_size=20), st.booleans())
def test_a_file_is_read_as_the_csv_module_reads_it(rows: list[list[str]], quoted: bool) -> None:
    """Plain or with quotes, even or ragged: the same cells come out, none is lost."""
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, quoting=quoting).writerows(rows)
    text = "time,account,action,waybill\n" + out.getvalue()
    if any(set(cell) & set("\r\n") for row in rows for cell in row[:4]):
        with pytest.raises(InputError, match="no CSV any more"):
            list(csv_columns(io.BytesIO(text.encode()), "utf-8"))
        return
    parts = list(csv_columns(io.BytesIO(text.encode()), "utf-8"))
    found = [row for part in parts for row in zip(*part[:4], strict=True)]
    read = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    assert found == [tuple(row[:4]) for row in list(read)[1:] if row]


def test_a_quote_that_stays_open_swallows_no_lines() -> None:
    """Once the 200 lines up to the next quote were one line of an unknown account."""
    line = "2020-10-01,ann,read,SF1\n"
    text = "time,account,action,waybill\n" + line + '2020-10-01,"ann,read,SF1\n' + line * 200
    with pytest.raises(InputError, match="no CSV any more after line 2"):
        list(csv_columns(io.BytesIO(text.encode()), "utf-8"))
    remark = 'time,account,action,waybill,remark\n1,ann,read,SF1,"two\nlines"\n'
    (part,) = csv_columns(io.BytesIO(remark.encode()), "utf-8")
    assert list(part.waybill) == ["SF1"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_file_in_any_encoding(encoding: str) -> None:
    text = "时间,账号,操作,运单号\n2020-10-01 08:00:00,ann,查询,SF1\n"
    (part,) = csv_columns(io.BytesIO(text.encode(encoding)), encoding)
    assert (part.action, part.number.tolist()) == (["查询"], [2]) or part.action == ("查询",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("time,user,action\n", "backtest.column"),
        ("2020-10-01,ann,read\n", "backtest.column"),
        ('time,account,action,waybill\n1,"' + "x" * 200_000, "backtest.broken"),
    ],
)
def test_what_is_no_log_is_refused(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        list(csv_columns(io.BytesIO(text.encode()), "utf-8"))
    assert caught.value.message.code == code


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("2020-10-01 08:00:00", 1601510400),
        ("2020-10-01T08:00:00", 1601510400),
        ("2020/10/1 8:00", 1601510400),
        ("2020-10-01T00:00:00Z", 1601510400),
        ("2020-10-01 09:00:00+09:00", 1601510400),
        ("1601510400", 1601510400),
        ("yesterday", NO_TIME),
        ("", NO_TIME),
        ("2020-13-01 08:00:00", NO_TIME),
        ("9999-01-01 08:00:00", NO_TIME),
    ],
)
def test_times(text: str, second: int) -> None:
    """Alone, and among plain ones: the quick way and the careful one agree."""
    plain = "2020-10-01 08:00:00"
    assert times([text], 8.0).tolist() == [second]
    assert times([plain, text, plain], 8.0).tolist()[1] == second


# --- the command ---------------------------------------------------------------------------------


def run(*words: object, lang: str = "en") -> Result:
    return CliRunner().invoke(
        cli, ["--lang", lang, "policy", "backtest", *map(str, words)], catch_exceptions=False
    )


@pytest.fixture(scope="module")
def log(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A courier reads his own next stop; others; and what an old log has besides."""
    row = next(
        row
        for row in rows_of(world)
        if row["stage"] == "OUT_FOR_DELIVERY" and row["assignee_sound"] and row["stop_seq"] == 1
    )
    mine = next(one for one in world.history.accounts if one.person == row["assignee"])
    other = next(one.login for one in world.history.accounts if one.role == "hub_mgr")
    moment = datetime.fromtimestamp(world.now, UTC).isoformat()
    key = row["waybill_no"]
    lines = [
        "时间,账号,操作,运单号",
        f"{moment},{mine.login},查询,{key}",
        f"{moment},{other},dial,{key}",
        f"{moment},{other},dial,{key}",
        f"{moment},nobody,查询,{key}",
        f"{moment},{other},打印,{key}",
        f"{moment},{other},查询,NONE",
        f"{moment},{other},查询,",
        f"soon,{other},查询,{key}",
        f"1990-01-01 00:00:00,{other},查询,{key}",
        f"{moment},{other},reverse_lookup,",
    ]
    file = tmp_path_factory.mktemp("log") / "2020.csv"
    file.write_text("\n".join(lines) + "\n", encoding="gb18030")
    return file


def test_who_would_have_been_denied(world: World, log: Path) -> None:
    """Every line is in the report: by role, branch and reason, or with the cause it is not."""
    done = run(
        AFTER, "--log", log, "--database", world.url, "--action", "查询=read", "--format", "json"
    )
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert (found["judged"], found["denied_now"]) == (4, 3)
    assert found["not_judged"] == {
        "unreadable": {"count": 1, "first_lines": [9]},
        "account": {"count": 1, "first_lines": [5]},
        "action": {"count": 1, "first_lines": [6]},
        "no-record": {"count": 1, "first_lines": [8]},
        "record": {"count": 1, "first_lines": [7]},
        "later": {"count": 1, "first_lines": [10]},
    }
    assert found["assumed"] == {"device_bound": "true", "fresh_factor": "true"}
    by_reason = {(one["action"], one["reason"]): one["count"] for one in found["tallies"]}
    assert by_reason["dial", "no row grants role `hub_mgr` the action `dial`"] == 2
    assert sum(found["accounts"].values()) == 3


def test_a_log_of_many_blocks_is_judged_as_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is shared out between processes, and where the csv module must take over."""
    draw, rows = random.Random(5), rows_of(world)
    lines = ["time,account,action,waybill"]
    for number in range(400):
        row, login = draw.choice(rows), draw.choice(world.past.logins)
        moment = datetime.fromtimestamp(draw.randrange(row["ordered_at"] - 99, world.now), UTC)
        key = "" if number % 50 == 7 else f'"{row["waybill_no"]}"' if number > 300 else None
        at = moment.strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{at},{login},read,{row['waybill_no'] if key is None else key}")
    (tmp_path / "log.csv").write_text("\n".join(lines))
    order = Order(PACK, "waybill", tmp_path / "log.csv", utc_offset=0.0)
    at_once = backtest(world.database, order)
    monkeypatch.setattr(csv_log, "BLOCK", 2000)
    shown: list[tuple[int, int]] = []
    shared = backtest(world.database, order, lambda done, total: shown.append((done, total)))
    monkeypatch.setattr(crew, "cores", lambda: 1)
    alone = backtest(world.database, order)
    dead = ProcessPoolExecutor(1, get_context("fork"), os._exit, (1,))
    monkeypatch.setattr(crew, "cores", lambda: 2)
    monkeypatch.setattr(backtest_blocks, "ProcessPoolExecutor", lambda *_: dead)
    assert at_once == shared == alone == backtest(world.database, order)
    assert at_once.count() + sum(at_once.unjudged.values()) == 400
    assert len(shown) > 5
    assert shown == sorted(shown)


@pytest.mark.parametrize(("lang", "word"), [("zh", "会拒绝 3 次"), ("en", "would deny 3 (75.0%)")])
def test_in_words(world: World, log: Path, lang: str, word: str) -> None:
    done = run(AFTER, "--log", log, "--database", world.url, "--action", "查询=read", lang=lang)
    assert word in done.output
    assert "hub_mgr" in done.output


def test_assumed_otherwise(world: World, log: Path) -> None:
    """On an unbound device the courier would have been denied too, and it says so."""
    done = run(
        AFTER, "--log", log, "--database", world.url, "--action", "查询=read",
        "--assume", "device_bound=false",
    )  # fmt: skip
    assert "would deny 4 (100.0%)" in done.output
    assert "on a device that is bound to this person" in done.output


def test_our_own_log(world: World, tmp_path: Path) -> None:
    """What this policy allowed it would allow again; with other stages it would deny them."""
    with line_over(world.database, world.truth) as line:
        token = line.token("courier-88", "pda-88")
        for _ in range(3):
            line.engine.ask(token, line.read("load-1"))
        for query in (
            line.read("load-89"),
            Query("reverse_lookup", "waybill", by={"phone": "19012345678"}),
        ):
            with pytest.raises(AccessDenied):
                line.engine.ask(token, query)
        database = line.stage.database
        bodies = [body for _, body, _ in AuditReading(database, audit.decode).raw()]
        same = backtest(database, Order(PACK, "waybill"))
    (tmp_path / "records.jsonl").write_bytes(b"\n".join(bodies) + b"\n")
    copy = (AFTER, "--log", tmp_path / "records.jsonl", "--database", world.url)
    assert (same.count(then=True), same.count(then=True, now=False)) == (3, 0)
    assert (same.count(then=False), same.count(then=False, now=True)) == (2, 0)
    assert run(*copy).exit_code == 0
    shutil.copytree(AFTER, tmp_path / "stricter")
    rows = (AFTER / "policy.csv").read_text().splitlines(keepends=True)
    gone = tuple(f"p, courier.{name}," for name in ("load", "stop", "cash"))
    other = [
        row.replace("OUT_FOR_DELIVERY", "RETURNING") if row.startswith(gone) else row
        for row in rows
    ]
    (tmp_path / "stricter" / "policy.csv").write_text("".join(other))
    found = run(tmp_path / "stricter", *copy[1:], "--format", "json")
    assert found.exit_code == 1
    assert json.loads(found.output)["accounts"] == {"courier-88": 3}


def test_a_torn_record_is_counted(world: World, tmp_path: Path) -> None:
    """A line that a crash cut short is not judged, and it is said which."""
    (tmp_path / "records.jsonl").write_bytes(b'{"kind":"outcome","at":1\n')
    found = run(
        AFTER, "--log", tmp_path / "records.jsonl", "--database", world.url, "--format", "json"
    )
    assert json.loads(found.output)["not_judged"] == {
        "unreadable": {"count": 1, "first_lines": [1]}
    }
    assert found.exit_code == 2  # of a log in which nothing could be judged, nothing is proven


@pytest.mark.parametrize(
    "wrong",
    [
        ("--action", "查询=fly"),
        ("--resource", "parcel"),
        ("--assume", "tickets=a"),
        ("--log", "/no/such/file"),
    ],
)
def test_a_call_that_is_wrong(world: World, wrong: tuple[str, str]) -> None:
    done = CliRunner().invoke(
        cli, ["policy", "backtest", str(AFTER), "--database", world.url, *wrong]
    )
    assert getattr(done.exception, "exit_code", done.exit_code) == 2
