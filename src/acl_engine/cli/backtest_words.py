"""What a backtest found, in words and as a document."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from acl_engine.analysis.backtest.report import Outcome, Report
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Message, Text

SUMMARY = Text(
    "backtest.summary",
    "{first} 至 {last}：{judged} 次访问可判定；当时允许的 {allowed} 次中，"
    "本策略会拒绝 {denied} 次（{share}）",
    "{first} to {last}: {judged} accesses judged; of the {allowed} that were allowed this policy"
    " would deny {denied} ({share})",
)
WIDER = Text(
    "backtest.wider",
    "当时拒绝而本策略会允许：{count} 次",
    "refused then, and allowed by this policy: {count}",
)
NOTHING = Text("backtest.nothing", "日志中没有可判定的访问", "no access in the log could be judged")
ASSUMED = Text(
    "backtest.assumed",
    "日志说明不了、按此假定的事实：{facts}",
    "facts that the log does not tell, taken to be: {facts}",
)
CAUSES = {
    "unreadable": Text("backtest.unreadable", "不可读的行", "lines that cannot be read"),
    "account": Text("backtest.account", "库中没有的账号", "accounts that are not known"),
    "action": Text(
        "backtest.action",
        "不认识的操作（用 --action 旧=新 说明）",
        "actions that are not known (say what they mean: --action OLD=NEW)",
    ),
    "record": Text("backtest.record", "库中没有的记录", "records that are not known"),
    "no-record": Text("backtest.no-record", "没有写明记录", "no record is named"),
    "later": Text(
        "backtest.later",
        "早于记录本身（检查 --utc-offset）",
        "earlier than the record itself (check --utc-offset)",
    ),
}
STAGE = Text("backtest.stage", "所需的环节", "the stage that is asked for")
CAUSE_LINE = Text(
    "backtest.cause",
    "未判定 {count} 次：{cause}；行 {lines}",
    "not judged {count}: {cause}; lines {lines}",
)
HEADS = {
    "role": Text("backtest.role", "角色", "role"),
    "branch": Text("backtest.branch", "网点", "branch"),
    "reason": Text("backtest.reason", "原因", "reason"),
    "login": Text("backtest.login", "账号", "account"),
}


def reason_words(outcome: Outcome, pack: Pack, lang: Lang) -> str:
    """Why an access would be denied, in the policy's own words for its relations."""
    lacking = dict(outcome.reason.params).get("lacking")
    if lacking is None:
        return outcome.reason.render(lang)
    words = []
    for name in lacking.split():
        spec = pack.relations.get(name)
        words.append(STAGE.of().render(lang) if spec is None else getattr(spec, lang))
    return ("缺：" if lang == "zh" else "lacking: ") + ("；" if lang == "zh" else "; ").join(words)


def backtest_text(
    found: Report, pack: Pack, lang: Lang, assumed: dict[str, str], rows: int
) -> Iterable[str]:
    yield _summary(found).render(lang)
    if found.count(then=False):
        yield WIDER.of(count=f"{found.count(then=False, now=True):,}").render(lang)
    if assumed:
        facts = ", ".join(f"{name}={value}" for name, value in sorted(assumed.items()))
        yield ASSUMED.of(facts=facts).render(lang)
    for cause, count in found.unjudged.items():
        lines = ", ".join(map(str, found.first[cause]))
        words = CAUSES[cause].of().render(lang)
        yield CAUSE_LINE.of(count=f"{count:,}", cause=words, lines=lines + " ...").render(lang)
    yield from _table("role", found.by(lambda one: one.outcome.role), lang, rows)
    yield from _table("branch", found.by(lambda one: one.unit), lang, rows)
    reasons = [
        (f"{one.role} {one.action}: {reason_words(one, pack, lang)}", count)
        for one, count in found.reasons()
    ]
    yield from _short("reason", reasons, lang, rows)
    yield from _short("login", list(found.accounts.items()), lang, rows)


def _summary(found: Report) -> Message:
    allowed, denied = found.count(then=True), found.count(then=True, now=False)
    if not found.count():
        return NOTHING.of()
    first, last = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ") for at in found.span)
    return SUMMARY.of(
        first=first,
        last=last,
        judged=f"{found.count():,}",
        allowed=f"{allowed:,}",
        denied=f"{denied:,}",
        share=f"{denied / allowed:.1%}" if allowed else "-",
    )


def _table(head: str, rows: list[tuple[str, int, int]], lang: Lang, most: int) -> Iterable[str]:
    if not rows:
        return
    yield ""
    allowed, denied = ("当时允许", "会被拒绝") if lang == "zh" else ("allowed then", "denied now")
    yield f"{denied:>14} {allowed:>14}  {HEADS[head].of().render(lang)}"
    for name, every, lost in rows[:most]:
        yield f"{lost:>14,} {every:>14,}  {name}"
    yield from _more(len(rows) - most, lang)


def _short(head: str, rows: list[tuple[str, int]], lang: Lang, most: int) -> Iterable[str]:
    if not rows:
        return
    yield ""
    yield f"{'会被拒绝' if lang == 'zh' else 'denied now':>14}  {HEADS[head].of().render(lang)}"
    for name, count in rows[:most]:
        yield f"{count:>14,}  {name}"
    yield from _more(len(rows) - most, lang)


def _more(left: int, lang: Lang) -> Iterable[str]:
    if left > 0:
        yield f"  ... 还有 {left} 行（--rows）" if lang == "zh" else f"  ... {left} more (--rows)"


def backtest_json(found: Report, pack: Pack, lang: Lang, assumed: dict[str, str]) -> str:
    document = {
        "schema": "acl-backtest/1",
        "version": found.version,
        "first": found.span[0],
        "last": found.span[1],
        "judged": found.count(),
        "allowed_then": found.count(then=True),
        "denied_now": found.count(then=True, now=False),
        "allowed_anew": found.count(then=False, now=True),
        "assumed": assumed,
        "not_judged": {
            cause: {"count": count, "first_lines": list(found.first[cause])}
            for cause, count in found.unjudged.items()
        },
        "tallies": [
            {
                "role": one.outcome.role,
                "branch": one.unit,
                "action": one.outcome.action,
                "allowed_then": one.then,
                "allowed_now": one.outcome.allowed,
                "controls": list(one.outcome.controls),
                "reason": reason_words(one.outcome, pack, lang),
                "count": one.count,
            }
            for one in found.tallies
        ],
        "accounts": dict(found.accounts),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)
