"""A whole replay: read every file first, build the worlds once, judge each scenario, in order.

INVARIANTS
- Nothing is run before every file has been read: a wrong file stops the replay, exit code 2.
- The worlds are built in a folder of their own and forgotten; no database of the user is touched.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from acl_engine.domain.errors import ScenarioError, StoreError, Where
from acl_engine.domain.text import Message, Text
from acl_engine.policy.pack import load_pack
from acl_engine.replay.check import check_against, check_world
from acl_engine.replay.judge import Judge
from acl_engine.replay.present import names_of, present, skipped
from acl_engine.replay.result import Name, Replay, ScenarioResult, Verdict
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.stage import NoTransport
from acl_engine.replay.theatre import scenarios, theatre
from acl_engine.replay.transport import Serve
from acl_engine.replay.troupe import players, shared_out

NONE_THERE = Text(
    "replay.none",
    "目录中没有可运行的情景文件",
    "the folder holds no active scenario",
    "检查 `--pack`",
    "check `--pack`",
)
DRAFT = Text("replay.draft", "跳过：状态不是 active", "skipped: its status is not active")
BROKE = Text("replay.broke", "运行出错：{why}", "broke while it ran: {why}")

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to replay. `policy`: one folder alone, held to what each file says of `after`;
    `serve`: what answers raw HTTP steps; `jobs`: how many processes, 0 for as many as help."""

    root: Path
    pack: str = "courier"
    ids: tuple[str, ...] = ()
    policy: Path | None = None
    ablate: bool = True
    allow_skipped: bool = False
    serve: Serve | None = None
    jobs: int = 0


def play(order: Order, progress: Progress = lambda done, total, name: None) -> Replay:
    """Run it. Raises ScenarioError, PolicyError, StoreError: the call or a file is wrong."""
    started = time.monotonic()
    filed = scenarios(order.root, order.pack, order.ids)
    chosen = [scenario for _, scenario in filed]
    folder = order.root / "scenarios" / order.pack
    if not chosen:
        raise ScenarioError(NONE_THERE.of(), Where(str(folder)))
    progress(0, len(chosen), "")
    with theatre(
        order.root,
        pack=order.pack,
        policy=order.policy,
        ablate=order.ablate,
        serve=order.serve,
    ) as judge:
        # A file names the controls of the company's own policy, whatever is replayed against.
        standard = load_pack(order.root / "policies" / order.pack / "after")
        for path, one in filed:
            check_against(one, judge.before, standard, path)
            check_world(one, judge.truth, path)
        results = _all(chosen, judge, order, progress)
        controls = standard.controls.values()
        roles = standard.roles.items()
    return Replay(
        results=tuple(results),
        pack=order.pack,
        seed=f"{order.pack}-small",
        mode="one" if order.policy else "both",
        whole=not order.ids,
        seconds=time.monotonic() - started,
        control_names=names_of((one.id, one.zh, one.en) for one in controls),
        role_names=names_of((id_, one.zh, one.en) for id_, one in roles),
    )


def _all(
    chosen: list[Scenario], judge: Judge, order: Order, progress: Progress
) -> list[ScenarioResult]:
    count = order.jobs or players(len(chosen))
    if count > 1:
        judge.templates.built()
    return shared_out(
        lambda scenario: _one(scenario, judge, order),
        chosen,
        count,
        lambda done, scenario: progress(done, len(chosen), scenario.id),
    )


def _one(scenario: Scenario, judge: Judge, order: Order) -> ScenarioResult:
    if scenario.status != "active":
        return _skipped(scenario, DRAFT.of(), order)
    try:
        return present(judge.judge(scenario), judge)
    except NoTransport as error:
        return _skipped(scenario, error.message, order)
    except StoreError as error:
        return skipped(scenario, Verdict.ERROR, _name(BROKE.of(why=error.message.code)))


def _skipped(scenario: Scenario, why: Message, order: Order) -> ScenarioResult:
    result = skipped(scenario, Verdict.SKIPPED, _name(why))
    return replace(result, problems=()) if order.allow_skipped else result


def _name(message: Message) -> Name:
    return Name(message.render("zh"), message.render("en"))
