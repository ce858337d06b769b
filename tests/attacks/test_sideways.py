"""What is not shown must not be told sideways: by an error, size, count, filter, page or time.

Measured, not read: two questions that differ only in what must stay hidden are asked at every door,
and what comes back is compared byte for byte. What each door gives a request to be found again by
(its number) is the one thing that may differ.
"""

import re
import sqlite3
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests import api_world
from tests.api_world import Api
from tests.line_world import Line, line_over

from acl_engine.cli import cli
from acl_engine.domain.errors import AclError
from acl_engine.domain.request import Query
from acl_engine.domain.view import Answer
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database

CAST = (
    ("courier-88", "pda-88"), ("keeper-07", "pc-31"), ("sup-0413", "pc-22"), ("cs-12", "pc-12"),
    ("claims-03", "pc-13"), ("station-06", "pc-16"), ("region-01", "pc-17"), ("hq-ops-01", "pc-18"),
)  # fmt: skip
NOWHERE = "YT9999999999999"  # as long as a real number, and nobody's
_NUMBER = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(scope="module")
def world(line_template: tuple[Database, Truth]) -> Iterator[Line]:
    """One line for the whole file: nothing here changes a record."""
    with line_over(*line_template) as made:
        yield made


@pytest.fixture(scope="module")
def api(
    line_template: tuple[Database, Truth], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    database, truth = line_template
    file = tmp_path_factory.mktemp("sideways") / "api.db"
    with sqlite3.connect(database.name) as source, sqlite3.connect(file) as copy:
        source.backup(copy)
    made = api_world.api(f"sqlite:///{file}", truth)
    yield made
    made.service.close()


def told(ask: Callable[[], object]) -> str:
    """All that a caller can get out of one call: the answer, or every face of the error."""
    try:
        answer = ask()
    except AclError as error:
        faces = (type(error).__name__, repr(error), str(error), error.render("zh"), error.render())
        return _NUMBER.sub("N", "\n".join((*faces, repr(sorted(vars(error))))))
    if not isinstance(answer, Answer):
        return "answered"
    return "answered " + repr([(dict(v.fields), v.handle) for v in answer.views] + [answer.next])


# --- a record that one may not see, and one that is not there ------------------------------------


@pytest.mark.parametrize(("login", "device"), CAST)
def test_another_parcel_and_none_are_told_apart_by_nothing(
    world: Line, login: str, device: str
) -> None:
    """Reads, traces, codes, calls and requests for a right, by every role: bytes and work alike."""
    token, engine, compared = world.token(login, device), world.engine, 0
    for parcel in world.stage.truth.parcels[::25]:
        for action in ("read", "trace", "verify", "dial", "ask"):
            seen = []
            for key in (parcel.waybill_no, NOWHERE):
                query = Query(action, "waybill", key=key, params={"pickup_code": "1"})
                doors = {
                    "dial": lambda query=query: engine.dial(token, query),
                    "ask": lambda key=key: engine.approvals.ask(token, key, "recontact"),
                }
                world.calls.clear()
                ask: Any = doors.get(action, lambda query=query: engine.ask(token, query))
                seen.append((told(ask), tuple(world.calls)))
            if not seen[0][0].startswith("answered"):
                assert seen[0] == seen[1], (action, parcel.name)
                compared += 1
    assert compared > 20


def replies(api: Api, path: str, body: dict[str, Any], token: str) -> tuple[int, str, int, str]:
    answer = api.post(path, body, token)
    headers = sorted((n, v) for n, v in answer.headers if n != "x-request-id")
    return (
        answer.status,
        _NUMBER.sub("N", answer.text),
        len(answer.body),
        repr(headers),
    )


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/lookup", {}),
        ("/v1/lookup", {"fields": ["recipient_phone"]}),
        ("/v1/lookup", {"action": "verify", "params": {"pickup_code": "123456"}}),
        ("/v1/dial", {}),
        ("/v1/act", {"action": "scan_out", "params": {"to_unit": "nowhere"}}),
        ("/v1/approval/ask", {"purpose": "recontact"}),
    ],
)
def test_over_http_too(api: Api, path: str, more: dict[str, Any]) -> None:
    """Status, headers, body and its length, but for the numbers of the requests."""
    token = api.token("courier-88")
    seen = [replies(api, path, {"key": key, **more}, token)
            for key in (api.key("load-89"), api.key("keeper-parcel"), NOWHERE)]  # fmt: skip
    assert seen[0][0] == 403, seen[0]
    assert seen[0] == seen[1] == seen[2]


def test_a_decision_alone_tells_nothing_more(api: Api) -> None:
    """AuthZEN: no right, no record, no such word and no such person are one `false`."""
    token = api.credential("evaluation")
    api.token("courier-88")
    subjects = ("courier-88", "nobody-1")
    resources = (("waybill", api.key("load-89")), ("waybill", NOWHERE), ("nothing", "1"))
    seen = {
        replies(
            api,
            "/access/v1/evaluation",
            {
                "subject": {"type": "account", "id": subject},
                "action": {"name": "read"},
                "resource": {"type": kind, "id": key},
            },
            token,
        )
        for subject in subjects
        for kind, key in resources
    }
    assert len(seen) == 1
    assert seen.pop()[:2] == (200, '{"decision":false}')


def test_from_the_shell_too(line_template: tuple[Database, Truth], tmp_path: Path) -> None:
    """`acl lookup` prints the same; the reason stands beside it for made-up people only."""
    database, truth = line_template
    file = tmp_path / "cli.db"
    with sqlite3.connect(database.name) as source, sqlite3.connect(file) as copy:
        source.backup(copy)
    common = ["lookup", "--database", f"sqlite:///{file}", "--as", "courier-88", "--key"]
    seen = set()
    for key in (truth.by_name["load-89"].waybill_no, NOWHERE):
        done = CliRunner().invoke(cli, [*common, key], catch_exceptions=False)
        lines = [one for one in done.output.splitlines() if not one.startswith("why:")]
        seen.add((done.exit_code, _NUMBER.sub("N", "\n".join(lines)), done.stderr))
    assert len(seen) == 1
    assert seen.pop()[0] == 1


# --- searching, filtering, paging, counting ------------------------------------------------------


@pytest.mark.parametrize(("login", "device"), CAST)
def test_what_is_hidden_chooses_no_rows(world: Line, login: str, device: str) -> None:
    """A true value, its beginning, a pattern and a made-up value of a field that this role is not
    shown in clear: one answer, whatever the action."""
    token, pack = world.token(login, device), world.engine._door.pack
    spec, parcel = pack.resources["waybill"], world.stage.truth.by_name["load-1"]
    shown = {
        field
        for rule in world.engine._door.decider._index.get(
            (world.engine.sessions.resolve(token).role, "waybill", "search"), ()
        )
        for field, how in rule.row.grants
        if how == "clear"
    }
    hidden = [name for name in spec.fields if name not in shown]
    assert len(hidden) > 10
    for name in hidden:
        true = parcel.fields.get(name) or parcel.waybill_no
        tries = (true, true[:3], true[:1] + "*", "%", "_" * len(true), "x" * len(true))
        for action in ("search", "reverse_lookup", "aggregate"):
            asked = [Query(action, "waybill", by={name: one}) for one in tries]
            seen = {told(lambda q=q: world.engine.ask(token, q)) for q in asked}  # type: ignore[misc]
            answered = {one for one in seen if one.startswith("answered")}
            assert not answered or action == "aggregate", (name, action)
            if answered:  # a coarse fact may be counted by: a place, never one parcel
                assert name in ("city", "route", "area"), name
            else:
                assert len(seen) == 1, (name, action)


def test_no_search_goes_over_a_region(world: Line) -> None:
    """Nobody lists what is not theirs: no criterion, a pattern, or another's place."""
    token = world.token("courier-88", "pda-88")
    person = world.stage.truth.world.staff["courier-88"].person
    theirs = {one.waybill_no for one in world.stage.truth.parcels
              if person in (one.facts["assignee"], one.facts["pickup_courier"])}  # fmt: skip
    for by in ({"stage": "OUT_FOR_DELIVERY"}, {}, {"area": "%"}, {"stage": "*"}, {"area": "_"}):
        try:
            answer = world.engine.ask(token, Query("search", "waybill", by=by, limit=1000))
        except AclError:
            continue
        assert {one.handle for one in answer.views} <= theirs


def test_a_page_ends_in_nothing_that_was_not_shown(world: Line) -> None:
    """The cursor is the last key that one was shown; where keys are hidden there is none, handles
    are keyed digests, and a page after a guessed key is refused whatever the guess."""
    token = world.token("courier-88", "pda-88")
    first = world.engine.ask(token, Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"},
                                          limit=2))  # fmt: skip
    assert first.next == first.views[-1].fields["waybill_no"]
    planner = world.token("svc-route", "svc-route-key")
    page = world.engine.ask(planner, Query("search", "waybill", by={"stage": "AT_BRANCH"}, limit=2))
    assert len(page.views) == 2
    assert page.next is None
    keys = {one.waybill_no for one in world.stage.truth.parcels}
    assert not keys & {one.handle for one in page.views}
    seen = {
        told(lambda k=k: world.engine.ask(planner, Query("search", "waybill", after=k)))  # type: ignore[misc]
        for k in ("S", world.key("load-1"), "T")
    }
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["waybill_no", "ordered_at", "delivered_at", "stop_seq",
                                  "recipient", "sender", "recipient_phone", "unit"])  # fmt: skip
def test_no_count_is_of_one_parcel(world: Line, name: str) -> None:
    """Counting by a key, a moment, a person or a door would tell one parcel's stage."""
    parcel = world.stage.truth.by_name["load-1"]
    known = {**{n: str(v) for n, v in parcel.facts.items()}, **parcel.fields}
    known["waybill_no"] = parcel.waybill_no
    token = world.token("region-01", "pc-17")
    seen = {told(lambda v=v: world.engine.ask(token, Query("aggregate", "waybill", by={name: v})))
            for v in (known[name] or "1", "0" * 11)}  # fmt: skip
    assert not any(one.startswith("answered") for one in seen)


def test_none_counts_like_a_few(world: Line) -> None:
    """Whether there is one parcel of a kind or none is not told apart."""
    token = world.token("region-01", "pc-17")
    few: dict[str, set[str]] = {}
    places = sorted({str(one.facts["area"]) for one in world.stage.truth.parcels})
    for area in (*places[:12], "nowhere"):
        query = Query("aggregate", "waybill", by={"area": area, "stage": "RETURNING"})
        few.setdefault(told(lambda q=query: world.engine.ask(token, q)), set()).add(area)
    assert [kinds for kinds in few.values() if "nowhere" in kinds and len(kinds) > 1]


# --- time ----------------------------------------------------------------------------------------

# How often the slower of two kinds takes longer: 0.5 is never told apart, 1 at a glance. With 80
# of each, chance alone stays below 0.2 (four standard deviations).
BOUND, TIMES = 0.2, 80


def apart(first: Callable[[], object], second: Callable[[], object]) -> float:
    """How well two calls are told apart by their time, asked in turns: ranks, so that a noisy
    machine adds to both."""
    spent: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 * TIMES):
        which = (turn + turn // 2) % 2  # A B B A: whatever drifts, drifts for both
        begun = time.perf_counter()
        told((first, second)[which])  # type: ignore[arg-type]
        spent[which].append(time.perf_counter() - begun)
    ranked = sorted(spent[1])
    below = sum(bisect_left(ranked, t) + bisect_right(ranked, t) for t in spent[0]) / 2
    return abs(below / (len(spent[0]) * len(spent[1])) - 0.5)


def test_time_tells_them_apart_by_nothing_and_a_planted_leak_is_seen(world: Line) -> None:
    """Another's parcel and none; and the measure is not blind: queries more are seen."""
    token = world.token("courier-88", "pda-88")

    def look(key: str) -> Callable[[], object]:
        return lambda: world.engine.ask(token, Query("read", "waybill", key=key))

    hidden, nothing = look(world.key("load-89")), look(NOWHERE)
    assert min(apart(hidden, nothing) for _ in range(2)) < BOUND
    real = world.engine._door

    class Chatty:
        """A directory that reads more where there is something to read."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real.directory, name)

        def facts(self, who: Any, request: Any) -> Any:
            found = real.directory.facts(who, request)
            for _ in range(3 if found.resource else 0):
                real.directory.facts(who, request)
            return found

    world.lie("directory", lambda _: Chatty())
    try:
        assert apart(hidden, nothing) > BOUND
    finally:
        world.lie("directory", lambda _: real.directory)
