"""Reports print what was found, in both languages, and reach for nothing outside."""

import io
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest
from rich.cells import cell_len

from acl_engine.domain.text import Lang
from acl_engine.replay.play import Order, play
from acl_engine.replay.report.document import document, schema
from acl_engine.replay.report.junit import junit
from acl_engine.replay.report.page import page
from acl_engine.replay.report.table import WIDTH, print_table
from acl_engine.replay.result import Replay, Verdict

ROOT = Path(__file__).parents[3]
IDS = (
    "courier.reverse-lookup",
    "courier.what-a-courier-remembers",
    "courier.station-last-four",
    "courier.day-service",
    "courier.lent-scanner",
    "courier.reverse-lookup-and-scanner",
)


@pytest.fixture(scope="module")
def replay() -> Replay:
    return play(Order(ROOT, ids=IDS, ablate=False))


@pytest.fixture(scope="module")
def of_2020() -> Replay:
    policy = ROOT / "policies" / "courier" / "before"
    return play(Order(ROOT, ids=IDS[:1], policy=policy, ablate=False))


def test_the_document_is_what_its_schema_says(replay: Replay) -> None:
    """Every key that the published schema names is there, and no other."""
    jsonschema.validate(document(replay), schema())


def test_the_document_names_step_line_and_control(replay: Replay) -> None:
    """A reader of the JSON learns where and by what a leak was stopped."""
    first = next(one for one in document(replay)["results"] if one["id"] == IDS[0])
    assert first["before"]["verdict"] == "LEAKED"
    assert first["after"]["verdict"] == "BLOCKED"
    stop = first["after"]["stopped"][0]
    assert (stop["line"], stop["control"]) == ("3", "no-reverse-lookup")
    assert first["audit"]["every_step_named"] is True


def test_the_policy_of_2020_leaks_and_falls_short(of_2020: Replay) -> None:
    """One policy alone must block; the company of 2020 does not."""
    assert of_2020.exit_code == 1
    assert of_2020.results[0].after is not None
    assert of_2020.results[0].after.verdict is Verdict.LEAKED
    assert of_2020.results[0].before is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_fits_a_hundred_columns(replay: Replay, lang: Lang) -> None:
    """In Chinese too, where a character takes two columns; what remains stands first."""
    out = io.StringIO()
    print_table(replay, lang, out, colour=False)
    lines = out.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= WIDTH
    assert all(line == line.rstrip() for line in lines)
    text = out.getvalue()
    assert text.index(IDS[1]) < text.index(IDS[0])


def test_the_case_itself_stands_before_its_parts(replay: Replay) -> None:
    """Whoever opens the report looks for Bao'an: the file that cites the case, and its source."""
    out = io.StringIO()
    print_table(replay, "en", out, colour=False)
    assert out.getvalue().index(IDS[5]) < out.getvalue().index(IDS[4])
    text = page(replay, "zh")
    assert text.index(f'<a href="#{IDS[5]}"') < text.index(f'<a href="#{IDS[4]}"')
    assert "Bao&#39;an, Shenzhen; typical cases of the Supreme" in text
    assert "PIPL-51, PIPL-6, PIPL-25" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_cuts_no_id_and_says_what_stopped_each(replay: Replay, lang: Lang) -> None:
    """An id that is cut cannot be replayed again; a leak without its reason teaches nothing."""
    out = io.StringIO()
    print_table(replay, lang, out, colour=False)
    text = out.getvalue()
    for one in replay.results:
        assert one.id in text
    assert {"zh": "禁止反查", "en": "no reverse lookup"}[lang] in text
    assert "…" not in text


def test_a_part_of_the_pack_calls_no_control_idle(replay: Replay) -> None:
    """Four scenarios do not tell which controls thirty need."""
    assert document(replay)["summary"]["controls_never_needed"] == []


def test_the_page_reaches_for_nothing_outside(replay: Replay) -> None:
    """No address, no script, no picture from elsewhere; a policy in its head forbids them."""
    text = page(replay, "zh")
    assert not re.search(r"https?://|//[a-z]|<script|<img|@import|url\(|<link", text)
    assert "default-src 'none'" in text


def test_the_page_has_every_scenario_in_both_languages(replay: Replay) -> None:
    """The switch has something to show on either side."""
    text = page(replay, "en")
    for one in replay.results:
        assert f'id="{one.id}"' in text
    assert text.count('<span lang="zh">') == text.count('<span lang="en">') > 100


def test_every_table_and_picture_scrolls_in_its_own_box(replay: Replay) -> None:
    """On a phone the page itself must not move sideways; the box is reached by keyboard."""
    text = page(replay, "en")
    assert (
        text.count("<table") == len(re.findall(r'tabindex="0" aria-label="[^"]+"><table', text)) > 3
    )
    assert text.count("<figure") == text.count('<figure class="fig wide"') > 3


def test_the_page_escapes_what_it_shows(replay: Replay) -> None:
    """A name in a file cannot become markup."""
    from dataclasses import replace

    from acl_engine.replay.result import Name

    evil = replace(replay.results[0], title=Name("<b>x</b>", "<script>x</script>"))
    text = page(replace(replay, results=(evil,)), "en")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_junit_counts_failures(replay: Replay, of_2020: Replay) -> None:
    """Continuous integration sees a leak as a failure, and what holds as passed."""
    good, bad = fromstring(junit(replay, "en")), fromstring(junit(of_2020, "en"))
    assert (good.get("tests"), good.get("failures")) == (str(len(IDS)), "0")
    assert bad.get("failures") == "1"
    assert bad.find("testcase/failure") is not None


@pytest.mark.parametrize(
    ("lang", "owner", "known"),
    [
        ("zh", "网点主管", "的门牌（3 件即为泄露）"),
        ("en", "branch manager", "the full building and room of"),
    ],
)
def test_a_reader_meets_words_not_names_of_the_program(
    replay: Replay, lang: Lang, owner: str, known: str
) -> None:
    """Who owns a risk is a post, what was counted is a sentence, and a trace is no JSON."""
    out = io.StringIO()
    print_table(replay, lang, out, colour=False)
    html = page(replay, lang)
    assert owner in out.getvalue()
    assert '<dd><span lang="zh">网点主管</span><span lang="en">branch manager</span></dd>' in html
    assert known in html
    assert "branch_mgr" not in out.getvalue() + html
    assert "{&#34;at&#34;" not in html
