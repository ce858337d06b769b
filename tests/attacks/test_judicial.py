"""C12: what is asked for in the name of the law leaves by two persons, sealed, never read here."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest
from tests.line_world import Line

from acl_engine.bootstrap.judicial import new_key, opened, request, seal
from acl_engine.domain.errors import AccessDenied, AclError, InputError
from acl_engine.domain.judicial import Delivered
from acl_engine.domain.pack_settings import Authority, BudgetLimit
from acl_engine.domain.request import Query
from acl_engine.storage.budget_use import account_of, uses
from acl_engine.storage.budgets import BudgetStore

PRIVATE, PUBLIC = new_key()
LIAISON, FIRST, SECOND = ("legal-01", "pc-24"), ("dpo-01", "pc-23"), ("dpo-02", "")
PAPER = {
    "document": "深公宝调证字〔2026〕0117号",
    "image": "ab" * 32,
    "officers": "044-1023 044-1107",
    "authority": "district-police",
}


def _token(line: Line, who: tuple[str, str]) -> str:
    login, device = who
    return line.token(login, device or line.stage.truth.world.staff[login].member.device)


@pytest.fixture
def desk(line: Line) -> Line:
    """The line, with an authority whose private key this test holds."""
    door = line.engine._door
    known = MappingProxyType({PAPER["authority"]: Authority(PUBLIC, "分局", "police")})
    settings = door.pack.settings
    judicial = replace(settings.judicial, authorities=known)
    pack = replace(door.pack, settings=replace(settings, judicial=judicial))
    line.engine._door = replace(door, pack=pack)
    return line


def _query(line: Line, parcel: str = "victim-delivered", **changed: str) -> Query:
    return request(line.key(parcel), (), "judicial", PAPER | changed)


def _agreed(line: Line, token: str, query: Query, *approvers: tuple[str, str]) -> str:
    case = line.engine.judicial.ask(token, query).made
    for one in approvers:
        line.engine.approvals.approve(_token(line, one), case, image=PAPER["image"])
    return case


def _line_of(line: Line, denied: AccessDenied) -> tuple[str, tuple[str, ...]]:
    last = line.entries(denied.request_id)[-1]
    return last.line, last.controls


def test_the_authority_alone_reads_what_two_agreed_to(desk: Line) -> None:
    token, query = _token(desk, LIAISON), _query(desk)
    case = _agreed(desk, token, query, FIRST, SECOND)
    made = desk.engine.judicial.deliver(token, query, case)
    told = json.loads(opened(PRIVATE, made.body))
    key = desk.key("victim-delivered")
    truth = next(one for one in desk.stage.truth.by_name.values() if one.key == key).fields
    assert told["fields"]["recipient_phone"] == truth["recipient_phone"]
    assert told["document"] == PAPER["document"]
    _nothing_clear(made, truth)
    with pytest.raises(InputError):
        opened(new_key()[0], made.body)
    entry = desk.engine.judicial.register()[0]
    assert entry.delivered == made.disclosure
    assert len(entry.case.approvers) == 2
    with pytest.raises(AccessDenied) as again:  # a grant is used once
        desk.engine.judicial.deliver(token, query, case)
    assert _line_of(desk, again.value) == ("4", ("judicial-approval",))


def _nothing_clear(made: Delivered, truth: dict[str, str]) -> None:
    said = made.body.decode() + repr(made.disclosure)
    for name in ("recipient_name", "recipient_phone", "unit", "sender_phone"):
        assert truth[name] not in said, name


def _persons(line: Line) -> dict[str, float]:
    limits = [one for one in line.stage.site.pack.settings.budgets if one.per == "person"]
    liaison = account_of(line.stage.database, LIAISON[0])
    assert liaison is not None
    found = uses(line.stage.database, limits, line.stage.clock, liaison)
    return {one.limit.data: one.used for one in found if one.limit.of == "persons"}


def test_a_budget_counts_whom_a_result_shows(desk: Line) -> None:
    """Sender and recipient, by kind of data, though nobody here reads it; asking shows nobody."""
    token, query = _token(desk, LIAISON), _query(desk)
    case = _agreed(desk, token, query, FIRST, SECOND)
    assert set(_persons(desk).values()) == {0}
    desk.engine.judicial.deliver(token, query, case)
    shown = _persons(desk)
    assert (shown["phone"], shown["name"], shown["id_number"], shown["whereabouts"]) == (2, 2, 1, 1)


def test_past_its_budget_no_result_leaves(desk: Line) -> None:
    """Two persons' agreement does not lift what one person's office may show."""
    token, query = _token(desk, LIAISON), _query(desk)
    case = _agreed(desk, token, query, FIRST, SECOND)
    tight = [BudgetLimit("person", "30d", 1, "persons", "phone")]
    desk.lie("budgets", lambda _: BudgetStore(desk.stage.database, tight, desk.stage.clock))
    with pytest.raises(AccessDenied) as caught:
        desk.engine.judicial.deliver(token, query, case)
    assert _line_of(desk, caught.value) == ("10", ("budget",))
    with desk.stage.database.read() as cx:
        assert cx.exec_driver_sql("SELECT count(*) FROM judicial_deliveries").scalar() == 0


def test_one_approver_is_not_two(desk: Line) -> None:
    token, query = _token(desk, LIAISON), _query(desk)
    case = _agreed(desk, token, query, FIRST)
    with pytest.raises(AccessDenied) as denied:
        desk.engine.judicial.deliver(token, query, case)
    assert _line_of(desk, denied.value) == ("4", ("judicial-approval",))
    with pytest.raises(AccessDenied):  # nor the same person twice
        desk.engine.approvals.approve(_token(desk, FIRST), case, image=PAPER["image"])


def test_nobody_agrees_to_a_paper_that_they_do_not_hold(desk: Line) -> None:
    """Through whatever door: without the image, or with another, it is no agreement."""
    case = desk.engine.judicial.ask(_token(desk, LIAISON), _query(desk)).made
    token = _token(desk, FIRST)
    for held in (None, "", "cd" * 32):
        with pytest.raises(AccessDenied) as denied:
            desk.engine.approvals.approve(token, case, image=held)
        assert _line_of(desk, denied.value) == ("7", ("judicial-approval",))
    assert desk.engine.approvals.approve(token, case, image=PAPER["image"]).made == "ASKED"
    ordinary = desk.engine.approvals.ask(
        _token(desk, ("claims-03", "pc-13")), desk.key("victim-delivered"), "precheck"
    ).made
    with pytest.raises(AccessDenied):  # nor is a paper put to a case that has none
        desk.engine.approvals.approve(
            _token(desk, ("region-01", "pc-17")), ordinary, image=PAPER["image"]
        )


@pytest.mark.parametrize(
    "changed",
    [{"image": "cd" * 32}, {"document": "深公宝调证字〔2026〕0118号"}, {"officers": "1 2"}],
)
def test_another_paper_or_parcel_needs_another_agreement(
    desk: Line, changed: dict[str, str]
) -> None:
    token, query = _token(desk, LIAISON), _query(desk)
    case = _agreed(desk, token, query, FIRST, SECOND)
    for other in (
        _query(desk, **changed),
        _query(desk, "pickup-1"),
        replace(query, fields=("item",)),
    ):
        with pytest.raises(AccessDenied) as denied:
            desk.engine.judicial.deliver(token, other, case)
        assert _line_of(desk, denied.value)[0] == "4"


def test_the_liaison_cannot_name_a_key_or_an_authority(desk: Line) -> None:
    token = _token(desk, LIAISON)
    for changed in ({"authority": "my-cousin"}, {"authority": ""}):
        with pytest.raises(InputError) as refused:
            desk.engine.judicial.ask(token, _query(desk, **changed))
        assert refused.value.message.code == "judicial.authority"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"document": "13812345678"}, "judicial.document"),
        ({"document": "张三 的手机"}, "judicial.document"),
        ({"image": "no digest"}, "judicial.image"),
        ({"officers": "044-1023"}, "judicial.officers"),
        ({"officers": "044-1023 044-1023"}, "judicial.officers"),
        ({"officers": "13812345678 044-1023"}, "judicial.officers"),
    ],
)
def test_a_paper_that_is_none_is_refused_by_name(
    desk: Line, changed: dict[str, str], code: str
) -> None:
    with pytest.raises(InputError) as refused:
        desk.engine.judicial.ask(_token(desk, LIAISON), _query(desk, **changed))
    assert refused.value.message.code == code


def test_nobody_reads_by_a_granted_request_and_nobody_else_asks(desk: Line) -> None:
    token, query = _token(desk, LIAISON), _query(desk)
    _agreed(desk, token, query, FIRST, SECOND)
    read = Query("read", "waybill", query.key, purpose="judicial")
    for look in (read, query):  # by the lookup line, as itself and as a disclosure
        with pytest.raises(AclError):
            desk.engine.ask(token, look)
    for who in (("courier-88", "pda-88"), ("claims-03", "pc-13"), FIRST):
        with pytest.raises(AccessDenied):
            desk.engine.judicial.ask(_token(desk, who), query)


def test_the_size_of_a_sealed_result_tells_nothing(desk: Line) -> None:
    short, long_ = (seal(PUBLIC, "A-1", text.ljust(4096)) for text in (b"{}", b"{}" + b"x" * 900))
    assert len(short) == len(long_)


def test_a_sealed_result_that_was_changed_or_renamed_does_not_open() -> None:
    body = seal(PUBLIC, "A-1", b"secret")
    assert opened(PRIVATE, body) == b"secret"
    renamed = body.replace(b"A-1", b"A-2")
    for other in (renamed, b"{}", b"[1]", b"\xff", body[:-9]):
        with pytest.raises(InputError):
            opened(PRIVATE, other)
    for key in ("", "x", "é", "AAAA"):
        with pytest.raises(InputError):
            opened(key, body)
