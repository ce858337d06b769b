"""One self-contained HTML page: two companies side by side, each step as a picture.

INVARIANTS
- No script, no network: styles stand in the page, and a policy in its head forbids the rest.
- Both languages are in the page; a switch shows one. Everything is escaped.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from acl_engine.domain.text import Lang, Text
from acl_engine.replay.report import words
from acl_engine.replay.report.document import unneeded
from acl_engine.replay.report.table import counted, ordered, seen
from acl_engine.replay.result import VERDICTS, Drawn, Name, Replay, ScenarioResult, Side, Verdict

# Candidates of a whole mobile number with nothing known: what a full bar stands for.
ALL_CANDIDATES = 10**9
LONGEST_VALUE = 60
_GOOD = frozenset({Verdict.BLOCKED, Verdict.KEPT})
_FAIR = frozenset({Verdict.DEGRADED, Verdict.RESIDUAL, Verdict.SKIPPED})


@dataclass(frozen=True, slots=True)
class Lane:
    """One upright line of a picture."""

    id: str
    name: Name
    account: str
    engine: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """One step in a picture: from lane `start` to lane `end` (1-based); `span` lanes wide."""

    step: Drawn
    start: int
    end: int
    mark: str  # stop, pass, dead, carry, tamper, time

    @property
    def left(self) -> int:
        return min(self.start, self.end)

    @property
    def span(self) -> int:
        return abs(self.start - self.end) + 1


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the knowledge table: candidates left in each company; None = nothing known."""

    who: Name
    param: str
    field: Name
    before: int | None
    after: int | None
    best: str


def page(replay: Replay, lang: Lang) -> str:
    """The page as text; `lang` is the one shown first."""
    environment = Environment(
        loader=PackageLoader("acl_engine.replay.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "both": _both,
        "tone": tone,
        "bar": bar,
        "number": _number,
        "brief": brief,
    }
    template = environment.get_template("page.html.j2")
    return template.render(**_values(replay, lang)) + "\n"


def _values(replay: Replay, lang: Lang) -> dict[str, Any]:
    results = ordered(replay)
    leaks = [one for one in results if not one.utility]
    return {
        "replay": replay,
        "lang": lang,
        "w": words,
        "leaks": leaks,
        "work": [one for one in results if one.utility],
        "tiles": _tiles(replay, leaks),
        "verdicts": {verdict: words.name(text) for verdict, text in VERDICTS.items()},
        "lanes": lanes,
        "arrows": arrows,
        "facts": facts,
        "stops": stops,
        "seen": lambda one: Name(*(" · ".join(seen(one, lang)) for lang in ("zh", "en"))),
        "counted": lambda one: Name(counted(one, "zh"), counted(one, "en")),
        "role": lambda id_: replay.role_names.get(id_, Name(id_, id_)),
        "control": lambda id_: replay.control_names.get(id_, Name(id_, id_)),
        "idle": sorted(unneeded(replay)),
        "say": words.name,
        "line": list(zip(words.LINE_NUMBERS, words.LINE_WORDS, strict=True)),
    }


def _tiles(replay: Replay, leaks: list[ScenarioResult]) -> list[tuple[str, int, Text]]:
    after = [one.after.verdict for one in leaks if one.after]
    before = sum(1 for one in leaks if one.before and one.before.verdict is Verdict.LEAKED)
    held = sum(1 for verdict in after if verdict in (Verdict.BLOCKED, Verdict.DEGRADED))
    kept = sum(1 for one in replay.results if one.utility and one.holds)
    tiles = [("plain", len(leaks), words.ATTACKS)]
    if replay.mode == "both":
        tiles.append(("bad", before, words.LEAKED_COUNT))
    tiles.append(("good", held, words.STOPPED_COUNT))
    if residual := after.count(Verdict.RESIDUAL):
        tiles.append(("fair", residual, words.RESIDUAL_COUNT))
    if kept:
        tiles.append(("good", kept, words.KEPT_COUNT))
    if replay.short:
        tiles.append(("bad", len(replay.short), words.SHORT_COUNT))
    return tiles


# --- the picture ---------------------------------------------------------------------------------


def lanes(one: ScenarioResult) -> list[Lane]:
    """Who stands in the picture: the actors as the file lists them, then the query system.

    An actor whom no step touches in either company (the owner of a guessed password) has no
    lane: on a phone it would push the steps out of sight.
    """
    sides = (one.before, one.after)
    steps = [*(step for side in sides if side for step in side.steps), *one.assumed]
    seen = {name for step in steps for name in (step.who, step.to)}
    people = [
        Lane(actor.id, actor.name, actor.account, False) for actor in one.actors if actor.id in seen
    ]
    return [*people, Lane("engine", words.name(words.ENGINE), "", True)]


def arrows(one: ScenarioResult, steps: Iterable[Drawn]) -> list[Arrow]:
    """The steps as arrows between the lanes."""
    place = {lane.id: at for at, lane in enumerate(lanes(one), 1)}
    return [
        Arrow(step, place.get(step.who, 1), place.get(step.to, len(place)), _mark(step))
        for step in steps
    ]


def _mark(step: Drawn) -> str:
    if step.kind in ("advance", "event", "fault"):
        return "time"
    if not step.tried:
        return "dead"
    if step.kind in ("channel", "tamper"):
        return "carry" if step.kind == "channel" else "tamper"
    return "pass" if step.allowed else "stop"


def stops(one: ScenarioResult) -> dict[str, list[str]]:
    """Lines of the lookup at which something was stopped after the remedy, with the controls."""
    found: dict[str, list[str]] = {}
    for step in (*(one.after.stopped if one.after else ()), *one.assumed):
        if step.tried and not step.allowed:
            here = found.setdefault(step.line, [])
            here.extend(name for name in step.controls if name not in here)
    return found


# --- what they know ------------------------------------------------------------------------------


def facts(one: ScenarioResult) -> list[Fact]:
    """Every fact that an attacker knows something of in either company, the wanted ones last."""
    names = {actor.id: actor.name for actor in one.actors}
    before, after = _left(one.before), _left(one.after)
    found: list[Fact] = []
    for who, fact in sorted({*before, *after}, key=lambda key: (list(names).index(key[0]), key[1])):
        param, field = fact.split(".")
        best = after.get((who, fact), before.get((who, fact), (0, "")))[1]
        left_before, left_after = before.get((who, fact)), after.get((who, fact))
        found.append(
            Fact(
                names[who],
                param,
                words.field_name(field),
                left_before[0] if left_before else None,
                left_after[0] if left_after else None,
                best,
            )
        )
    return found


def _left(side: Side | None) -> dict[tuple[str, str], tuple[int, str]]:
    return {(k.who, k.fact): (k.left, k.best) for k in side.knowledge} if side else {}


def bar(left: int | None) -> int:
    """How much is still hidden, 0 to 10, on a scale of powers of ten."""
    if left is None:
        return 10
    return min(10, round(10 * math.log10(max(1, left)) / math.log10(ALL_CANDIDATES)))


def brief(value: str) -> Name:
    """A value as a picture has room for; of a list of events, how many there are."""
    if value.startswith("[{"):
        return words.name(words.EVENTS, n=len(json.loads(value)))
    short = value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
    return Name(short, short)


def tone(verdict: Verdict) -> str:
    """good, fair or bad: how a verdict is coloured. The word always stands beside the colour."""
    return "good" if verdict in _GOOD else "fair" if verdict in _FAIR else "bad"


def _number(value: int) -> str:
    return f"{value:,}"


def _both(name: Name | Text) -> Markup:
    """A name in both languages; the switch hides one."""
    if isinstance(name, Text):
        name = words.name(name)
    return Markup('<span lang="zh">{}</span><span lang="en">{}</span>').format(name.zh, name.en)
