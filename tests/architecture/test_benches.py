"""docs/performance.md and the benches say the same: no bench without numbers, no number alone."""

import re
from importlib import import_module

import pytest
from bench import _document
from bench.__main__ import known
from bench._table import Table, Target

TEXT = _document.DOCUMENT.read_text(encoding="utf-8")


def test_every_bench_has_its_section_and_every_section_its_bench() -> None:
    """`python -m bench NAME` writes the section; a bench that goes takes its section along."""
    assert _document.names(TEXT) == known()
    opened = re.findall(r"<!-- bench:(\w+) -->", TEXT)
    assert opened == _document.names(TEXT)


@pytest.mark.parametrize("name", known())
def test_a_section_is_the_bench_s_own(name: str) -> None:
    """Heading, command, machine and a table, as the bench writes them."""
    module = import_module(f"bench.{name}")
    inner = TEXT.partition(f"<!-- bench:{name} -->\n")[2].partition(f"<!-- /bench:{name} -->")[0]
    heading, _, command, _, machine, _, *rest = inner.splitlines()
    assert heading == f"## {module.TITLE}"
    assert re.fullmatch(rf"`python -m bench {name}( .*)?`", command)
    assert re.search(
        r"\d+ cores, \d+ GB, .*Python 3\.\d+\.\d+, load [\d.]+, \d{4}-\d\d-\d\d$", machine
    )
    assert any(re.fullmatch(r"\|( --- \|)+", line) for line in rest)
    assert callable(module.main)


def test_a_section_is_replaced_and_what_stands_around_it_stays() -> None:
    one = _document.section("decide", "Old", "python -m bench decide", ["| 1 |"])
    document = f"# Top\n\n{one}\nBy hand.\n"
    new = _document.section("decide", "New", "python -m bench decide", ["| 2 |"])
    assert _document.placed(document, "decide", new) == f"# Top\n\n{new}\nBy hand.\n"


def test_a_new_section_stands_in_the_order_of_names() -> None:
    texts = {n: _document.section(n, n, f"python -m bench {n}", ["| 1 |"]) for n in "abc"}
    document = "# Top\n"
    for name in "bca":
        document = _document.placed(document, name, texts[name])
    assert _document.names(document) == ["a", "b", "c"]
    assert all(text in document for text in texts.values())


def test_a_missed_target_is_written_as_missed() -> None:
    table = Table(("a",), [["1"]], targets=(Target("fast", "slow", met=False),))
    assert "- **missed**: fast; measured slow" in table.markdown()
