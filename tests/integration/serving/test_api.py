"""Looks, acts, calls and questions over HTTP are the engine's own, with its records."""

import re
from typing import Any

import pytest

from tests.api_world import Api

PHONE = re.compile(r"(?<![0-9a-f])1[0-9]{10}(?![0-9a-f])")


def entries(api: Api, request: str) -> list[Any]:
    return api.service.engine.audit.of_request(request)


def look(api: Api, parcel: str, token: str | None = None) -> Any:
    return api.post("/v1/lookup", {"key": api.key(parcel)}, token or api.token("courier-88"))


def test_a_courier_sees_the_next_stop_masked_and_on_record(api: Api) -> None:
    answer = look(api, "load-1")
    assert answer.status == 200, answer.text
    said = answer.json()
    (shown,) = said["views"]
    assert shown["fields"]["route"]
    assert "recipient_phone" not in shown["fields"]
    assert not PHONE.search(answer.text)
    assert shown["watermark"]
    assert [one.kind for one in entries(api, said["request"])] == ["intent", "outcome"]


def test_denials_look_the_same_whatever_the_cause(api: Api) -> None:
    """Another's parcel, one that is not there, and a dead session: 403, equal but for an id."""
    answers = [
        look(api, "load-89"),
        api.post("/v1/lookup", {"key": "YT0000000000000"}, api.token("courier-88")),
        api.post("/v1/lookup", {"key": api.key("load-1")}, "0" * 64),
    ]
    texts = set()
    for answer in answers:
        assert answer.status == 403
        number = re.search(r"`([0-9a-f]{16})`", answer.json()["title"])
        assert number is not None
        assert entries(api, number[1])[-1].effect == "deny"
        said = answer.json() | {"request": "", "title": ""}
        texts.add((str(said), answer.json()["title"].replace(number[1], "")))
    assert len(texts) == 1


def test_a_search_by_phone_is_refused_whatever_it_is_called(api: Api) -> None:
    for action in ("search", "reverse_lookup"):
        body = {"by": {"phone": "19012345678"}, "action": action}
        answer = api.post("/v1/search", body, api.token("courier-88"))
        assert answer.status == 403


def test_a_search_pages_through_the_load(api: Api) -> None:
    body = {"by": {"stage": "OUT_FOR_DELIVERY"}, "limit": 2}
    answer = api.post("/v1/search", body, api.token("courier-88"))
    assert answer.status == 200, answer.text
    first = answer.json()
    assert len(first["views"]) == 2
    more = api.post("/v1/search", body | {"after": first["next"]}, api.token("courier-88"))
    handles = {one["handle"] for one in first["views"]}
    assert handles.isdisjoint(one["handle"] for one in more.json()["views"])


def test_a_call_is_made_without_a_number(api: Api) -> None:
    token = api.token("courier-88")
    given = api.post("/v1/dial", {"key": api.key("load-1")}, token)
    assert given.status == 200, given.text
    capability = given.json()["capability"]
    called = api.post("/v1/call", {"capability": capability}, token)
    assert called.status == 200, called.text
    assert called.json()["outcome"] in {"answered", "busy", "no-answer", "off"}
    again = api.post("/v1/call", {"capability": capability}, token)
    assert again.status == 403
    assert not PHONE.search(given.text + called.text)


def test_an_act_moves_custody(api: Api) -> None:
    body = {"key": api.key("keeper-parcel"), "action": "scan_out"}
    token = api.token("keeper-07")
    incomplete = api.post("/v1/act", body, token)
    assert incomplete.status == 422
    done = api.post("/v1/act", body | {"params": {"to_unit": "ba-shajing"}}, token)
    assert done.status == 200, done.text
    assert entries(api, done.json()["request"])[-1].action == "scan_out"


def test_only_who_may_ask_the_log_is_answered_and_every_question_is_on_record(
    api: Api,
) -> None:
    seen = look(api, "load-2").json()["request"]
    asked = {"subject": api.key("load-2")}
    refused = api.post("/v1/audit/who-saw", asked, api.token("courier-88"))
    assert refused.status == 403
    auditor = api.token("auditor-01")
    told = api.post("/v1/audit/who-saw", asked, auditor)
    assert told.status == 200, told.text
    assert seen in {one["request"] for one in told.json()["records"]}
    assert not PHONE.search(told.text)
    mine = api.post("/v1/audit/account", {"account": "auditor-01"}, auditor).json()["records"]
    assert "audit.who-saw" in {one["action"] for one in mine}
    theirs = api.post("/v1/audit/account", {"account": "courier-88"}, auditor).json()["records"]
    assert "audit.ask" in {one["action"] for one in theirs if one["effect"] == "deny"}


def test_a_mark_on_a_photograph_leads_to_the_session(api: Api) -> None:
    shown = look(api, "load-3").json()
    mark = {"mark": shown["views"][0]["watermark"]}
    told = api.post("/v1/audit/mark", mark, api.token("auditor-01"))
    assert told.status == 200, told.text
    assert {one["account"] for one in told.json()["records"]} == {"courier-88"}


def test_login_refusals_are_alike(api: Api) -> None:
    good = api.credentials("courier-89")
    stolen = good["device"] | {"signature": "AAAA"}
    for wrong in (
        {"login": "nobody-1"},
        {"password": "x"},
        {"code": "000000"},
        {"device": stolen},
        {"device": None},
    ):
        answer = api.post("/v1/login", good | wrong)
        assert answer.status == 403
        assert answer.json()["type"].endswith("denied")


def test_who_logged_out_is_out(api: Api) -> None:
    token = api.log_in("courier-89")
    assert look(api, "load-89", token).status == 200
    assert api.post("/v1/logout", token=token).status == 204
    assert look(api, "load-89", token).status == 403
    assert api.post("/v1/logout", token=token).status == 401


# --- applications ------------------------------------------------------------------------------


def question(api: Api, parcel: str, account: str = "courier-88", **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "account", "id": account},
        "action": {"name": "read"},
        "resource": {"type": "waybill", "id": api.key(parcel)},
        **more,
    }


def decided(api: Api, body: Any, token: str) -> bool:
    answer = api.post("/access/v1/evaluation", body, token)
    assert answer.status == 200, answer.text
    assert set(answer.json()) == {"decision"}
    return bool(answer.json()["decision"])


def test_a_decision_is_about_a_live_person_and_live_facts(api: Api) -> None:
    service = api.credential("evaluation")
    api.token("courier-88")
    assert decided(api, question(api, "load-1"), service)
    assert not decided(api, question(api, "load-89"), service)
    assert not decided(api, question(api, "load-1", "courier-90"), service), "not logged in"
    assert not decided(api, question(api, "load-1", "nobody"), service)
    assert not decided(api, question(api, "load-1") | {"action": {"name": "fly"}}, service)


def test_what_the_caller_says_of_a_record_grants_nothing(api: Api) -> None:
    """AuthZEN lets properties and context come along: facts are looked up, not believed."""
    service = api.credential("evaluation")
    claims = {"assigned": True, "courier": "courier-88", "on_shift": True, "role": "claims"}
    body = question(api, "load-89", context=claims)
    body["subject"]["properties"] = body["resource"]["properties"] = claims
    assert not decided(api, body, service)


def test_a_service_credential_is_for_its_purpose_and_opens_no_data(api: Api) -> None:
    for purpose in ("scim", "metrics"):
        answer = api.post("/access/v1/evaluation", question(api, "load-1"), api.credential(purpose))
        assert answer.status == 401
    assert look(api, "load-1", api.credential("evaluation")).status == 403
    own = api.post("/access/v1/evaluation", question(api, "load-1"), api.token("courier-88"))
    assert own.status == 401, "a person's session is no application"


def ticket(api: Api, token: str, url: str) -> str:
    login = api.service.central.login
    return login.enter(login.sessions.resolve(token), url, fresh=False).ticket


def test_an_application_brings_a_ticket_and_looks_as_its_person(api: Api) -> None:
    person = api.token("courier-88")
    one = ticket(api, person, "https://login.example/v1/")
    entered = api.post("/v1/ticket", {"ticket": one})
    assert entered.status == 200, entered.text
    token = entered.json()["token"]
    seen = look(api, "load-1", token)
    assert seen.status == 200, seen.text
    assert entries(api, seen.json()["request"])[-1].account == "courier-88"
    assert decided(api, question(api, "load-1"), token)
    assert not decided(api, question(api, "load-89", "courier-89"), token)
    assert api.post("/v1/ticket", {"ticket": one}).status == 403, "a ticket is good once"
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert look(api, "load-1", forged).status == 403


def test_a_ticket_for_another_application_opens_nothing(api: Api) -> None:
    other = ticket(api, api.token("courier-88"), "https://query.example/")
    assert api.post("/v1/ticket", {"ticket": other}).status == 403


def test_an_applications_token_dies_with_its_persons_session(api: Api) -> None:
    person = api.log_in("courier-89")
    token = api.post(
        "/v1/ticket", {"ticket": ticket(api, person, "https://login.example/v1/")}
    ).json()["token"]
    assert look(api, "load-89", token).status == 200
    api.post("/v1/logout", token=person)
    assert look(api, "load-89", token).status == 403


def test_an_evaluation_keeps_nobodys_session_young(api: Api) -> None:
    """It is not the person who asks: who went away is logged out all the same."""
    service = api.credential("evaluation")
    api.log_in("courier-89")
    body = question(api, "load-89", "courier-89")
    for _ in range(4):
        assert decided(api, body, service)
        api.clock.advance(9 * 60)
    assert not decided(api, body, service)
    api.tokens.clear()


@pytest.mark.parametrize("number", ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "13800138000"])
def test_a_callers_own_number_comes_back_unless_it_could_be_a_persons(
    api: Api, number: str
) -> None:
    headers = (("content-type", "application/json"), ("x-request-id", number))
    service = api.credential("evaluation")
    answer = api.post("/access/v1/evaluation", question(api, "load-1"), service, headers=headers)
    assert (answer.header("x-request-id") == number) == ("-" in number)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b'{"key": "a", "key": "b"}', 400),
        (b'{"key": NaN}', 400),
        (b'{"key": "\\ud800"}', 400),
        (b'{"key": "a\\u0000b"}', 400),
        (b'{"key": "a", "colour": "red"}', 400),
        (b'{"key": "' + b"a" * 201 + b'"}', 400),
        (b'{"key": "a", "fields": ["no_such_field"]}', 422),
        (b'{"key": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
        (b'{"key": "' + b"a" * 70_000 + b'"}', 413),
    ],
    ids=range(13),
)
def test_bad_bodies_get_one_clear_line(api: Api, raw: bytes, status: int) -> None:
    answer = api.post("/v1/lookup", token=api.token("courier-88"), raw=raw)
    assert answer.status == status, answer.text
    said = answer.json()
    assert said["title"]
    assert "\n" not in said["title"]
    assert answer.header("content-type") == "application/problem+json"


def test_another_type_of_body_is_refused(api: Api) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = api.post(
            "/v1/lookup", {"key": "a"}, api.token("courier-88"), headers=(("content-type", kind),)
        )
        assert answer.status == 415


def test_without_a_token_nothing_is_answered(api: Api) -> None:
    for path in ("/v1/lookup", "/v1/search", "/v1/audit/who-saw", "/access/v1/evaluation"):
        answer = api.post(path, {})
        assert answer.status == 401
        assert answer.header("www-authenticate") == "Bearer"


def test_a_right_for_minutes_is_asked_for_and_given_by_another(api: Api) -> None:
    """Asked for by one, listed for and answered by a second, and looked at afterwards."""
    claims = api.token("claims-03")
    wanted = {"key": api.key("victim-delivered"), "purpose": "precheck"}
    asked = api.post("/v1/approval/ask", wanted, claims)
    assert asked.status == 200, asked.text
    case = asked.json()["made"]
    agree = {"case": case, "answer": "approve"}
    assert api.post("/v1/approval/answer", agree, claims).status == 403, "not by oneself"
    region = api.log_in("region-01")
    listed = api.post("/v1/approval/list", {}, region)
    assert case in {one["handle"] for one in listed.json()["views"]}, listed.text
    assert api.post("/v1/approval/open", {"case": case}, region).status == 200
    answered = api.post("/v1/approval/answer", agree, region)
    assert answered.status == 200, answered.text
    assert answered.json()["made"] == "GRANTED"
    unknown = api.post("/v1/approval/ask", wanted | {"purpose": "curiosity"}, claims)
    assert unknown.status == 422
    assert api.post("/v1/approval/review", {"case": case, "sound": True}, region).status == 403
