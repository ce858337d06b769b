"""The scanner page over the engine: what it shows, offers and refuses, and whom it lets in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acl_engine.domain.cas import RegisteredService
from acl_engine.domain.trace_events import events
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.cas_services import SqlServiceRegistry
from tests import api_world
from tests.api_world import ADDRESS, Api
from tests.asgi import Answer, call
from tests.line_world import PARCELS, ROOT

PHONE = re.compile(r"(?<![0-9a-fA-F])1[0-9]{10}(?![0-9a-fA-F])")


@pytest.fixture(scope="module")
def api(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A world of this file's own, with the page registered as an operator does it."""
    url = api_world.copied(world_file, tmp_path_factory.mktemp("scanner"))
    made = api_world.api(url, Truth(small_world(ROOT), PARCELS))
    page = RegisteredService("scanner", f"{ADDRESS}/scanner/", "巴枪")
    SqlServiceRegistry(made.service.database).add(page, "test", 0)
    yield made
    made.service.close()


@dataclass
class Screen:
    """A browser with cookies, a session of the central login, and no script."""

    api: Api
    cookies: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def go(self, url: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """One request, and whatever it is sent on to."""
        parts = urlsplit(url)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = call(
            self.api.app,
            parts.path,
            method="POST" if form is not None else "GET",
            query=parts.query,
            headers=(("cookie", cookie), ("accept", "text/html"), *headers.items()),
            form=form,
        )
        for one in answer.all("set-cookie"):
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.seen.append(answer.text)
        where = answer.header("location")
        return self.go(where) if answer.status == 303 and where else answer

    def press(self, page: Answer, action: str, **more: str) -> Answer:
        """Send the first form of the page that goes to `action`, filled in."""
        fields = next(one for at, one in forms(page) if at.endswith(action))
        return self.go(f"/scanner/{action}", {**fields, **more})


def forms(page: Answer) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = {name: value or "" for name, value in attrs}
            if tag == "form":
                found.append((given["action"], {}))
            elif tag == "input" and found:
                found[-1][1][given["name"]] = given.get("value", "")

    Reader().feed(page.text)
    return found


def screen(api: Api, login: str) -> Screen:
    """Somebody who has logged in centrally and opens the page."""
    made = Screen(api, {"TGC-acl": f"TGT-{api.log_in(login)}"})
    page = made.go("/scanner/")
    assert page.status == 200, page.text
    return made


@pytest.fixture(scope="module")
def courier(api: Api) -> Screen:
    return screen(api, "courier-88")


def entries(api: Api, action: str, account: str) -> list[Any]:
    log = api.service.engine.audit.entries()
    return [one for _, one in log if one.action == action and one.account == account]


def test_the_load_list_shows_the_next_stops_and_no_number(api: Api, courier: Screen) -> None:
    """Names and rooms of the next stops alone; each view carries the screen code."""
    page = courier.go("/scanner/?stage=OUT_FOR_DELIVERY&lang=en")
    first, _, rest = page.text.partition("The rest")
    assert "Next stops" in first
    assert first.count("recipient&#39;s name") == first.count(">Call<") > 0
    assert "recipient&#39;s name" not in rest
    cards = page.text.count("<li>")
    assert cards == page.text.count("screen code") > first.count("<li>")
    (mark,) = set(re.findall(r"screen code <code>([^<]+)</code>", page.text))
    assert mark
    assert entries(api, "search", "courier-88")


def test_a_call_is_made_and_no_page_ever_held_a_number(api: Api, courier: Screen) -> None:
    before = len(entries(api, "dial", "courier-88"))
    called = courier.press(courier.go("/scanner/?lang=en"), "dial")
    assert called.status == 200, called.text
    assert "call" in called.text or "line" in called.text or "answered" in called.text
    # The right to the call, and the call: each written down before and after.
    assert len(entries(api, "dial", "courier-88")) == before + 4
    assert not PHONE.search("".join(courier.seen))


def test_a_form_counts_once(courier: Screen) -> None:
    """A second tap, or a reload of the answer, calls nobody again."""
    page = courier.go("/scanner/?lang=en")
    fields = next(one for at, one in forms(page) if at.endswith("dial"))
    assert courier.go("/scanner/dial", fields).status in (200, 403)
    again = courier.go("/scanner/dial", fields)
    assert again.status == 409
    assert "nothing was done again" in again.text


def test_a_scan_shows_what_the_policy_shows_or_the_denial(api: Api, courier: Screen) -> None:
    page = courier.go("/scanner/scan")
    seen = courier.press(page, "look", key=api.key("load-1"))
    assert seen.status == 200, seen.text
    assert "screen code" in seen.text
    assert {at for at, _ in forms(seen)} >= {"/scanner/dial", "/scanner/act"}
    other = courier.press(courier.go("/scanner/scan"), "look", key=api.key("load-89"))
    nobody = courier.press(courier.go("/scanner/scan"), "look", key="YT0000000000000")
    assert other.status == nobody.status == 403
    assert [at for at, _ in forms(other)] == [at for at, _ in forms(nobody)]
    wrong = courier.press(courier.go("/scanner/scan"), "look", key=" ")
    assert wrong.status in (403, 422)


@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", ("物流轨迹", "入扫", "出扫")), ("en", ("trace", "scanned in", "scanned out"))],
)
def test_a_trace_reads_as_events(api: Api, lang: str, said: tuple[str, ...]) -> None:
    """Times, words and places, the newest first; nothing of how it is kept."""
    keeper = screen(api, "keeper-07")
    asking = keeper.go(f"/scanner/scan?lang={lang}")
    page = keeper.press(asking, "look", key=api.key("keeper-parcel"))
    assert page.status == 200, page.text
    for word in said:
        assert word in page.text
    times = re.findall(r'<time datetime="([^"]+)">', page.text)
    assert len(times) > 1
    assert times == sorted(times, reverse=True)
    assert "{" not in page.text


@pytest.mark.parametrize(
    "kept",
    ["", "no trace", "{}", '[{"at": 1}]', '[{"at": 99999999999999, "kind": "in", "unit": "u"}]'],
)
def test_what_is_no_trace_is_shown_as_it_is(kept: str) -> None:
    """Whatever another system keeps there, the page stands."""
    assert [one.where for one in events(kept)] == [kept]


def test_a_scan_without_a_word_keeps_its_own() -> None:
    (event,) = events('[{"at": 0, "kind": "weighed", "unit": "u-1", "city": "C"}]')
    assert (event.when, event.what, event.where) == ("1970-01-01 08:00", None, "weighed C u-1")


def test_custody_moves_by_two_scans(api: Api, courier: Screen) -> None:
    """The courier hands over to the branch, its keeper takes over; a wrong unit is told so."""
    parcel = courier.press(courier.go("/scanner/scan"), "look", key=api.key("load-8"))
    out = next(one for at, one in forms(parcel) if one.get("act") == "scan_out")
    gone = courier.go("/scanner/act", out)
    assert gone.status == 200, gone.text
    assert "was handed over" in gone.text
    keeper = screen(api, "keeper-07")
    look = keeper.press(keeper.go("/scanner/scan?lang=en"), "look", key=api.key("load-8"))
    taken = next(one for at, one in forms(look) if one.get("act") == "scan_in")
    assert "was taken over" in keeper.go("/scanner/act", taken).text


def test_asked_by_one_and_approved_by_another(api: Api, courier: Screen) -> None:
    """What was delivered is asked for at the page, granted at another's, and then shown."""
    key = api.key("done-today")
    courier.go("/scanner/?lang=en")
    page = courier.press(courier.go("/scanner/scan"), "look", key=key)
    sent = courier.press(page, "ask", purpose="recontact")
    assert sent.status == 200, sent.text
    mine = courier.go("/scanner/cases")
    assert "My requests" in mine.text
    assert "Approve<" not in mine.text, "not by oneself"
    for lang, words in {
        "en": ("a look", "calling again or checking the address after delivery"),
        "zh": ("查看", "签收后再次联系或复核地址"),
    }.items():  # in words, not in codes
        said = courier.go(f"/scanner/cases?lang={lang}").text
        assert all(f"<dd>{one}</dd>" in said for one in words), said
        assert "<dd>look</dd>" not in said
        assert "recontact</dd>" not in said
    courier.go("/scanner/?lang=en")
    manager = screen(api, "sup-0413")
    waiting = manager.go("/scanner/cases?lang=en")
    assert "Waiting for my answer" in waiting.text
    agreed = manager.press(waiting, "answer", answer="approve")
    assert "granted" in agreed.text
    granted = courier.go("/scanner/cases")
    shown = courier.press(granted, "look")
    assert shown.status == 200, shown.text
    assert "building and room" in shown.text
    assert not PHONE.search("".join(courier.seen + manager.seen))


# --- attacks -----------------------------------------------------------------------------------


def test_a_forged_form_from_another_site_does_nothing(api: Api, courier: Screen) -> None:
    page = courier.go("/scanner/?lang=en")
    fields = next(one for at, one in forms(page) if at.endswith("dial"))
    before = len(entries(api, "dial", "courier-88"))
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert courier.go("/scanner/dial", fields, **headers).status == 403
    blind = {**fields, "form": "LT-0"}
    assert courier.go("/scanner/dial", blind).status == 409
    assert len(entries(api, "dial", "courier-88")) == before


def test_nobody_is_led_into_anothers_session(api: Api) -> None:
    """A ticket that an insider fetched opens nothing in a browser that did not begin the login."""
    insider = Screen(api, {"TGC-acl": f"TGT-{api.log_in('courier-89')}"})
    first = call(api.app, "/scanner/", headers=(("accept", "text/html"),))
    browser = (first.header("set-cookie") or "").partition(";")[0]
    login = urlsplit(first.header("location") or "")
    cookie = f"{browser}; TGC-acl={insider.cookies['TGC-acl']}"
    gone = call(api.app, login.path, query=login.query, headers=(("cookie", cookie),))
    back = urlsplit(gone.header("location") or "")
    assert parse_qs(back.query)["ticket"]
    victim = Screen(api)
    assert victim.go(f"{back.path}?{back.query}").status == 403
    assert "__Host-acl-visit" not in victim.cookies


def test_a_visit_dies_with_the_session_and_cannot_be_made_of_another_token(api: Api) -> None:
    one = screen(api, "courier-89")
    visit = one.cookies["__Host-acl-visit"]
    one.go("/cas/logout")
    api_visit = visit.replace(".scanner.", ".direct.")
    for stolen in (visit, api_visit, api.token("claims-03"), "", "x" * 300):
        thief = Screen(api, {"__Host-acl-visit": stolen})
        page = thief.go("/scanner/")
        assert 'name="password"' in page.text, "the login page, nothing else"


def test_a_page_that_is_not_registered_opens_nothing(api: Api) -> None:
    registry = SqlServiceRegistry(api.service.database)
    page = next(one for one in registry.services() if one.name == "scanner")
    registry.remove("scanner")
    try:
        stranger = Screen(api, {"TGC-acl": f"TGT-{api.log_in('courier-89')}"})
        assert stranger.go("/scanner/").status == 403
    finally:
        registry.add(page, "test", 0)


@pytest.mark.parametrize("path", ["look", "dial", "act", "ask", "answer"])
def test_bad_forms_get_one_clear_line(courier: Screen, path: str) -> None:
    """Missing, oversized and odd fields: a refusal, nothing unhandled."""
    for odd in ({}, {"key": "x" * 4000}, {"key": "'; --", "purpose": "\u202e", "case": "../"}):
        form = re.search(r'name="form" value="([^"]+)"', courier.go("/scanner/scan").text)
        assert form is not None
        answer = courier.go(f"/scanner/{path}", {"form": form[1], **odd})
        assert answer.status in (403, 422), answer.text


def test_anothers_parcel_and_none_look_the_same_on_the_page(api: Api) -> None:
    """Same status, same bytes and size, but for the number that was typed and the request's."""
    page = screen(api, "courier-89")
    shown = set()
    for key in (api.key("load-1"), "SN" + "9" * 13):
        answer = page.press(page.go("/scanner/scan"), "look", key=key)
        text = re.sub(r"[0-9a-f]{16}", "N", answer.text.replace(key, "KEY"))
        text = re.sub(r'(value=")[^"]{40,}"', r'\1FORM"', text)
        shown.add((answer.status, len(answer.body), text))
    assert len(shown) == 1
    assert next(iter(shown))[0] == 403
