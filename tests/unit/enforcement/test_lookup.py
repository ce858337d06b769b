"""The lookup line, number by number: what each refuses, and in what order it walks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.company import request
from tests.contract.till import Till
from tests.line_world import Line

from acl_engine.domain.budgets import Seen
from acl_engine.domain.control import Refusal
from acl_engine.domain.decision import CLEAR
from acl_engine.domain.errors import (
    AccessDenied,
    ActRefused,
    AuditUnavailable,
    InputError,
    StoreError,
)
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Query, Request
from acl_engine.domain.scope import EVERYTHING, Scope
from acl_engine.domain.text import Message, Text

BROKEN = Text("test.broken", "坏", "broken")
SECRET = "19012345678"


def refused(line: Line, token: str, query: Query) -> tuple[AccessDenied, Any]:
    with pytest.raises(AccessDenied) as caught:
        line.engine.ask(token, query)
    return caught.value, line.entries(caught.value.request_id)[-1]


def test_an_answer_walks_the_numbers_in_order(line: Line) -> None:
    """The intent is written before anything is fetched, the outcome before the answer leaves."""
    token = line.token("courier-88", "pda-88")
    answer = line.engine.ask(token, line.read("load-1"))
    assert line.calls == [
        "sessions.resolve",
        "directory.facts",
        "decider.decide",
        "budgets.reserve",
        "audit.append",
        "records.find",
        "decider.judge",
        "budgets.settle",
        "audit.append",
    ]
    assert "recipient_name" in answer.views[0].fields
    assert "recipient_phone" not in answer.views[0].fields


def test_10_one_person_more_than_fits_suspends_and_is_said_aloud(line: Line) -> None:
    """Half a person is left of a limit that freezes: the look shows a whole one, and is not
    answered; the next one is nobody's."""
    token = line.token("courier-88", "pda-88")
    limit = BudgetLimit("person", "30d", 1, "persons", "address", then="freeze")
    store = Till(line.stage.database, [limit], line.stage.clock)
    who = line.engine._door.sessions.resolve(token)
    half = store.reserve(who, request(), 1, {"address": 50})
    store.settle(half, 1, [Seen("address", "x", 50)])
    said: list[Message] = []
    line.lie("budgets", lambda _: store.store)
    line.lie("alarm", lambda _: said.append)
    _, entry = refused(line, token, line.read("load-1"))
    assert (entry.line, entry.controls, entry.reason) == ("10", ("budget",), "budget.frozen")
    assert [one.code for one in said] == ["budget.froze"]
    _, entry = refused(line, token, line.read("load-1"))
    assert entry.line == "0"


def test_steps_are_named_to_the_hook(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    steps: list[str] = []
    line.lie("step", lambda _: steps.append)
    line.engine.ask(token, line.read("load-1"))
    assert steps == [*"01234", "5", "7", "8", "9", "10", "11"]


def test_0_an_unknown_token_is_refused_and_recorded(line: Line) -> None:
    _, entry = refused(line, "no such token", line.read("load-1"))
    assert (entry.line, entry.effect, entry.account) == ("0", "deny", None)
    assert "records.find" not in line.calls


def test_1_unknown_words_are_told_and_recorded(line: Line) -> None:
    """A word that does not exist is the caller's mistake; it stays on record all the same."""
    token = line.token("courier-88", "pda-88")
    for query in (
        Query("steal", "waybill", key="x"),
        Query("read", "people", key="x"),
        replace(line.read("load-1"), fields=("shoe_size",)),
        replace(line.read("load-1"), purpose=f"call {SECRET}"),
        Query("read", "waybill"),
    ):
        line.calls.clear()
        with pytest.raises(InputError) as caught:
            line.engine.ask(token, query)
        assert SECRET not in str(caught.value)
        assert line.calls.count("audit.append") == 1
        assert "records.find" not in line.calls


@pytest.mark.parametrize(
    "written", [SECRET, f"+86 {SECRET}", "１９０１２３４５６７８", "190-1234-5678"]
)
@pytest.mark.parametrize("action", ["read", "search", "reverse_lookup"])
def test_1_a_search_by_phone_is_a_reverse_lookup(line: Line, action: str, written: str) -> None:
    """Whatever it is called and however the number is written."""
    token = line.token("sup-0413", "pc-22")
    query = Query(action, "waybill", key=None, by={"phone": written})
    _, entry = refused(line, token, query)
    assert (entry.action, entry.line) == ("reverse_lookup", "3")
    assert "no-reverse-lookup" in entry.controls


@pytest.mark.parametrize("by", [{"route": "*"}, {"phone": "190%"}, {"recipient_name": "王?"}])
def test_1_no_wildcards(line: Line, by: dict[str, str]) -> None:
    token = line.token("sup-0413", "pc-22")
    _, entry = refused(line, token, Query("search", "waybill", by=by))
    assert (entry.line, entry.controls) == ("1", ("search-shape",))


@pytest.mark.parametrize("whose", ["recipient", "sender"])
def test_1_a_customers_id_is_no_criterion(line: Line, whose: str) -> None:
    """It gathers one person's parcels as well as their phone does."""
    token = line.token("keeper-07", "pc-31")
    query = Query("search", "waybill", by={whose: "k-neighbour"})
    _, entry = refused(line, token, query)
    assert (entry.line, entry.controls) == ("1", ("search-shape",))


def test_3_no_right_is_refused_by_name(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    _, entry = refused(line, token, line.read("load-89"))
    assert entry.line == "3"
    assert "assignment-scope" in entry.controls
    assert "records.find" not in line.calls


def test_4_a_spent_budget_is_refused(line: Line) -> None:
    token = line.token("courier-88", "pda-88")

    class Spent:
        def reserve(self, *_: object, **__: object) -> None:
            raise ActRefused(Refusal("?", ("budget",), None, "budget.spent"))

    line.lie("budgets", lambda _: Spent())
    _, entry = refused(line, token, line.read("load-1"))
    assert (entry.line, entry.controls) == ("4", ("budget",))


def test_6_every_denial_has_the_same_bytes(line: Line) -> None:
    """Unknown key, another's parcel, a dead session: only the request id differs."""
    token = line.token("courier-88", "pda-88")
    asked = [
        (token, line.read("load-89")),
        (token, Query("read", "waybill", key="SF0000000000000")),
        ("dead", line.read("load-1")),
        (token, Query("search", "waybill", by={"phone": SECRET})),
    ]
    texts = set()
    for who, query in asked:
        denied, _ = refused(line, who, query)
        for lang in ("zh", "en"):
            texts.add((lang, denied.render(lang).replace(denied.request_id, "ID")))  # type: ignore[arg-type]
        assert vars(denied).keys() == {"message", "where", "request_id"}
        assert len(denied.request_id) == 16
    assert len(texts) == 2


@pytest.mark.parametrize("parcel", ["load-89", None])
def test_6_a_refusal_does_the_same_work(line: Line, parcel: str | None) -> None:
    """An unknown key and another's parcel ask the same ports in the same order."""
    token = line.token("courier-88", "pda-88")
    key = line.key(parcel) if parcel else "SF0000000000000"
    refused(line, token, Query("read", "waybill", key=key))
    assert line.calls == ["sessions.resolve", "directory.facts", "decider.decide", "audit.append"]


def test_7_gone_since_the_decision_is_a_denial(line: Line) -> None:
    """Not an empty answer: that would tell it from a record that was never there."""
    token = line.token("courier-88", "pda-88")
    line.lie("records", lambda real: Lying(real, lambda rows: []))
    _, entry = refused(line, token, line.read("load-1"))
    assert (entry.line, entry.kind, entry.effect) == ("7", "outcome", "deny")


class Lying:
    """A store that changes what it found."""

    def __init__(self, real: Any, change: Any) -> None:
        self._real, self._change = real, change

    def find(self, request: Request, scope: Scope) -> Sequence[PersonalRecord]:
        rows: Sequence[PersonalRecord] = self._change(self._real.find(request, scope))
        return rows


def test_8_a_store_that_ignores_the_scope(line: Line) -> None:
    """One row outside of the rights makes the whole answer a denial at 8, and frees the budget."""
    token = line.token("courier-88", "pda-88")

    class Unscoped:
        def __init__(self, real: Any) -> None:
            self._real = real

        def find(self, request: Request, scope: Scope) -> Any:
            return self._real.find(
                replace(request, by=(("stage", "OUT_FOR_DELIVERY"),)), EVERYTHING
            )

    line.lie("records", Unscoped)
    query = Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"})
    _, entry = refused(line, token, query)
    assert entry.line == "8"
    assert "assignment-scope" in entry.controls
    assert line.calls.count("budgets.release") == 1
    assert "budgets.settle" not in line.calls


def test_8_a_store_that_gives_another_record(line: Line) -> None:
    """Even one that the person may see: it is not what was asked for and recorded."""
    token = line.token("courier-88", "pda-88")
    other = line.engine._door.records

    def swap(rows: Sequence[PersonalRecord]) -> Sequence[PersonalRecord]:
        return [replace(row, key=line.key("load-2")) for row in rows]

    line.lie("records", lambda real: Lying(other, swap))
    _, entry = refused(line, token, line.read("load-1"))
    assert (entry.line, entry.reason) == ("8", "store.other-record")


def test_10_the_outcome_names_what_was_shown(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    answer = line.engine.ask(token, line.read("load-1"))
    intent, outcome = line.entries(answer.request_id)
    assert (intent.kind, outcome.kind) == ("intent", "outcome")
    assert set(outcome.fields) == set(answer.views[0].fields)
    assert outcome.count == 1
    assert outcome.watermark == answer.views[0].watermark
    assert line.key("load-1") not in repr(intent) + repr(outcome)


@pytest.mark.parametrize(
    ("port", "number"),
    [
        ("sessions.resolve", "0"),
        ("directory.facts", "2"),
        ("decider.decide", "3"),
        ("budgets.reserve", "4"),
        ("records.find", "7"),
        ("decider.judge", "8"),
        ("budgets.settle", "10"),
    ],
)
@pytest.mark.parametrize("kind", [RuntimeError, AttributeError, OSError])
def test_any_failure_of_any_port_is_a_denial(
    line: Line, port: str, number: str, kind: type[Exception]
) -> None:
    """Of a kind that nobody foresaw, too; its text, which may quote data, goes nowhere."""
    token = line.token("courier-88", "pda-88")
    line.fails[port] = kind(f"{SECRET} exploded")
    denied, entry = refused(line, token, line.read("load-1"))
    assert entry.line == number
    assert SECRET not in repr(entry) + repr(denied) + str(denied)
    assert denied.__cause__ is None
    assert denied.__suppress_context__


def test_a_broken_store_is_the_operators_to_mend(line: Line) -> None:
    """It is raised as itself, after it was written down."""
    token = line.token("courier-88", "pda-88")
    line.fails["records.find"] = StoreError(BROKEN.of())
    with pytest.raises(StoreError):
        line.engine.ask(token, line.read("load-1"))
    assert line.calls[-2:] == ["budgets.release", "audit.append"]


@pytest.mark.parametrize("error", [AuditUnavailable(BROKEN.of()), OSError(SECRET)])
def test_no_audit_no_fetch(line: Line, error: Exception) -> None:
    """If the intent cannot be written nothing is fetched, and nothing was set aside."""
    token = line.token("courier-88", "pda-88")
    line.fails["audit.append"] = error
    with pytest.raises(AuditUnavailable) as caught:
        line.engine.ask(token, line.read("load-1"))
    assert SECRET not in str(caught.value)
    assert "records.find" not in line.calls
    assert line.calls[-1] == "audit.append"
    with line.stage.database.read() as cx:
        assert cx.exec_driver_sql("SELECT count(*) FROM budget_reservations").scalar() == 0


def test_a_release_that_fails_does_not_hide_the_refusal(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    line.fails["budgets.release"] = StoreError(BROKEN.of())
    line.fails["records.find"] = RuntimeError()
    _, entry = refused(line, token, line.read("load-1"))
    assert entry.line == "7"


class HiddenKey:
    """Rights that show the route and not the number."""

    def __init__(self, real: Any) -> None:
        self._real, self.version = real, real.version

    def decide(self, *asked: Any) -> Any:
        return replace(self._real.decide(*asked), grants={"route": CLEAR})

    def judge(self, *asked: Any) -> Any:
        return replace(self._real.judge(*asked), grants={"route": CLEAR})


def test_pages_follow_each_other(line: Line) -> None:
    token = line.token("courier-88", "pda-88")
    query = Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"}, limit=2)
    first = line.engine.ask(token, query)
    assert first.next is not None
    second = line.engine.ask(token, replace(query, after=first.next))
    assert not {view.handle for view in first.views} & {view.handle for view in second.views}


def test_no_page_begins_at_a_key_that_is_not_shown(line: Line) -> None:
    """The next page's key would be the hidden number; halving `after` would tell the others."""
    token = line.token("courier-88", "pda-88")
    line.lie("decider", HiddenKey)
    query = Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"}, limit=2)
    answer = line.engine.ask(token, query)
    assert answer.next is None
    numbers = {one.waybill_no for one in line.stage.truth.parcels}
    assert not numbers & {view.handle for view in answer.views}
    _, entry = refused(line, token, replace(query, after=line.key("load-1")))
    assert entry.reason == "search-shape.after"
