"""Attacks on the central login, by name; each mistake of another server is a test here."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text, update
from tests.asgi import call
from tests.cas_world import (
    APP,
    BACK,
    CALLBACK,
    OTHER,
    Browser,
    Page,
    Portal,
    Verdict,
    answer_of,
    portal,
)
from tests.identity_world import PASSWORD

from acl_engine.domain.errors import AuditUnavailable
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.group_commit import NOT_DURABLE
from acl_engine.storage.tables import accounts, devices, persons, sessions


@pytest.fixture
def home(database: Database) -> Portal:
    return portal(database)


@pytest.fixture
def small(sqlite_url: str) -> Portal:
    """For what has nothing to do with the database: SQLite alone."""
    return portal(Database.open(sqlite_url))


def reasons(home: Portal, action: str) -> list[tuple[str, tuple[str, ...]]]:
    """Reason and controls of every refusal of an action that is on record."""
    entries = [one for _, one in home.engine.audit.entries() if one.action == action]
    return [(one.reason, one.controls) for one in entries if one.effect == "deny"]


# --- the honest way -----------------------------------------------------------------------------


def test_the_honest_courier_enters_and_the_application_learns_what_it_is_due(home: Portal) -> None:
    browser = Browser(home)
    assert browser.open().status == 200
    ticket = browser.log_in()
    assert browser.location == f"{APP}?ticket={ticket}"
    assert re.fullmatch(r"ST-[A-Za-z0-9]{29}", ticket)
    seen = home.validate(ticket)
    assert seen.user == "courier-1"
    assert seen.values("name") == ["p1"]
    assert seen.values("role") == ["courier", "staff"]
    assert seen.values("isFromNewLogin") == ["true"]
    assert seen.values("unit") == []


def test_the_second_application_asks_for_no_password(home: Portal) -> None:
    browser = Browser(home)
    browser.log_in()
    browser.open(OTHER)
    seen = home.validate(browser.ticket, OTHER)
    assert seen.user == "courier-1"
    assert seen.values("isFromNewLogin") == ["false"]


# --- tickets ------------------------------------------------------------------------------------


def test_a_ticket_offered_by_eight_at_once_is_good_once(home: Portal) -> None:
    browser = Browser(home)
    browser.log_in()
    for _ in range(5):
        browser.open()
        ticket = browser.ticket
        with ThreadPoolExecutor(8) as pool:
            seen = [one.user for one in pool.map(home.validate, [ticket] * 8)]
        assert sorted(map(str, seen)) == ["None"] * 7 + ["courier-1"]


def test_a_ticket_offered_by_eight_at_once_makes_one_callback(home: Portal) -> None:
    """The callback is made by whoever used the ticket up, with the grant's record."""
    ticket = Browser(home).log_in()
    with ThreadPoolExecutor(8) as pool:
        offers = [pool.submit(home.validate, ticket, pgtUrl=CALLBACK) for _ in range(8)]
    assert sorted(str(one.result().user) for one in offers) == ["None"] * 7 + ["courier-1"]
    assert len(home.outside.called) == 1
    granted = [one for _, one in home.engine.audit.entries() if one.action == "cas.grant"]
    assert len(granted) == 1
    assert reasons(home, "cas.validate") == [("cas.used", ("single-use-tickets",))] * 7


def test_tickets_of_many_at_once_are_each_their_own(home: Portal) -> None:
    """Those that share a commit do not answer for each other: the misused alone are refused."""
    browser = Browser(home)
    tickets = [browser.log_in()]
    for _ in range(15):
        browser.open()
        tickets.append(browser.ticket)
    services = [OTHER if number % 4 == 3 else APP for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        seen = [one.code for one in pool.map(home.validate, tickets, services)]
    assert seen == ["INVALID_SERVICE" if one == OTHER else None for one in services]
    assert [home.validate(one).code for one in tickets] == ["INVALID_TICKET"] * 16


def test_what_cannot_be_recorded_uses_no_ticket_up(home: Portal) -> None:
    """The use and its record are one commit: where that fails, neither is there."""
    ticket = Browser(home).log_in()
    for away, back in (("audit_records", "audit_away"), ("audit_away", "audit_records")):
        if away == "audit_away":
            for service, callback in ((APP, ""), (APP, CALLBACK), (OTHER, "")):
                found = home.validate(ticket, service, pgtUrl=callback)
                assert (found.code, found.answer.status) == ("INTERNAL_ERROR", 503)
        with home.database.write() as cx:
            cx.execute(text(f"ALTER TABLE {away} RENAME TO {back}"))
    assert home.outside.called == []
    assert home.validate(ticket).user == "courier-1"
    assert home.validate(ticket).code == "INVALID_TICKET"


@pytest.mark.parametrize("callback", ["", CALLBACK])
def test_a_log_that_leaves_the_use_undone_validates_nothing(
    small: Portal, monkeypatch: pytest.MonkeyPatch, callback: str
) -> None:
    """A record alone is not enough: a ticket that nobody used up would be good again."""
    ticket, append = Browser(small).log_in(), AuditStore.append
    monkeypatch.setattr(AuditStore, "append", lambda log, entry, part=None: append(log, entry))
    found = small.validate(ticket, pgtUrl=callback)
    assert (found.user, found.code) == (None, "INTERNAL_ERROR")
    assert small.outside.called == []


def test_a_replayed_ticket(home: Portal) -> None:
    ticket = Browser(home).log_in()
    assert home.validate(ticket).user
    assert home.validate(ticket).code == "INVALID_TICKET"
    assert reasons(home, "cas.validate") == [("cas.used", ("single-use-tickets",))]


def test_a_stolen_ticket_is_worthless_after_a_minute(small: Portal) -> None:
    ticket = Browser(small).log_in()
    small.later(seconds=61)
    assert small.validate(ticket).code == "INVALID_TICKET"
    assert reasons(small, "cas.validate") == [("cas.expired", ("short-tickets",))]


def test_a_ticket_for_another_service_is_refused_and_burned(home: Portal) -> None:
    ticket = Browser(home).log_in()
    assert home.validate(ticket, OTHER).code == "INVALID_SERVICE"
    assert home.validate(ticket, APP).code == "INVALID_TICKET"
    assert reasons(home, "cas.validate")[0] == (
        "cas.other-service", ("tickets-bound-to-service",)
    )  # fmt: skip


@pytest.mark.parametrize(
    "offered",
    [f"{APP}/", f"{APP}/../query", f"{APP}?x=1", APP.upper(), "https://app.example/query/x"],
)
def test_a_ticket_is_for_the_very_address_that_it_was_made_for(small: Portal, offered: str) -> None:
    assert small.validate(Browser(small).log_in(), offered).code == "INVALID_SERVICE"


def test_a_guessed_or_empty_ticket(small: Portal) -> None:
    for ticket in ("ST-" + "a" * 29, "ST-", "x", "*", "%", "ST-' OR 1=1"):
        assert small.validate(ticket).code == "INVALID_TICKET"
    assert small.validate("").code == "INVALID_REQUEST"


def test_a_removed_application_validates_nothing(small: Portal) -> None:
    ticket = Browser(small).log_in()
    small.central.login.registry.remove("app")
    assert small.validate(ticket).code == "INVALID_SERVICE"


# --- leavers: the session is read anew at each validation ---------------------------------------


@pytest.mark.parametrize("how", ["account", "person", "epoch", "device", "ended", "hours"])
def test_a_leavers_ticket_and_cookie_are_dead_at_the_next_validation(
    small: Portal, how: str
) -> None:
    browser = Browser(small)
    ticket = browser.log_in()
    match how:
        case "account":
            small.change(accounts, accounts.c.login == "courier-1", status="left")
        case "person":
            small.change(persons, persons.c.id == "p1", status="left")
        case "epoch":
            small.change(accounts, accounts.c.login == "courier-1", epoch=7)
        case "device":
            small.change(devices, devices.c.id == "pda-1", status="lost")
        case "ended":
            small.change(sessions, sessions.c.login == "courier-1", ended_at=1)
        case "hours":
            small.change(sessions, sessions.c.login == "courier-1", expires_at=1)
    assert small.validate(ticket).code == "INVALID_TICKET"
    assert "live-session" in reasons(small, "cas.validate")[0][1]
    browser.open(OTHER)
    assert browser.answer is not None
    assert browser.answer.status == 200  # the form, and no ticket
    assert "lt" in browser.page.fields


# --- unregistered services and open redirects ---------------------------------------------------

STRANGERS = [
    "https://evil.example/query",
    "https://app.example.evil.example/query",
    "https://app.example@evil.example/query",
    "https://evil.example/https://app.example/query",
    "https://app.example/queryx",
    "https://app.example/other",
    "https://app.example/query/../admin",
    "https://app.example/query/%2e%2e/admin",
    "https://app.example/query/..%2fadmin",
    "https://app.example/query\\@evil.example",
    "https://app.example:8443/query",
    "http://app.example/query",
    "//app.example/query",
    "app.example/query",
    "javascript:alert(1)//app.example/query",
    "https://APP.example./query",
    "https://app.example/query?ticket=ST-planted",
    "https://app.example/query?a=b&ticket=ST-planted",
    "https://app.example/query#ticket",
    "https://app.example/query?a=b\tc",
    "https://app.example/query?q=运单",
    "https://app.example/query%zz",
    "https://app.example/" + "q" * 3000,
    "data:text/html,x",
]


@pytest.mark.parametrize("url", STRANGERS)
def test_an_unregistered_service_is_told_and_never_gone_to(small: Portal, url: str) -> None:
    """Also with a session, with gateway, on POST, and on logout."""
    browser = Browser(small)
    browser.log_in(None)
    for query in ({}, {"gateway": "true"}, {"renew": "true"}):
        answer = browser.open(url, **query)
        assert answer.status in (400, 403)
        assert not answer.header("location")
    browser.open(None, renew="true")
    answer = browser.fill(service=url)
    assert answer.status in (400, 403)
    answer = browser.go("/cas/logout", service=url)
    assert answer.status in (200, 400)
    assert not answer.header("location")


def test_an_unregistered_service_leaves_a_record(small: Portal) -> None:
    assert Browser(small).open("https://evil.example/").status == 403
    assert reasons(small, "cas.service") == [("cas.unknown-service", ("registered-services",))]


@pytest.mark.parametrize("url", [APP, f"{APP}/deep", f"{APP}?a=%E8%BF%90&b=c", f"{APP}/a.b/c"])
def test_what_is_at_or_below_a_registered_address_is_served(small: Portal, url: str) -> None:
    browser = Browser(small)
    browser.log_in(url)
    sign = "&" if "?" in url else "?"
    assert browser.location == f"{url}{sign}ticket={browser.ticket}"
    assert small.validate(browser.ticket, url).user == "courier-1"


def test_open_redirect_on_logout(small: Portal) -> None:
    """CAS 2's `url` is ignored; `service` leads to registered applications alone."""
    browser = Browser(small)
    browser.log_in()
    answer = browser.go("/cas/logout", url="https://evil.example/")
    assert answer.status == 200
    assert "evil" not in answer.text
    assert browser.go("/cas/logout", service=APP).header("location") == APP


# --- parameters ---------------------------------------------------------------------------------


def test_format_json_and_what_is_not_supported(small: Portal) -> None:
    browser = Browser(small)
    ticket = browser.log_in()
    found = small.ask("/p3/serviceValidate", ticket=ticket, service=APP, format="JSON").json()
    seen = found["serviceResponse"]["authenticationSuccess"]
    assert seen["user"] == "courier-1"
    assert seen["attributes"]["role"] == ["courier", "staff"]
    assert seen["attributes"]["name"] == "p1"
    assert seen["attributes"]["isFromNewLogin"] is True
    browser.open()
    for form in ("YAML", "json", ""):
        refused = small.validate(browser.ticket, format=form)
        assert refused.code == "INVALID_REQUEST"
    assert small.validate(browser.ticket).user  # nothing was offered yet
    found = small.ask("/serviceValidate", ticket="ST-x", service=APP, format="JSON").json()
    assert found["serviceResponse"]["authenticationFailure"]["code"] == "INVALID_TICKET"
    found = small.ask("/serviceValidate", ticket="a\0", service=APP, format="JSON").json()
    assert found["serviceResponse"]["authenticationFailure"]["code"] == "INVALID_REQUEST"


def test_proxy_errors_are_proxy_failures(small: Portal) -> None:
    for query in ({}, {"pgt": "PGT-x"}, {"pgt": "PGT-x", "targetService": BACK}):
        found = Verdict(small.ask("/proxy", **query))
        assert found.root[0].tag.endswith("proxyFailure")
        assert found.code in ("INVALID_REQUEST", "INVALID_TICKET")
        found_json = small.ask("/proxy", format="JSON", **query).json()
        assert list(found_json["serviceResponse"]) == ["proxyFailure"]


def test_parameter_injection_through_service(small: Portal) -> None:
    """CVE-2014-4172: a service or a ticket that brings parameters of its own."""
    browser = Browser(small)
    ticket = browser.log_in()
    evil = f"{ticket}&service={OTHER}"
    assert small.validate(evil).code == "INVALID_TICKET"
    raw = f"/serviceValidate?service={APP}&ticket={ticket}&service={OTHER}"
    path, _, query = raw.partition("?")
    answer = Verdict(call(small.app, f"/cas{path}", query=query))
    assert answer.code == "INVALID_REQUEST"
    browser.open(f"{APP}?x=1%26ticket%3DST-planted")
    assert browser.location.count("&ticket=") == 1
    assert "%26ticket%3DST-planted" in browser.location


def test_xml_injection_through_the_failure_message(small: Portal) -> None:
    """Log in as admin by a ticket that closes the element."""
    evil = "</cas:authenticationFailure><cas:authenticationSuccess><cas:user>admin</cas:user>"
    for query in ({"ticket": evil, "service": APP}, {"ticket": "ST-1", "service": evil}):
        for path in ("/serviceValidate", "/p3/proxyValidate"):
            found = Verdict(small.ask(path, **query))
            assert found.user is None
            assert found.code == "INVALID_TICKET"
            assert b"admin" not in found.answer.body
    found = Verdict(small.ask("/proxy", pgt=evil, targetService=evil))
    assert b"admin" not in found.answer.body


def test_renew_stripped_by_the_browser_and_then_accepted(small: Portal) -> None:
    """The application asked for renew; the person took the word out of the address."""
    browser = Browser(small)
    browser.log_in(None)
    browser.open(APP)
    assert small.validate(browser.ticket, renew="true").code == "INVALID_TICKET"
    browser.open("https://vault.example/")  # registered as --fresh: the word is not needed
    assert "password" in browser.page.fields
    browser.open("https://vault.example/", gateway="true")
    assert browser.location == "https://vault.example/"


def test_renew_asks_for_all_factors(small: Portal) -> None:
    """A second factor skipped with `renew`."""
    browser = Browser(small)
    browser.log_in()
    for query in ({"renew": "true"}, {"renew": ""}, {"renew": "true", "gateway": "true"}):
        browser.open(APP, **query)
        assert "password" in browser.page.fields
    for lacking in ({"code": ""}, {"answer": ""}, {"code": "000000"}, {"password": "wrong"}):
        browser.open(APP, renew="true")
        assert browser.fill(**lacking).status == 403  # type: ignore[arg-type]
    browser.open(APP, renew="true")
    browser.fill()
    assert small.validate(browser.ticket, renew="true").user == "courier-1"


def test_renew_keeps_the_other_applications_and_ends_the_old_cookie(small: Portal) -> None:
    browser = Browser(small)
    small.validate(browser.log_in(OTHER), OTHER)
    old = browser.session
    browser.open(APP, renew="true")
    browser.fill()
    assert browser.session != old
    small.later(seconds=60)
    small.central.farewells.tell_due()
    assert small.outside.farewells() == []
    thief = Browser(small)
    thief.cookies["TGC-acl"] = old
    assert "password" in (thief.open(OTHER) and thief.page.fields)
    browser.go("/cas/logout")
    small.central.farewells.tell_due()
    assert len(small.outside.farewells()) == 1


def test_reflected_script_through_service_or_username(small: Portal) -> None:
    evil = '"><script>alert(1)</script>'
    browser = Browser(small)
    answer = browser.open(f"{APP}?x={evil}")
    assert answer.status == 403
    assert "<script" not in answer.text
    browser.open(APP)
    answer = browser.fill(login=evil)
    assert "<script" not in answer.text
    assert browser.page.fields["username"] == evil
    for field in ("method", "lang"):
        assert "<script" not in browser.open(APP, **{field: evil}).text


# --- whose session ------------------------------------------------------------------------------


def test_session_fixation(small: Portal) -> None:
    """A cookie that was there before the login is not the session after it."""
    browser = Browser(small)
    planted = "TGT-" + "a" * 64
    browser.cookies["TGC-acl"] = planted
    browser.log_in()
    assert browser.session != planted
    thief = Browser(small)
    thief.cookies["TGC-acl"] = planted
    thief.open()
    assert "password" in thief.page.fields


def test_request_forged_across_sites(small: Portal) -> None:
    """Another site makes the browser send a login of the attacker's own, or a confirmation."""
    attacker = Browser(small)
    attacker.open()
    stolen = attacker.page.fields["lt"]
    victim = Browser(small)
    victim.open()
    fields = {
        "username": "courier-1", "password": PASSWORD, "code": small.code(),
        "answer": answer_of("pda-1", stolen), "lt": stolen,
    }  # fmt: skip
    answer = victim.go("/cas/login", form=fields)
    assert answer.status == 200
    assert "too old or was sent before" in answer.text
    assert not victim.session
    assert reasons(small, "cas.form") == [("cas.stale-form", ("own-forms",))]
    for header in (("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")):
        victim.open()
        own = {**fields, "lt": victim.page.fields["lt"]}
        assert victim.go("/cas/login", form=own, headers=(header,)).status == 403
        assert victim.go("/cas/confirm", form=own, headers=(header,)).status == 403
    no_cookie = Browser(small)
    assert "too old" in no_cookie.go("/cas/login", form=fields).text


def test_a_form_counts_once_and_not_for_ever(small: Portal) -> None:
    browser = Browser(small)
    browser.open()
    page = browser.page
    assert browser.fill(password="wrong").status == 403
    again = {**page.fields, "username": "courier-1", "password": PASSWORD, "code": small.code()}
    assert "sent before" in browser.go("/cas/login", form=again).text
    browser.open()
    small.later(seconds=601)
    assert "too old" in browser.fill().text
    assert browser.fill().status == 303  # the page that came back is a new form


@pytest.mark.parametrize(
    "broken", ["", "LT-", "LT-x", "LT-ffffffff-" + "0" * 16 + "-" + "0" * 32, "é"]
)
def test_a_made_up_form(small: Portal, broken: str) -> None:
    browser = Browser(small)
    browser.open()
    assert "too old" in browser.fill(lt=broken).text


def test_two_people_on_one_browser(small: Portal) -> None:
    """One user logged in as another through shared state."""
    browser = Browser(small)
    first = browser.log_in()
    assert small.validate(first).user == "courier-1"
    old = browser.session
    browser.open(APP, renew="true")
    browser.fill("courier-2")
    assert small.validate(browser.ticket).user == "courier-2"
    small.central.farewells.tell_due()
    assert small.outside.farewells() == [first]
    thief = Browser(small)
    thief.cookies["TGC-acl"] = old
    thief.open()
    assert "password" in thief.page.fields


def test_many_people_at_once_are_each_themselves(home: Portal) -> None:
    people = {"courier-1": Browser(home), "courier-2": Browser(home)}
    for login, browser in people.items():
        browser.log_in(login=login)

    def one(login: str) -> tuple[str, str | None]:
        mine = Browser(home)
        mine.cookies = dict(people[login].cookies)
        mine.open()
        return login, home.validate(mine.ticket).user

    with ThreadPoolExecutor(8) as pool:
        assert all(asked == got for asked, got in pool.map(one, [*people] * 20))


def test_a_borrowed_device_answers_for_its_own_person_alone(small: Portal) -> None:
    browser = Browser(small, device="pda-2")
    browser.open()
    assert browser.fill("courier-1").status == 403


def test_a_device_answer_is_for_one_form(small: Portal) -> None:
    """What a relayed page got signed opens no other form."""
    browser = Browser(small)
    browser.open()
    old = answer_of("pda-1", browser.page.fields["lt"])
    browser.open()
    assert browser.fill(answer=old).status == 403
    for junk in ("pda-1", "pda-1.", ".x", "pda-1.%%%", "a" * 200, "pda-1." + "A" * 86):
        browser.open()
        assert browser.fill(answer=junk).status == 403


def test_refusals_say_the_same_whatever_the_cause(small: Portal) -> None:
    said = set()
    for typed in ({"login": "nobody"}, {"password": "wrong"}, {"code": "1"}, {"answer": ""}):
        browser = Browser(small)
        browser.open()
        text = browser.fill(**typed).text  # type: ignore[arg-type]
        text = re.sub(r"request \w+", "", text)
        said.add(re.search(r'role="alert".*?</div>', text, re.DOTALL)[0])  # type: ignore[index]
    assert len(said) == 1


# --- the page's own defences --------------------------------------------------------------------


def test_the_login_page_is_not_kept_and_not_framed(small: Portal) -> None:
    browser = Browser(small)
    for answer in (browser.open(), browser.fill(password="x"), browser.go("/cas/logout")):
        assert answer.header("cache-control") == "no-store"
        assert answer.header("pragma") == "no-cache"
        assert "1970" in (answer.header("expires") or "")
        assert answer.header("x-frame-options") == "DENY"
        policy = answer.header("content-security-policy") or ""
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert "<script" not in answer.text


def test_a_form_may_lead_to_its_application_and_nowhere_else(small: Portal) -> None:
    policy = Browser(small).open().header("content-security-policy") or ""
    assert "form-action 'self' https://app.example;" in policy


def test_cookies_are_right(small: Portal) -> None:
    browser = Browser(small)
    form = browser.open().all("set-cookie")
    assert form == [
        f"__Host-acl-form={browser.cookies['__Host-acl-form']}; Path=/; Secure; HttpOnly;"
        " SameSite=Lax"
    ]
    (session,) = browser.fill().all("set-cookie")
    name, _, rest = session.partition("=")
    assert name == "TGC-acl"
    assert re.fullmatch(r"TGT-[A-Za-z0-9-]{64}", rest.partition(";")[0])
    assert rest.partition(";")[2] == " Path=/cas; Secure; HttpOnly; SameSite=Lax"


def test_credentials_never_reach_an_application(small: Portal) -> None:
    """Appendix B: the answer to the POST makes the browser GET, without a body."""
    browser = Browser(small)
    browser.log_in()
    assert browser.answer is not None
    assert browser.answer.status == 303
    assert PASSWORD not in browser.location


# --- gateway, warn, method ----------------------------------------------------------------------


def test_gateway(small: Portal) -> None:
    browser = Browser(small)
    browser.open(APP, gateway="true")
    assert browser.location == APP
    browser.open(None, gateway="true")
    assert "password" in browser.page.fields
    browser.log_in(None)
    browser.open(APP, gateway="true")
    assert small.validate(browser.ticket).user == "courier-1"


def test_warn_is_never_transparent(small: Portal) -> None:
    browser = Browser(small)
    browser.log_in(OTHER, warn="true")
    for query in ({}, {"gateway": "true"}):
        answer = browser.open(APP, **query)
        assert answer.status == 200
        assert "旧查询系统" in answer.text
        assert browser.page.action == "/cas/confirm"
    stale = browser.page.fields
    browser.go("/cas/confirm", form=stale)
    assert small.validate(browser.ticket).user == "courier-1"
    assert browser.go("/cas/confirm", form=stale).status == 200  # asked again: the form was used
    assert not browser.location


def test_method_post_brings_the_ticket_in_a_form(small: Portal) -> None:
    browser = Browser(small)
    browser.open(APP, method="POST")
    answer = browser.fill()
    assert answer.status == 200
    assert browser.page.action == APP
    policy = answer.header("content-security-policy") or ""
    assert "form-action 'self' https://app.example;" in policy
    assert small.validate(browser.page.fields["ticket"]).user == "courier-1"
    assert browser.open(APP, method="HEADER").status == 400


def test_logged_in_without_a_service(small: Portal) -> None:
    browser = Browser(small)
    browser.log_in(None)
    assert browser.location == "/cas/login"
    assert "courier-1" in browser.open(None).text
    assert Page(browser.open(None).text).links[-1] == "/cas/logout"


# --- proxies ------------------------------------------------------------------------------------


def grant(home: Portal, ticket: str) -> tuple[str, str]:
    seen = home.validate(ticket, pgtUrl=CALLBACK)
    pgt, iou = home.outside.granted()
    assert seen.values("proxyGrantingTicket") == [iou]
    assert re.fullmatch(r"PGT-[A-Za-z0-9]{60}", pgt)
    assert re.fullmatch(r"PGTIOU-[A-Za-z0-9]{57}", iou)
    return pgt, iou


def proxy_ticket(home: Portal, pgt: str, target: str = BACK) -> Verdict:
    return Verdict(home.ask("/proxy", pgt=pgt, targetService=target))


def test_an_application_acts_for_a_person_towards_another(home: Portal) -> None:
    pgt, _ = grant(home, Browser(home).log_in())
    found = proxy_ticket(home, pgt)
    pt = found.find("cas:proxySuccess/cas:proxyTicket")
    assert pt is not None
    assert re.fullmatch(r"PT-[A-Za-z0-9]{29}", pt)
    seen = home.validate(pt, BACK, "/p3/proxyValidate")
    assert seen.user == "courier-1"
    assert seen.values("proxy") == [CALLBACK]
    assert seen.values("unit") == ["u1"]
    assert home.validate(pt, BACK, "/p3/proxyValidate").code == "INVALID_TICKET"


def test_a_proxy_ticket_where_only_service_tickets_are_taken(small: Portal) -> None:
    pgt, _ = grant(small, Browser(small).log_in())
    for path in ("/serviceValidate", "/p3/serviceValidate"):
        pt = proxy_ticket(small, pgt).find("cas:proxySuccess/cas:proxyTicket") or ""
        assert small.validate(pt, BACK, path).code == "INVALID_TICKET_SPEC"
    pt = proxy_ticket(small, pgt).find("cas:proxySuccess/cas:proxyTicket") or ""
    assert small.ask("/validate", ticket=pt, service=BACK).text == "no\n\n"


@pytest.mark.parametrize(
    "callback",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.5/admin",
        "https://localhost/",
        "http://app.example/query/pgt",
        "https://app.example:8443/query/pgt",
        "https://app.example@10.0.0.5/query/pgt",
        "https://app.example/query",
        "https://app.example/query/pgt/../../admin",
        "https://evil.example/query/pgt",
        "gopher://app.example/query/pgt",
        "file:///etc/passwd",
    ],
)
def test_proxy_callback_to_an_address_that_is_not_registered(small: Portal, callback: str) -> None:
    """Server-side request forgery: nothing is sent anywhere."""
    found = small.validate(Browser(small).log_in(), pgtUrl=callback)
    assert found.code == "INVALID_PROXY_CALLBACK"
    assert small.outside.called == []


def test_an_application_that_may_not_proxy(small: Portal) -> None:
    found = small.validate(Browser(small).log_in(OTHER), OTHER, pgtUrl="https://other.example/x")
    assert found.code == "UNAUTHORIZED_SERVICE_PROXY"
    assert small.outside.called == []


@pytest.mark.parametrize("status", [0, 301, 302, 404, 500])
def test_a_callback_that_does_not_answer_200_gets_no_grant(small: Portal, status: int) -> None:
    small.outside.answers[CALLBACK] = status
    found = small.validate(Browser(small).log_in(), pgtUrl=f"{CALLBACK}?mine=1")
    assert found.code == "INVALID_PROXY_CALLBACK"
    pgt, _ = small.outside.granted()
    assert "?mine=1&pgtId=PGT-" in small.outside.called[-1][1]
    assert proxy_ticket(small, pgt).code == "INVALID_TICKET"


def test_a_grant_reaches_only_targets_that_take_it(small: Portal) -> None:
    pgt, iou = grant(small, Browser(small).log_in())
    for target in (OTHER, APP, "https://evil.example/"):
        assert proxy_ticket(small, pgt, target).code == "UNAUTHORIZED_SERVICE"
    assert proxy_ticket(small, iou).code == "INVALID_TICKET"


@pytest.mark.parametrize("how", ["logout", "leaver"])
def test_a_grant_dies_with_its_session(small: Portal, how: str) -> None:
    browser = Browser(small)
    pgt, _ = grant(small, browser.log_in())
    if how == "logout":
        browser.go("/cas/logout")
    else:
        small.change(accounts, accounts.c.login == "courier-1", status="left")
    assert proxy_ticket(small, pgt).code == "INVALID_TICKET"


# --- attributes ---------------------------------------------------------------------------------


def test_an_application_that_asks_for_more_than_it_is_due(small: Portal) -> None:
    """By another address, by SAML, by words of its own: it learns the login and its due."""
    browser = Browser(small)
    browser.log_in(None)
    more = {"attributes": "name,unit,superior", "scope": "all"}
    for path in ("/p3/serviceValidate", "/p3/proxyValidate"):
        browser.open(OTHER)
        seen = small.validate(browser.ticket, OTHER, path, **more)
        held = seen.root.find(".//{*}attributes")
        assert held is not None
        assert [etree_name(one.tag) for one in held] == [
            "authenticationDate", "longTermAuthenticationRequestTokenUsed", "isFromNewLogin",
        ]  # fmt: skip
    browser.open(APP)
    seen = small.validate(browser.ticket, APP, "/serviceValidate")
    assert seen.root.find(".//{*}attributes") is None
    released = [one.fields for _, one in small.engine.audit.entries() if one.fields]
    assert released == []


def etree_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def test_names_that_xml_cannot_hold(small: Portal) -> None:
    small.change(persons, persons.c.id == "p1", name="张\x0b三</cas:name><&")
    seen = small.validate(Browser(small).log_in())
    assert seen.values("name") == ["张\ufffd三</cas:name><&"]


# --- single logout ------------------------------------------------------------------------------


def test_logout_tells_every_application_once(home: Portal) -> None:
    browser = Browser(home)
    first = browser.log_in()
    home.validate(first)
    browser.open(OTHER)
    second = browser.ticket
    home.validate(second, OTHER)
    browser.open(OTHER)  # a ticket that nobody offered: no visit, no farewell
    browser.go("/cas/logout")
    assert not browser.session
    home.central.farewells.tell_due()
    assert sorted(home.outside.farewells()) == sorted([first, second])
    home.later(days=1)
    home.central.farewells.tell_due()
    assert len(home.outside.farewells()) == 2
    _, url, fields = home.outside.called[0]
    assert url in (APP, OTHER)
    assert 'Version="2.0"' in fields["logoutRequest"]
    assert "@NOT_USED@" in fields["logoutRequest"]


@pytest.mark.parametrize(("status", "again"), [(200, False), (302, False), (0, True), (403, True)])
def test_a_logout_that_does_not_arrive_is_told_again(
    small: Portal, status: int, again: bool
) -> None:
    """mod_auth_cas answers 302 after it has acted: that is an answer, and is not followed."""
    browser = Browser(small)
    small.validate(browser.log_in())
    small.outside.answers[APP] = status
    browser.go("/cas/logout")
    small.central.farewells.tell_due()
    small.central.farewells.tell_due()
    assert len(small.outside.farewells()) == 1
    small.later(seconds=6)
    small.central.farewells.tell_due()
    assert len(small.outside.farewells()) == (2 if again else 1)


def test_a_logout_that_never_arrives_is_given_up_on_record(small: Portal) -> None:
    browser = Browser(small)
    small.validate(browser.log_in())
    small.outside.answers[APP] = 500
    browser.go("/cas/logout")
    for _ in range(20):
        small.central.farewells.tell_due()
        small.later(hours=2)
    assert len(small.outside.farewells()) == small.pack.settings.central.farewell_tries
    assert reasons(small, "cas.farewell") == [("cas.farewell-given-up", ("repeated-farewell",))]


def test_a_leavers_applications_are_told_without_a_logout(home: Portal) -> None:
    ticket = Browser(home).log_in()
    home.validate(ticket)
    with home.database.write() as cx:
        cx.execute(update(accounts).where(accounts.c.login == "courier-1").values(epoch=5))
    home.central.farewells.tell_due()
    assert home.outside.farewells() == [ticket]


def test_a_farewell_is_told_by_one_process(home: Portal) -> None:
    browser = Browser(home)
    tickets = []
    for _ in range(6):
        tickets.append(browser.log_in() if not tickets else (browser.open(), browser.ticket)[1])
        home.validate(tickets[-1])
    browser.go("/cas/logout")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: home.central.farewells.tell_due(), range(4)))
    assert sorted(home.outside.farewells()) == sorted(tickets)


# --- CAS 1 and SAML -----------------------------------------------------------------------------


def test_validate_of_cas_1(small: Portal) -> None:
    browser = Browser(small)
    ticket = browser.log_in()
    assert small.ask("/validate", ticket=ticket, service=APP).text == "yes\ncourier-1\n"
    assert small.ask("/validate", ticket=ticket, service=APP).text == "no\n\n"
    assert small.ask("/validate").text == "no\n\n"
    browser.open()
    renewed = small.ask("/validate", ticket=browser.ticket, service=APP, renew="true")
    assert renewed.text == "no\n\n"


def test_nothing_secret_or_personal_in_the_log(small: Portal) -> None:
    browser = Browser(small)
    ticket = browser.log_in()
    small.validate(ticket, pgtUrl=CALLBACK)
    pgt, _ = small.outside.granted()
    browser.go("/cas/logout")
    bodies = b"".join(body for _, body, _ in small.engine.audit.raw())
    for secret in (ticket, pgt, browser.session or "TGT", PASSWORD, APP):
        assert secret.encode() not in bodies
    actions = [one.action for _, one in small.engine.audit.entries()]
    assert actions == ["login", "cas.ticket", "cas.grant", "cas.validate", "logout"]


def test_a_ticket_does_not_leave_without_its_record(
    small: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(small)
    ticket = browser.log_in()

    def full(*_: object) -> None:
        raise AuditUnavailable(NOT_DURABLE.of())

    monkeypatch.setattr(AuditStore, "append", full)
    assert browser.open(OTHER).status == 503
    assert not browser.location
    found = small.validate(ticket)
    assert found.code == "INTERNAL_ERROR"
    assert found.answer.status == 503
