"""What a replay found, as frozen values: what every report prints and nothing else computes.

One `ScenarioResult` a file; its `before` and `after` are `Side`s, each one honest run. `Drawn`
steps are what the picture of a report is drawn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acl_engine.domain.text import Text


class Verdict(StrEnum):
    """Strictest first; never a bare pass. KEPT is a utility scenario's: the work stays possible,
    and nothing more is shown; OVERSHOWN: it showed more, or less, than the file says."""

    BLOCKED = "BLOCKED"
    BLOCKED_WRONG_REASON = "BLOCKED_WRONG_REASON"
    DEGRADED = "DEGRADED"
    RESIDUAL = "RESIDUAL"
    LEAKED = "LEAKED"
    VACUOUS = "VACUOUS"
    FALSE_DENIAL = "FALSE_DENIAL"
    OVERSHOWN = "OVERSHOWN"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"
    KEPT = "KEPT"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages."""

    zh: str
    en: str

    def of(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as it left the engine or was carried: masked or not."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One step as it went. `kind`: channel, request, or the key of another kind of step.

    `line` is the step of the lookup line that decided (`login`, `0` to `11`); `as_stated` is
    False when it was stopped elsewhere, or by another control, than the file says. `tried` is
    False when the actor lacked what it needed: nothing was sent. `assumed` marks a step of the
    assume-breach run that rested on knowledge that was handed over.
    """

    id: str
    kind: str
    who: str
    to: str
    what: Name
    tried: bool
    allowed: bool
    line: str = ""
    controls: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""
    shown: tuple[Shown, ...] = ()
    carried: tuple[str, ...] = ()
    assumed: bool = False
    as_stated: bool = True
    named: bool = True
    records: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What one actor knows of one fact at the end. `left` = candidates; 1 is known; `best` is the
    most telling form in which it was seen."""

    who: str
    fact: str
    left: int
    best: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """Of how many records one actor knows a field in full, where a goal counts them."""

    who: str
    field: str
    count: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What the attackers used. `days` between the first and the last step."""

    accounts: int = 0
    devices: int = 0
    lookups: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One company's run. `reached` is whether the goal holds; `candidates` the fewest left of the
    wanted fact (0: nothing of it was seen); `detected` the minutes until something noticed it
    (None: never), `detected_by` what it was; `traced` the accounts that the log names for what
    came to light."""

    verdict: Verdict
    policy: str
    reached: bool
    steps: tuple[Drawn, ...] = ()
    knowledge: tuple[Known, ...] = ()
    counted: tuple[Counted, ...] = ()
    candidates: int = 0
    cost: Cost = field(default_factory=Cost)
    every_step_named: bool = True
    detected: int | None = None
    detected_by: str = ""
    traced: tuple[str, ...] = ()
    why: str = ""

    @property
    def stopped(self) -> tuple[Drawn, ...]:
        return tuple(one for one in self.steps if one.tried and not one.allowed)


@dataclass(frozen=True, slots=True)
class Ablation:
    """`positive`: the verdict with every control of the file off. `single`: with one off, whether
    the leak comes back. `reopen`: the smallest sets whose loss lets it through."""

    positive: Verdict | None = None
    single: Mapping[str, bool] = field(default_factory=dict)
    reopen: tuple[tuple[str, ...], ...] = ()
    bound: int = 0

    @property
    def single_points(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, leaks in self.single.items() if leaks))


@dataclass(frozen=True, slots=True)
class Variant:
    """The same leak with somebody else: `name` says what is different (`victim=2`)."""

    name: str
    before: Verdict | None
    after: Verdict
    kept: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """One legitimate request. `extra` are fields shown beyond what the file says."""

    account: str
    what: Name
    allowed: bool
    line: str = ""
    controls: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """What a residual leak is bounded by, who notices, whom the log names, who owns it."""

    people_a_day: int
    noticed_by: Name
    named: str
    owner: str
    until: str


@dataclass(frozen=True, slots=True)
class Actor:
    id: str
    name: Name
    account: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    id: str
    ask: Name
    answer: str


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """All that was found for one file. `problems` say in words what fell short of `must_hold`."""

    id: str
    title: Name
    case: int
    patterns: tuple[int, ...]
    severity: str
    controls: tuple[str, ...]
    goal: str
    story: Name
    before: Side | None = None
    after: Side | None = None
    assumed: tuple[Drawn, ...] = ()
    ablation: Ablation | None = None
    legit: tuple[Allowed, ...] = ()
    residual: Bound | None = None
    actors: tuple[Actor, ...] = ()
    hints: tuple[Name, ...] = ()
    flags: tuple[Flag, ...] = ()
    law: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    problems: tuple[Name, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.problems

    @property
    def utility(self) -> bool:
        return not self.goal


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole replay. `mode` is `both`, or `one` for a single policy that must block; `whole`:
    every scenario of the pack was replayed."""

    results: tuple[ScenarioResult, ...]
    pack: str
    seed: str
    mode: str = "both"
    whole: bool = False
    seconds: float = 0.0
    control_names: Mapping[str, Name] = field(default_factory=dict)
    role_names: Mapping[str, Name] = field(default_factory=dict)

    @property
    def short(self) -> tuple[ScenarioResult, ...]:
        return tuple(one for one in self.results if not one.holds)

    @property
    def exit_code(self) -> int:
        return 1 if self.short else 0


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.BLOCKED: Text("verdict.blocked", "已挡住", "BLOCKED"),
    Verdict.BLOCKED_WRONG_REASON: Text(
        "verdict.wrong-reason", "挡住但原因不符", "BLOCKED, WRONG REASON"
    ),
    Verdict.DEGRADED: Text("verdict.degraded", "仅余候选", "DEGRADED"),
    Verdict.RESIDUAL: Text("verdict.residual", "残余风险", "RESIDUAL"),
    Verdict.LEAKED: Text("verdict.leaked", "已泄露", "LEAKED"),
    Verdict.VACUOUS: Text("verdict.vacuous", "情景无效", "VACUOUS"),
    Verdict.FALSE_DENIAL: Text("verdict.false-denial", "误拒", "FALSE DENIAL"),
    Verdict.OVERSHOWN: Text("verdict.overshown", "显示不符", "OVERSHOWN"),
    Verdict.SKIPPED: Text("verdict.skipped", "跳过", "SKIPPED"),
    Verdict.ERROR: Text("verdict.error", "出错", "ERROR"),
    Verdict.KEPT: Text("verdict.kept", "工作照常", "KEPT"),
}
