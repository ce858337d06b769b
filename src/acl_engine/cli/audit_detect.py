"""acl audit detect: rules over the log, over history or as records arrive."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from acl_engine.audit.sigma import CorrelationRule
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.lookout import MARK_SECONDS, Marker
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.policies import policy_at
from acl_engine.bootstrap.reactions import AccountReactions
from acl_engine.bootstrap.watch import Watch, detector
from acl_engine.cli.account_options import database_option, pack_option
from acl_engine.cli.audit_options import (
    busy,
    by_option,
    document,
    format_option,
    line_document,
    moment,
    say,
    span_options,
)
from acl_engine.domain.alarm import Alert
from acl_engine.domain.text import Lang, Text
from acl_engine.storage.scan_feed import ScanFeed
from acl_engine.storage.watch_marks import WatchMarks

ALERT = Text(
    "detect.alert",
    "{when}  [{level}] {title}：{who}（{group}），共 {count}；处置 {response}；证据 {evidence}",
    "{when}  [{level}] {title}: {who} ({group}), {count} in all; response {response};"
    " evidence {evidence}",
)
SUM = Text("detect.sum", "{count} 条告警", "{count} alerts")
FOLLOWING = Text(
    "detect.following",
    "正在监视新记录，按 Ctrl-C 结束",
    "watching new records; Ctrl-C ends it",
)
RULE = Text(
    "detect.rule",
    "{name}  [{level}] {title}，处置 {response}",
    "{name}  [{level}] {title}, response {response}",
)
# More indexes than fit on a line are counted.
_MOST_SHOWN = 12


@click.command("detect")
@click.option(
    "--rules",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of Sigma rules.  [default: policies/courier/detection]",
)
@click.option("--list", "listing", is_flag=True, help="Check and list the rules; read no log.")
@click.option("--follow", is_flag=True, help="Watch as records arrive; alerts go on record.")
@click.option(
    "--react",
    is_flag=True,
    help="With --follow: do what the rules say. step-up: the account's next look asks for a second"
    " factor; freeze: the account is suspended, until `acl account resume --reason`.",
)
@click.option("--every", type=click.FloatRange(0.1), default=1.0, help="Seconds between looks.")
@span_options
@database_option
@pack_option
@by_option
@format_option
@click.pass_obj
def detect(
    lang: Lang, folder: Path | None, listing: bool, follow: bool, react: bool, every: float,
    since: int, until: int, url: str, pack: Path | None, by: str, form: str,
) -> None:  # fmt: skip
    """Evaluate the detection rules over the whole log, or over what arrives from now on.

    Over history nothing is written but that it was asked. Exit code 0: no alert. 1: alerts.

    \b
    acl audit detect --from 2026-02-01 --database sqlite:///acl.db
    acl audit detect --follow --react --format json --database sqlite:///acl.db
    """
    if react and not follow:
        raise click.UsageError("--react goes with --follow: what is long past freezes nobody")
    if react and every > MARK_SECONDS:
        raise click.UsageError(
            f"--react looks at least every {MARK_SECONDS:g} seconds: the service takes a watch that"
            " is silent for longer for none"
        )
    found, rules = detector(folder or project_root() / "policies" / "courier" / "detection")
    if listing:
        _list(lang, rules.values(), form)
        return
    with Accountability.open(url) as desk, ExitStack() as opened:
        scans, reactions, marker = ScanFeed(desk.database), None, None
        if react:
            marker = Marker(WatchMarks(desk.database))
            acts = Desk.open(url, policy_at(url, pack))
            opened.callback(acts.close)
            reactions = AccountReactions.over(desk.database, acts)
        watch = Watch(found, desk.store, scans, desk.pseudonyms, desk.clock, reactions)
        desk.write_down("audit.detect", by)
        if follow:
            click.echo(FOLLOWING.of().render(lang), err=True)
            _follow(lang, _arriving(watch, every, marker), rules, form)
            return
        with busy("detect"):
            alerts = [one for one in watch.history(until) if one.at >= since]
    if form == "json":
        document("acl-audit-alerts/1", alerts=[asdict(one) for one in alerts])
    else:
        for one in alerts:
            _print(lang, one, rules)
        say(lang, SUM, count=len(alerts))
    raise SystemExit(1 if alerts else 0)


def _follow(
    lang: Lang, alerts: Iterator[Alert], rules: Mapping[str, CorrelationRule], form: str
) -> None:
    """Until Ctrl-C: each alert on a line of its own, as it is put on record."""
    try:
        for alert in alerts:
            if form == "json":
                line_document(asdict(alert))
            else:
                _print(lang, alert, rules)
    except KeyboardInterrupt:
        return


def _arriving(watch: Watch, every: float, marker: Marker | None) -> Iterator[Alert]:
    """Alerts as they come; `marker` says that somebody who acts on them is at work."""
    while True:
        yield from watch.catch_up()
        if marker is not None:
            marker.at_work()
        time.sleep(every)


def _print(lang: Lang, alert: Alert, rules: Mapping[str, CorrelationRule]) -> None:
    rule = rules[alert.rule]
    shown = [str(index) for index in alert.evidence[:_MOST_SHOWN]]
    if len(alert.evidence) > _MOST_SHOWN:
        shown.append("...")
    say(
        lang,
        ALERT,
        when=moment(alert.at),
        level=alert.level,
        title=rule.acl.zh if lang == "zh" else rule.title,
        who=" ".join(alert.accounts) or "-",
        group=" ".join(f"{name}={value[:16]}" for name, value in alert.group),
        count=alert.count,
        response=alert.response,
        evidence=",".join(shown) or "-",
    )


def _list(lang: Lang, rules: Iterable[CorrelationRule], form: str) -> None:
    if form == "json":
        listed = [
            {"name": one.name, "title": one.title, "zh": one.acl.zh, "level": one.level,
             "response": one.acl.response, "description": one.description}
            for one in rules
        ]  # fmt: skip
        document("acl-audit-rules/1", rules=listed)
        return
    for one in rules:
        title = one.acl.zh if lang == "zh" else one.title
        say(lang, RULE, name=one.name, level=one.level, title=title, response=one.acl.response)
