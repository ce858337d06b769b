"""The terminal table: at most 100 columns, in either language, what remains first.

Two lines a scenario: what became of it and its title; its id, and where it was stopped by what.
"""

from collections.abc import Iterator
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Styled

from acl_engine.domain.text import Lang, Text
from acl_engine.replay.detection import DETECTORS
from acl_engine.replay.report import words as w
from acl_engine.replay.report.document import unneeded
from acl_engine.replay.result import (
    VERDICTS,
    Counted,
    Drawn,
    Replay,
    ScenarioResult,
    Side,
    Verdict,
)

WIDTH = 100
_MOST_STOPS = 3
_STYLE = {
    Verdict.BLOCKED: "bold green",
    Verdict.KEPT: "bold green",
    Verdict.DEGRADED: "bold yellow",
    Verdict.RESIDUAL: "bold yellow",
    Verdict.LEAKED: "bold red",
}


def print_table(replay: Replay, lang: Lang, to: TextIO, *, colour: bool | None = None) -> None:
    """Print the table, what fell short, and the findings of the ablation."""
    console = Console(
        file=to,
        width=WIDTH,
        force_terminal=colour,
        no_color=colour is False,
        highlight=False,
        legacy_windows=False,
    )
    both = replay.mode == "both"
    for title, utility in ((w.LEAKS, False), (w.WORK, True)):
        chosen = [one for one in ordered(replay) if one.utility is utility]
        if chosen:
            heading = f"{_say(title, lang)}  "
            if both and not utility:
                heading += f"{_say(w.SHORT_BEFORE, lang)} → {_say(w.SHORT_AFTER, lang)}"
            console.print(Styled(heading.rstrip(), style="bold"))
            for line in _rows(chosen, replay, lang, console):
                console.print(line, overflow="fold")
            console.print()
    _problems(replay, lang, console)
    _findings(replay, lang, console)
    console.print(_summary(replay, lang))


def ordered(replay: Replay) -> list[ScenarioResult]:
    """Residual risks first, then what fell short, what cites its case, and the rest as listed."""

    def rank(one: ScenarioResult) -> int:
        if one.after and one.after.verdict is Verdict.RESIDUAL:
            return 0
        if not one.holds:
            return 1
        return 2 if one.refs else 3

    return sorted(replay.results, key=rank)


def _rows(
    results: list[ScenarioResult], replay: Replay, lang: Lang, console: Console
) -> Iterator[Styled]:
    """A scenario's lines, the second column aligned."""
    heads = [_verdicts(one, replay, lang) for one in results]
    wide = max(head.cell_len for head in heads)
    indent = wide + 5
    for one, head in zip(results, heads, strict=True):
        head.append(" " * (wide - head.cell_len))
        start = Styled.assemble(_mark(one), "  ", head, "  ")
        titles = Styled(one.title.of(lang)).wrap(console, WIDTH - indent)
        pieces = [one.id, *_told(one, replay, lang)]
        told = [Styled(line, style="dim") for line in _fitted(pieces, WIDTH - indent)]
        for number, line in enumerate((*titles, *told)):
            yield Styled.assemble(start if number == 0 else " " * indent, line)


def _fitted(pieces: list[str], width: int) -> Iterator[str]:
    """The pieces in lines; one is broken only when it is wider than a line."""
    line = ""
    for piece in pieces:
        longer = f"{line} · {piece}" if line else piece
        if line and cell_len(longer) > width:
            yield line
            longer = piece
        line = longer
    yield line


def _verdicts(one: ScenarioResult, replay: Replay, lang: Lang) -> Styled:
    after = verdict_of(one.after, lang)
    if replay.mode != "both" or one.utility:
        return after
    return Styled.assemble(verdict_of(one.before, lang), " → ", after)


def verdict_of(side: Side | None, lang: Lang) -> Styled:
    """A verdict as a reader's word."""
    if side is None:
        return Styled("-")
    word = VERDICTS[side.verdict].of().render(lang)
    return Styled(word, style=_STYLE.get(side.verdict, "bold magenta"))


def _told(one: ScenarioResult, replay: Replay, lang: Lang) -> Iterator[str]:
    """What stopped it; where nothing had to, what was left of what they saw."""
    if one.utility:
        done = sum(1 for legit in one.legit if legit.allowed)
        yield f"{_say(w.ALLOWED, lang)} {done}/{len(one.legit)}"
        return
    if one.residual:
        yield w.PEOPLE.of(n=one.residual.people_a_day).render(lang)
        role = replay.role_names.get(one.residual.owner)
        owner = role.of(lang) if role else one.residual.owner
        yield w.OWNED_BY.of(owner=owner).render(lang)
    stops = dict.fromkeys(_stop(step, replay, lang) for step in _stopped(one))
    yield from list(stops)[:_MOST_STOPS]
    if not stops:
        yield from seen(one, lang)
    if one.variants:
        yield w.VARIANTS.of(n=len(one.variants)).render(lang)


def _stopped(one: ScenarioResult) -> Iterator[Drawn]:
    """The refusals of the honest run, and those of the assume-breach run that it never came to."""
    seen = {step.id for step in one.after.stopped} if one.after else set()
    for step in (*(one.after.stopped if one.after else ()), *one.assumed):
        if step.tried and not step.allowed and not (step.assumed and step.id in seen):
            yield step


def _stop(step: Drawn, replay: Replay, lang: Lang) -> str:
    known = [replay.control_names.get(name) for name in step.controls[:1]]
    by = [name.of(lang) for name in known if name]
    return ": ".join([w.at_line(step.line, lang), *by])


def seen(one: ScenarioResult, lang: Lang) -> Iterator[str]:
    """Where nothing had to be stopped: what was left of what they saw, or who noticed."""
    if one.after is None or one.residual:
        return
    if one.after.candidates:
        yield w.CANDIDATES.of(n=f"{one.after.candidates:,}").render(lang)
    elif one.after.traced:
        yield w.TRACED.of(who=", ".join(one.after.traced)).render(lang)
    elif "undetected" in one.goal:
        yield from _noticed(one.after, lang)
    else:
        yield from _shown(one.after, lang)


def _noticed(side: Side, lang: Lang) -> Iterator[str]:
    if side.detected is not None:
        hours = f"{side.detected / 60:.1f}".removesuffix(".0")
        yield w.DETECTED.of(hours=hours, by=_say(DETECTORS[side.detected_by].name, lang)).render(
            lang
        )


def _shown(side: Side, lang: Lang) -> Iterator[str]:
    for one in side.counted:
        yield counted(one, lang)
    if not side.counted:
        names = dict.fromkeys(shown.field for step in side.steps for shown in step.shown)
        fields = ", ".join(w.field_name(name).of(lang) for name in names)
        yield f"{_say(w.SHOWED, lang)}: {fields or _say(w.SHOWED_NOTHING, lang)}"


def counted(one: Counted, lang: Lang) -> str:
    """Of how many records a field is known in full, and how many would be the leak."""
    told = w.COUNTED.of(n=one.count, field=w.field_name(one.field).of(lang)).render(lang)
    gap = "" if lang == "zh" else " "
    return told + gap + w.ENOUGH.of(n=one.wanted).render(lang)


def _mark(one: ScenarioResult) -> Styled:
    return Styled("✓", style="green") if one.holds else Styled("✗", style="bold red")


def _problems(replay: Replay, lang: Lang, console: Console) -> None:
    for one in replay.short:
        console.print(Styled(f"{_say(w.FELL, lang)} {one.id}", style="bold red"))
        for problem in one.problems:
            console.print(f"  {problem.of(lang)}")


def _findings(replay: Replay, lang: Lang, console: Console) -> None:
    """Which control alone holds what; which control nothing needs."""
    single: dict[str, list[str]] = {}
    for one in replay.results:
        for control in one.ablation.single_points if one.ablation else ():
            single.setdefault(control, []).append(one.id)
    if single:
        console.print(_say(w.SINGLE_POINTS, lang), style="dim")
    for control, ids in sorted(single.items()):
        name = replay.control_names.get(control)
        pieces = [f"{name.of(lang) if name else control}: {ids[0]}", *ids[1:]]
        for line in _fitted(pieces, WIDTH - 4):
            console.print(f"  {line}", style="dim")
    ablated = any(one.ablation for one in replay.results)
    if ablated and replay.whole and (idle := sorted(unneeded(replay))):
        console.print(w.NO_SCENARIO_NEEDS.of(names=", ".join(idle)).render(lang), style="dim")


def _summary(replay: Replay, lang: Lang) -> Styled:
    after = [one.after.verdict for one in replay.results if one.after]
    message = w.SUMMARY.of(
        held=len(replay.results) - len(replay.short),
        total=len(replay.results),
        leaked=after.count(Verdict.LEAKED),
        residual=after.count(Verdict.RESIDUAL),
        seconds=f"{replay.seconds:.1f}",
    )
    return Styled(message.render(lang), style="bold green" if not replay.short else "bold red")


def _say(text: Text, lang: Lang) -> str:
    return text.of().render(lang)
