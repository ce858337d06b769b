"""One self-contained HTML page: two companies side by side, each step as a picture.

INVARIANTS
- No script, no network: styles stand in the page, and a policy in its head forbids the rest.
- Both languages are in the page; a switch shows one. Everything is escaped.
"""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from acl_engine.domain.text import Lang, Text
from acl_engine.replay.report import words
from acl_engine.replay.report.table import ordered
from acl_engine.replay.result import VERDICTS, Name, Replay, Verdict


def page(replay: Replay, lang: Lang) -> str:
    """The page as text; `lang` is the one shown first."""
    environment = Environment(
        loader=PackageLoader("acl_engine.replay.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["both"] = _both
    template = environment.get_template("page.html.j2")
    return template.render(**_values(replay, lang)) + "\n"


def _both(name: Name | Text) -> Markup:
    """A name in both languages; the switch hides one."""
    if isinstance(name, Text):
        name = words.name(name)
    return Markup('<span lang="zh">{}</span><span lang="en">{}</span>').format(name.zh, name.en)


def _values(replay: Replay, lang: Lang) -> dict[str, Any]:
    results = ordered(replay)
    return {
        "replay": replay,
        "lang": lang,
        "w": words,
        "leaks": [one for one in results if not one.utility],
        "work": [one for one in results if one.utility],
        "verdicts": {verdict: words.name(text) for verdict, text in VERDICTS.items()},
        "Verdict": Verdict,
    }
