"""The terminal table: at most 100 columns, in either language, what remains first."""

from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from acl_engine.domain.text import Lang, Text
from acl_engine.replay.report import words as w
from acl_engine.replay.report.document import unneeded
from acl_engine.replay.result import VERDICTS, Replay, ScenarioResult, Side, Verdict

WIDTH = 100
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
    leaks = [one for one in ordered(replay) if not one.utility]
    work = [one for one in ordered(replay) if one.utility]
    if leaks:
        console.print(_leaks(leaks, replay, lang))
    if work:
        console.print(_work(work, lang))
    _problems(replay, lang, console)
    _findings(replay, lang, console)
    console.print(_summary(replay, lang))


def ordered(replay: Replay) -> list[ScenarioResult]:
    """Residual risks first, then what fell short, then the rest as listed."""

    def rank(one: ScenarioResult) -> int:
        if one.after and one.after.verdict is Verdict.RESIDUAL:
            return 0
        return 2 if one.holds else 1

    return sorted(replay.results, key=rank)


def _leaks(results: list[ScenarioResult], replay: Replay, lang: Lang) -> Table:
    table = _table(w.LEAKS, lang)
    table.add_column(_say(w.SCENARIO, lang), ratio=1, no_wrap=False)
    both = replay.mode == "both"
    if both:
        table.add_column(_say(w.SHORT_BEFORE, lang), no_wrap=True)
    table.add_column(_say(w.SHORT_AFTER, lang), max_width=14)
    table.add_column(_say(w.STOPPED, lang), max_width=30)
    table.add_column("", no_wrap=True)
    for one in results:
        cells: list[Styled | str] = [_title(one, lang)]
        if both:
            cells.append(verdict_of(one.before, lang))
        cells += [verdict_of(one.after, lang), _stop(one, replay, lang), _mark(one)]
        table.add_row(*cells)
    return table


def _work(results: list[ScenarioResult], lang: Lang) -> Table:
    table = _table(w.WORK, lang)
    table.add_column(_say(w.SCENARIO, lang), ratio=1)
    table.add_column(_say(w.SHORT_AFTER, lang), no_wrap=True)
    table.add_column(_say(w.ALLOWED, lang), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in results:
        done = sum(1 for legit in one.legit if legit.allowed)
        cells = (_title(one, lang), verdict_of(one.after, lang), f"{done}/{len(one.legit)}")
        table.add_row(*cells, _mark(one))
    return table


def _table(title: Text, lang: Lang) -> Table:
    return Table(title=_say(title, lang), title_justify="left", width=WIDTH, show_lines=False)


def _title(one: ScenarioResult, lang: Lang) -> Styled:
    styled = Styled(one.title.of(lang))
    styled.append(f"\n{one.id}", style="dim")
    return styled


def verdict_of(side: Side | None, lang: Lang) -> Styled:
    """A verdict as a reader's word, with the candidates left where it has some."""
    if side is None:
        return Styled("-")
    word = VERDICTS[side.verdict].of().render(lang)
    if side.verdict is Verdict.DEGRADED:
        word += f" ({side.candidates})"
    return Styled(word, style=_STYLE.get(side.verdict, "bold magenta"))


def _stop(one: ScenarioResult, replay: Replay, lang: Lang) -> str:
    found: dict[str, None] = {}
    seen = {step.id for step in one.after.stopped} if one.after else set()
    steps = (*(one.after.stopped if one.after else ()), *one.assumed)
    for step in steps:
        if not step.tried or step.allowed or (step.assumed and step.id in seen):
            continue
        known = [replay.control_names.get(name) for name in step.controls[:1]]
        by = "、".join(name.of(lang) for name in known if name)
        found[f"{w.at_line(step.line, lang)}: {by}" if by else w.at_line(step.line, lang)] = None
    return "\n".join(list(found)[:3])


def _mark(one: ScenarioResult) -> Styled:
    return Styled("✓", style="green") if one.holds else Styled("✗", style="bold red")


def _problems(replay: Replay, lang: Lang, console: Console) -> None:
    for one in replay.short:
        console.print(Styled(f"{_say(w.FELL, lang)} {one.id}", style="bold red"))
        for problem in one.problems:
            console.print(f"  {problem.of(lang)}")


def _findings(replay: Replay, lang: Lang, console: Console) -> None:
    single = [one.id for one in replay.results if one.ablation and one.ablation.single_points]
    ablated = any(one.ablation for one in replay.results)
    if single:
        console.print(w.SINGLE_POINTS.of(names=", ".join(single)).render(lang), style="dim")
    if ablated and len(replay.results) > 1 and (idle := sorted(unneeded(replay))):
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
