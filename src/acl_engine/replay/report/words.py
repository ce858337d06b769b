"""The fixed words of the reports, in both languages."""

from collections.abc import Mapping

from acl_engine.domain.text import Lang, Text
from acl_engine.replay.result import Name

TITLE = Text("report.title", "泄露回放：整改前与整改后", "Leak replay: before and after")
SUBTITLE = Text(
    "report.subtitle",
    "同一份攻击脚本，同一个引擎，两家公司的策略",
    "The same attack, the same engine, the policies of two companies",
)
BEFORE = Text("report.before", "2020 年的公司", "The company of 2020")
AFTER = Text("report.after", "整改后的公司", "The company after the remedy")
SCENARIO = Text("report.scenario", "情景", "Scenario")
STOPPED = Text("report.stopped", "停在", "Stopped at")
BY = Text("report.by", "由", "by")
LEFT = Text("report.left", "候选", "Left")
OK = Text("report.ok", "达标", "Holds")
SHORT_BEFORE = Text("report.short-before", "整改前", "Before")
SHORT_AFTER = Text("report.short-after", "整改后", "After")
NOTHING_SENT = Text(
    "report.nothing-sent", "手里没有所需的东西，无从尝试", "lacks what it needs: nothing was sent"
)
ALLOWED = Text("report.allowed", "放行", "allowed")
SHOWED = Text("report.showed", "看到", "shown")
SHOWED_NOTHING = Text("report.showed-nothing", "没有任何字段", "no field at all")
RECORDS = Text("report.records", "件", "parcels")
CARRIED = Text("report.carried", "带走", "carried")
CARRIED_NOTHING = Text("report.carried-nothing", "没有可带走的", "nothing to carry")
BEHIND = Text(
    "report.behind", "绕过引擎，直接改数据库", "behind the engine, in the database itself"
)
DONE = Text("report.done", "已办理", "done")
STOP = Text("report.stop", "拦下", "STOPPED")
STEP = Text("report.step", "第 {line} 步", "step {line}")
AT_LOGIN = Text("report.at-login", "登录", "login")
ENGINE = Text("report.engine", "查单系统", "The query system")
HONEST = Text("report.honest", "实际经过", "What happened")
ASSUMED = Text(
    "report.assumed",
    "假定前一步已得手，后一步还挡得住吗",
    "If every earlier step had worked: is the next one stopped too?",
)
ASSUMED_TAG = Text("report.assumed-tag", "假定", "assumed")
KNOWLEDGE = Text("report.knowledge", "最后他们知道什么", "What they know at the end")
KNOWN = Text("report.known", "已知道", "known")
UNKNOWN = Text("report.unknown", "不知道", "unknown")
CANDIDATES = Text("report.candidates", "还剩 {n} 个候选", "{n} candidates left")
CONTROLS = Text("report.controls", "靠什么挡住", "What holds it")
SINGLE = Text(
    "report.single",
    "单点：只要关掉它，泄露就回来",
    "Single point: switch this one off and the leak is back",
)
DEEP = Text(
    "report.deep",
    "任何一个单独失效，泄露都回不来",
    "No single one of them, when lost, brings the leak back",
)
REOPEN = Text(
    "report.reopen", "同时失去这些，泄露就回来", "Losing these together brings the leak back"
)
POSITIVE = Text(
    "report.positive",
    "本情景的控制全部关掉：{verdict}",
    "With all of its controls off: {verdict}",
)
LEGIT = Text("report.legit", "正当工作照常", "Honest work goes on")
DENIED = Text("report.denied", "被拒绝", "denied")
EXTRA = Text("report.extra", "多给了", "shows too much")
MISSING = Text("report.missing", "少给了", "lacks")
RESIDUAL = Text("report.residual", "残余风险，明说", "Residual risk, stated")
PEOPLE = Text("report.people", "每天至多 {n} 人", "at most {n} people a day")
NOTICED = Text("report.noticed", "谁会发现", "Who notices")
NAMED = Text("report.named", "日志记到谁", "Whom the log names")
OWNER = Text("report.owner", "风险由谁承担", "Who owns the risk")
UNTIL = Text("report.until", "有效至", "Until")
COST = Text("report.cost", "攻击者用了", "The attackers used")
ACCOUNTS = Text("report.accounts", "账号 {n}", "accounts {n}")
DEVICES = Text("report.devices", "设备 {n}", "devices {n}")
LOOKUPS = Text("report.lookups", "请求 {n}", "requests {n}")
EVERY_STEP = Text(
    "report.every-step", "审计日志每一步都记到人", "the audit log names who did every step"
)
NOT_EVERY_STEP = Text(
    "report.not-every-step",
    "审计日志有步骤没有记到人",
    "the audit log leaves a step without a name",
)
THINK = Text("report.think", "想一想", "Think first")
HINT = Text("report.hint", "提示", "Hint")
ANSWER = Text("report.answer", "答案", "Answer")
LINE = Text("report.line", "查询的直线", "The lookup line")
OVERVIEW = Text("report.overview", "一览", "Overview")
ATTACKS = Text("report.attacks", "泄露情景", "leaks replayed")
STOPPED_COUNT = Text("report.stopped-count", "整改后已挡住", "blocked after the remedy")
LEAKED_COUNT = Text("report.leaked-count", "整改前真的泄露", "really leaked before")
KEPT_COUNT = Text("report.kept-count", "正当工作情景照常", "working days kept")
RESIDUAL_COUNT = Text("report.residual-count", "残余风险", "residual risks")
SHORT_COUNT = Text("report.short-count", "未达标", "fell short")
PRINT_HINT = Text(
    "report.print-hint",
    "可直接打印；无需网络；人物全为合成",
    "Ready to print; needs no network; every person is synthetic",
)
SUMMARY = Text(
    "report.summary",
    "{held}/{total} 个情景达标 · 泄露 {leaked} · 残余 {residual} · {seconds} 秒",
    "{held} of {total} scenarios hold · leaked {leaked} · residual {residual} · {seconds} s",
)
NO_SCENARIO_NEEDS = Text(
    "report.unneeded",
    "没有情景需要的控制：{names}",
    "controls that no scenario needs: {names}",
)
SINGLE_POINTS = Text(
    "report.single-points",
    "只靠一个控制的情景（它一失效，泄露就回来）：",
    "held by one control alone (when it is lost, the leak is back):",
)
OWNED_BY = Text("report.owned-by", "由 {owner} 承担", "owned by {owner}")
DETECTED = Text("report.detected", "{hours} 小时后发现：{by}", "noticed after {hours} h by {by}")
TRACED = Text("report.traced", "日志追到账号 {who}", "the log leads to {who}")
VARIANTS = Text("report.variants", "另换 {n} 次人选", "{n} variants with other people")
FELL = Text("report.fell", "未达标", "FELL SHORT")
WORK = Text("report.work", "工作情景", "Working days")
LEAKS = Text("report.leaks", "泄露情景", "Leaks")

LANGUAGE = Text("report.language", "语言", "Language")
CONTENTS = Text("report.contents", "目录", "Contents")
WHO = Text("report.who", "谁", "Who")
FACT = Text("report.fact", "什么", "What")
EASY = Text("report.easy", "越少越容易猜到", "the fewer, the easier to guess")
CASE = Text("report.case", "案例 {n}", "case {n}")
LAW = Text("report.law", "法条", "Law")
SOURCE = Text("report.source", "案例出处", "Source")
SENT_TO = Text("report.sent-to", "发往", "to")
COUNTED = Text(
    "report.counted", "完整知道 {n} 件的{field}", "the full {field} of {n} parcels is known"
)
EVENTS = Text("report.events", "{n} 条记录", "{n} events")
ENOUGH = Text("report.enough", "（{n} 件即为泄露）", "({n} would be the leak)")
GOAL = Text("report.goal", "怎样算泄露", "What counts as the leak")
WRONG_REASON = Text("report.wrong-reason", "与情景所写不符", "not where or why the file says")
DEVICE_ITSELF = Text("report.device-itself", "设备本身", "the device itself")
ALL_OFF = Text(
    "report.all-off", "把这些控制全部关掉再放一遍：", "Replayed with all of these switched off:"
)
HOW = Text("report.how", "怎么看这张图", "How to read the picture")
HOW_TEXT = Text(
    "report.how-text",
    "从上到下是时间，竖线是人和查单系统，箭头是一次请求或一次线下传递。"
    "红色屏障表示查询的直线在第几步、由哪个控制把它拦下。",
    "Time runs from top to bottom. Upright lines are people and the query system; an arrow is a "
    "request, or something handed over outside of it. A red barrier says at which step of the "
    "lookup line it was stopped, and by which control.",
)

FIELDS: Mapping[str, Text] = {
    name: Text(f"field.{name}", zh, en)
    for name, zh, en in (
        ("waybill_no", "运单号", "waybill number"),
        ("route", "三段码", "route code"),
        ("city", "城市与区", "city"),
        ("area", "街道与小区", "street and area"),
        ("unit", "门牌", "building and room"),
        ("address", "门牌", "building and room"),
        ("recipient_name", "收件人", "recipient"),
        ("name", "收件人", "recipient"),
        ("recipient_phone", "收件电话", "recipient's phone"),
        ("phone", "收件电话", "recipient's phone"),
        ("sender_name", "寄件人", "sender"),
        ("sender_phone", "寄件电话", "sender's phone"),
        ("sender_address", "寄件地址", "sender's address"),
        ("item", "物品", "item"),
        ("value", "金额", "value"),
        ("id_number", "证件号", "ID number"),
        ("trace", "轨迹", "trace"),
        ("pod", "签收凭证", "proof of delivery"),
        ("pickup_code", "取件码", "pickup code"),
        ("remark", "备注", "remark"),
        ("password", "口令", "password"),
        ("totp", "动态口令", "one-time code"),
        ("device", "设备", "device"),
        ("verified", "核对结果", "verified"),
        ("count", "件数", "count"),
        ("call", "通话", "call"),
    )
}

# The lookup line, in the words of a class. Index = number of the step.
LINE_WORDS = (
    Text("line.login", "登录", "log in"),
    Text("line.0", "谁", "who"),
    Text("line.1", "问什么", "what"),
    Text("line.2", "事实", "facts"),
    Text("line.3", "裁决", "decide"),
    Text("line.4", "额度", "budget"),
    Text("line.5", "记账", "write down"),
    Text("line.6", "拒绝", "refuse"),
    Text("line.7", "取数", "fetch"),
    Text("line.8", "复核", "re-check"),
    Text("line.9", "脱敏", "mask"),
    Text("line.10", "结账", "close"),
    Text("line.11", "返回", "return"),
)
LINE_NUMBERS = ("login", *(str(number) for number in range(12)))
# Where a request beside the lookup line was stopped.
BESIDE = {
    "admin": Text("line.admin", "管理操作", "administration"),
    "http": Text("line.http", "网络请求", "on the wire"),
    "call": Text("line.call", "电话", "on the telephone"),
}


def name(text: Text, **params: object) -> Name:
    """A text as a name in both languages."""
    message = text.of(**params)
    return Name(message.render("zh"), message.render("en"))


def field_name(field: str) -> Name:
    """A field in a reader's words; an unknown one as it is."""
    text = FIELDS.get(field)
    return name(text) if text else Name(field, field)


def line_name(line: str) -> Name:
    """`login` or `step 3: decide`."""
    if line not in LINE_NUMBERS:
        return name(BESIDE[line]) if line in BESIDE else Name(line, line)
    word = name(LINE_WORDS[LINE_NUMBERS.index(line)])
    if line == "login":
        return word
    step = name(STEP, line=line)
    return Name(f"{step.zh}「{word.zh}」", f"{step.en} ({word.en})")


def at_line(line: str, lang: Lang) -> str:
    """`login` or `step 3`, for a reader."""
    if line == "login":
        return AT_LOGIN.of().render(lang)
    if line in BESIDE:
        return BESIDE[line].of().render(lang)
    return STEP.of(line=line).render(lang)
