"""The step kinds beside a request: an administrator's act, an event, a fault, tampering, raw HTTP.

Each is run over the real engine; a kind that did nothing would leave its test's other half alone.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acl_engine.domain.errors import ScenarioError
from acl_engine.policy.pack import load_pack
from acl_engine.replay.ablation import without
from acl_engine.replay.goal import reached
from acl_engine.replay.reading import read_scenario
from acl_engine.replay.run import Run, Runner
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.stage import NoTransport, Stage
from acl_engine.replay.theatre import PARCELS, small_truth, small_world
from acl_engine.replay.transport import Asked, Replied, Site
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database, create_or_upgrade

ROOT = Path(__file__).parents[3]
AFTER = ROOT / "policies" / "courier" / "after"
HEAD = """\
schema: acl-scenario/1
id: test.steps
title: {zh: 步骤, en: steps}
status: active
severity: low
source: {case: 7, patterns: [1]}
world: {pack: courier, seed: courier-small, at: "2026-03-02T21:40:00+08:00"}
must_hold: {after: blocked}
training: {story: {zh: 无, en: none}}
params:
  own: {type: parcel, where: "named(load-1)"}
  other: {type: parcel, where: "named(load-89)"}
actors:
  courier: {account: courier-88, devices: [pda-88], secrets: [password, totp]}
  admin: {account: acct-admin-01, devices: [pc-25], secrets: [password, totp]}
  desk: {account: dev-admin-01}
knowledge: {courier: [own.waybill_no, other.waybill_no]}
controls: [audit-first]
"""
LOOK = 'actor: courier, request: {action: read, key: "${own.waybill_no}"}'
NOT = "not knows(courier, other.phone)"
GOAL = f'goal: {{leak: "knows(courier, own.address) and undetected(7d) and {NOT}"}}'


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Database, Truth]]:
    small = small_world(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        database = create_or_upgrade(f"sqlite:///{Path(folder) / 'steps.db'}")
        build_world(database, small, PARCELS, synthetic_sealing(small.seed))
        yield database, small_truth(small, load_pack(AFTER))
        database.close()


Play = Callable[..., Run]


@pytest.fixture
def play(world: tuple[Database, Truth], tmp_path: Path) -> Play:
    """Runs steps written in short, on a copy of the world on disk."""

    def played(*steps: str, goal: str = GOAL, serve: object = None, off: str = "") -> Run:
        scenario = read(tmp_path, *steps, goal=goal)
        pack = without(load_pack(ROOT / "policies" / "courier" / "after"), off.split()).pack
        stage = Stage.open(
            world[0],
            pack,
            world[1],
            weak=False,
            folder=Path(tempfile.mkdtemp(dir=tmp_path)),
            serve=serve,  # type: ignore[arg-type]
        )
        try:
            run = Runner(scenario, stage).run()
            run.holds = reached(scenario, run, world[1]).holds  # type: ignore[attr-defined]
            return run
        finally:
            stage.close()

    return played


def read(folder: Path, *steps: str, goal: str = GOAL) -> Scenario:
    lines = "".join(f"  - {{id: s{number}, {step}}}\n" for number, step in enumerate(steps, 1))
    file = folder / "steps.yaml"
    file.write_text(f"{HEAD}{goal}\nsteps:\n{lines}", encoding="utf-8")
    return read_scenario(file)


def at(run: Run, number: int) -> tuple[bool, str, tuple[str, ...]]:
    outcome = run.steps[number - 1].outcome
    assert outcome is not None
    return outcome.allowed, outcome.line, outcome.controls


# --- administrators ----------------------------------------------------------------------------


def test_a_suspended_account_is_out_at_the_next_look(play: Play) -> None:
    """The act goes through the desk: the open session is dead, and nobody logs in again."""
    run = play(
        LOOK,
        "admin: {kind: suspend, account: courier, by: admin}",
        LOOK,
        "actor: courier, login: {fresh: true}",
        goal='goal: {leak: "acts(admin, suspend, courier) and knows(courier, own.address) and '
        f'{NOT}"}}',
    )
    assert at(run, 1)[0]
    assert at(run, 3)[:2] == (False, "0")
    assert at(run, 4)[:2] == (False, "login")
    assert run.holds  # type: ignore[attr-defined]


def test_an_administrator_who_grants_to_himself_is_refused(play: Play) -> None:
    """A bad act is a denial at `admin` with the code of its reason, and changes nothing."""
    run = play("admin: {kind: move, account: admin, role: sec_auditor, by: admin}", LOOK)
    outcome = run.steps[0].outcome
    assert outcome is not None
    assert (outcome.allowed, outcome.line) == (False, "admin")
    assert outcome.reason == "account-self-granted"
    assert not run.minds["admin"].acts


def test_a_revoked_scanner_and_a_new_one(play: Play) -> None:
    """Devices too: revoked it is dead; another is enrolled, bound, leased, and works."""
    run = play(
        "admin: {kind: revoke, device: pda-88, status: lost, by: desk}",
        "actor: courier, login: {device: pda-88, fresh: true}",
        "admin: {kind: enrol, device: pda-new, device_class: app, unit: ba-xixiang, by: desk}",
        "admin: {kind: bind, device: pda-new, account: courier, by: desk}",
        "admin: {kind: lease, device: pda-new, hours: 8, by: desk}",
        "channel: issues",
        LOOK.replace("request", "login: {device: pda-new}, request"),
        goal=GOAL + "\nchannels: {issues: {from: desk, to: courier, carries: ['device:pda-new']}}",
    )
    assert at(run, 2)[:2] == (False, "login")
    assert at(run, 7)[0]


# --- events ------------------------------------------------------------------------------------


def test_events_are_recorded_as_the_company_records_them(play: Play) -> None:
    """A leaver is out; a shift and an honest scan are facts that the next look rests on."""
    run = play(
        'event: {kind: scan, account: keeper-07, way: out, parcel: "${own.waybill_no}",'
        " to_unit: ba-shajing}",
        "event: {kind: shift, account: courier-90, made_by: sup-0427, hours: 4}",
        "event: {kind: leaves, account: courier-88, by: acct-admin-01}",
        LOOK,
    )
    assert run.steps[0].outcome is not None
    assert run.steps[0].entries, "a scan goes through the line and is on record"
    assert at(run, 4)[:2] == (False, "login")


# --- faults ------------------------------------------------------------------------------------


def test_no_answer_while_the_audit_store_is_down(play: Play) -> None:
    """Refused at 5 by the control that is about it, and answered again once mended."""
    run = play(LOOK, "fault: {kind: audit-down}", LOOK, "fault: {kind: mended}", LOOK)
    assert at(run, 1)[0]
    assert at(run, 3) == (False, "5", ("audit-first",))
    assert at(run, 5)[0]


def test_without_audit_first_the_outage_gives_an_unrecorded_answer(play: Play) -> None:
    """The control is real: switched off, the same look is answered and nobody is named."""
    run = play("fault: {kind: audit-down}", LOOK, off="audit-first")
    assert at(run, 2)[0]
    assert run.steps[1].outcome is not None
    assert not run.steps[1].outcome.named
    assert not run.steps[1].entries
    assert run.holds  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", ["database-locked", "disk-full"])
def test_no_answer_from_a_store_that_cannot_write(play: Play, fault: str) -> None:
    """The real thing: another process's transaction, a file that may not grow."""
    run = play(LOOK, f"fault: {{kind: {fault}}}", LOOK, "fault: {kind: mended}", LOOK)
    assert at(run, 1)[0]
    allowed, line, controls = at(run, 3)
    assert not allowed
    assert controls == ("audit-first",), line
    assert run.steps[2].taught == ()
    assert at(run, 5)[0]


@pytest.mark.parametrize("line", ["3", "7", "10", "11"])
def test_a_killed_process_has_answered_nothing(play: Play, line: str) -> None:
    """SIGKILL as the line is entered: no byte came out, and from 7 on the intent is on record."""
    run = play(
        "actor: courier, login: {}", f'fault: {{kind: process-killed, at: "{line}"}}', LOOK, LOOK
    )
    outcome = run.steps[2].outcome
    assert outcome is not None
    assert (outcome.allowed, outcome.line, outcome.reason) == (False, line, "killed")
    kinds = [entry.kind for entry in run.steps[2].entries]
    assert kinds == {"3": [], "7": ["intent"], "10": ["intent"]}.get(line, ["intent", "outcome"])
    assert at(run, 4)[0], "the next process finds the database whole"


# --- tampering ---------------------------------------------------------------------------------


def test_what_is_changed_behind_the_engine_is_what_it_then_reads(play: Play) -> None:
    """A parcel assigned in the database by hand: the change is real, and it is somebody's act."""
    run = play(
        "actor: admin, tamper: {kind: change, table: waybills, to: {assignee: p-courier-89},"
        ' where: {waybill_no: "${own.waybill_no}"}}',
        LOOK,
        goal='goal: {leak: "acts(admin, tamper, waybills) and not knows(courier, own.address) and '
        f'{NOT}"}}',
    )
    assert at(run, 2)[:2] == (False, "3")
    assert run.holds  # type: ignore[attr-defined]


def test_log_records_can_be_deleted(play: Play) -> None:
    """By somebody who has the database: what the log was asked for is gone."""
    run = play(
        LOOK,
        "actor: admin, tamper: {kind: delete, table: audit_records, where: {account: courier-88}}",
        LOOK,
    )
    assert at(run, 3)[0]


WIPED = (
    LOOK,
    "actor: admin, tamper: {kind: delete, table: audit_records, where: {account: courier-88}}",
    "advance: 2d",
)


@pytest.mark.parametrize(
    ("within", "off", "holds"), [("2d", "", False), ("12h", "", True), ("2d", "signed-log", True)]
)
def test_a_wiped_log_is_noticed_by_the_next_days_check(
    play: Play, within: str, off: str, holds: bool
) -> None:
    """Undetected only until the log is verified, or for ever where nobody signs it."""
    goal = f'goal: {{leak: "acts(admin, tamper, audit_records) and undetected({within})'
    goal += f' and knows(courier, own.address) and {NOT}"}}'
    assert play(*WIPED, goal=goal, off=off).holds is holds  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        ("excise, account: courier", ("audit.root",)),
        ("blame, account: courier, onto: courier-89", ("audit.root",)),
        ("invent, account: courier, onto: courier-89", ("audit.root",)),
        ("truncate, account: courier", ("audit.cut",)),
        ("forge, account: courier", ("audit.foreign-key", "audit.cut")),
    ],
)
def test_a_log_tampered_with_in_form_is_found_by_what_was_signed(
    play: Play, tamper: str, codes: tuple[str, ...]
) -> None:
    """Indexes, hashes and columns hold together: only what is kept elsewhere tells."""
    steps = (LOOK, LOOK, f"actor: admin, tamper: {{kind: {tamper}}}")
    assert play(*steps).steps[2].flaws == codes
    assert play(*steps, off="signed-log").steps[2].flaws == ()


def test_a_clock_set_back_shows_at_the_next_look(play: Play) -> None:
    """Setting it leaves no trace; the next record stands after later ones."""
    run = play(LOOK, "actor: admin, tamper: {kind: set-clock-back, hours: 3}", LOOK)
    assert (run.steps[1].flaws, run.steps[2].flaws) == ((), ("audit.clock",))


def test_an_altered_receipt_is_believed_only_where_nothing_is_signed(play: Play) -> None:
    """It is refused for its proof; the unaltered one was accepted in the same step."""
    show = "tamper: {kind: show-receipt, account: courier, onto: courier-89}"
    goal = f'goal: {{leak: "acts(courier, show, receipt) and {NOT} and not acts(admin, a, own)"}}'
    run = play(LOOK, f"actor: courier, {show}", goal=goal)
    assert at(run, 2) == (False, "10", ("signed-log",))
    assert not run.holds  # type: ignore[attr-defined]
    assert play(LOOK, f"actor: courier, {show}", goal=goal, off="signed-log").holds  # type: ignore[attr-defined]


SOLD = (
    "event: {kind: past-work, unit: ba-xixiang, days: 6}",
    "actor: courier, event: {kind: sold-list, account: courier, days: 6, numbers: 200, noise: 30}",
)


@pytest.mark.parametrize(
    ("off", "named"), [("", frozenset({"courier-88"})), ("looked-at", frozenset())]
)
def test_a_sold_list_leads_to_the_seller(play: Play, off: str, named: frozenset[str]) -> None:
    """And to nobody else of nine; to nobody at all where the log does not say at which parcel."""
    goal = 'goal: {leak: "acts(courier, sell, list) and untraced(courier)'
    goal += f' and {NOT} and not acts(admin, a, own)"}}'
    run = play(*SOLD, goal=goal, off=off)
    assert run.named == named
    assert run.holds is not bool(named)  # type: ignore[attr-defined]


def test_a_refusal_is_noticed_at_once(play: Play) -> None:
    """The log shows it: a goal that needs to stay unseen is out of reach."""
    run = play(
        'actor: courier, request: {action: read, key: "${other.waybill_no}"}',
        LOOK,
        goal=f'goal: {{leak: "undetected(7d) and knows(courier, own.address) and {NOT}"}}',
    )
    assert at(run, 1)[:2] == (False, "3")
    assert not run.holds  # type: ignore[attr-defined]


def test_tampering_that_changes_nothing_is_the_files_fault(play: Play) -> None:
    """Else a mistyped key would count as an attack that was withstood."""
    with pytest.raises(ScenarioError):
        play("tamper: {kind: delete, table: audit_records, where: {account: nobody}}")


# --- raw HTTP ----------------------------------------------------------------------------------


class Echo:
    """A web application in the least: it answers with what the engine knows of nobody."""

    def __init__(self, site: Site) -> None:
        self._truth = small_truth(small_world(ROOT), load_pack(AFTER))
        assert site.engine.audit is not None

    def send(self, request: Asked) -> Replied:
        own = self._truth.by_name["load-1"]
        if request.target.startswith("/ticket"):
            return Replied(302, (("location", "https://app.example/?ticket=ST-17-abc"),))
        if request.target != "/record?ticket=ST-17-abc":
            return Replied(403, (), b"no")
        body = f'{{"records": [{{"waybill_no": "{own.waybill_no}", "fields": {{"unit": "x"}}}}]}}'
        return Replied(
            200, (), body.encode() + f"<!-- {own.fields['recipient_phone']} -->".encode()
        )

    def close(self) -> None:
        pass


TICKET = (
    "actor: courier, http: {method: GET, path: /ticket, yes: {status: [302]},"
    " keep: {ticket: 'ticket=([A-Z0-9a-z-]+)'}}"
)
RECORD = 'actor: courier, http: {method: GET, path: "/record?ticket=${http.ticket}"}'


def test_what_an_answer_on_the_wire_holds_is_learned(play: Play) -> None:
    """A kept value goes into the next request; a clear number in the bytes is knowledge."""
    run = play(TICKET, RECORD, LOOK, serve=Echo)
    assert at(run, 1) == (True, "http", ())
    assert at(run, 2)[0]
    assert {fact.field for fact in run.steps[1].taught} >= {"recipient_phone"}
    assert ("GET", "/record") in run.minds["courier"].acts


def test_who_keeps_nothing_sends_nothing(play: Play) -> None:
    """A refused answer keeps nothing, and what is not known cannot be sent."""
    run = play(
        TICKET.replace("/ticket", "/other").replace("[302]", "[200]"), RECORD, LOOK, serve=Echo
    )
    assert at(run, 1)[:2] == (False, "http")
    assert not run.steps[1].tried


def test_without_a_transport_the_run_stops(play: Play) -> None:
    """It is skipped by name, never counted as blocked."""
    with pytest.raises(NoTransport):
        play(TICKET, RECORD, LOOK)


# --- the reader --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("admin: {kind: promote, account: courier, by: admin}", "kind"),
        ("admin: {kind: suspend, account: courier, by: nobody}", "actor `nobody` is not defined"),
        ("admin: {kind: suspend, by: admin}", "account"),
        ("fault: {kind: process-killed, at: '6'}", "at"),
        ("fault: {kind: audit-down}, advance: 1h", "exactly one"),
        ("tamper: {kind: change, table: waybills, where: {}}", "to"),
        (f"{LOOK}, http: {{method: GET, path: /}}", "exactly one"),
        ("http: {method: GET, path: /}", "exactly one"),
        ("actor: courier, http: {method: GET, path: '/${http.x}'}", "`x` is not defined"),
        ("actor: courier, http: {method: GET, path: /, keep: {a: 'b'}}", "group"),
        ("actor: courier, http: {method: GET, path: /, yes: {text: '('}}", "regular expression"),
        ("event: {kind: call, id: c1, caller: '${courier.shoe}'}", "`shoe` is not defined"),
    ],
)
def test_a_defect_names_its_line(tmp_path: Path, step: str, says: str) -> None:
    """Each family is as strict as the rest of the file: one line, with file and line."""
    with pytest.raises(ScenarioError) as found:
        read(tmp_path, LOOK, step)
    text = found.value.render("en")
    assert says in text
    assert "steps.yaml:" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ("knows(nobody, own.phone)", "actor `nobody`"),
        ("knows(courier, own.phone) and undetected(soon)", "duration `soon`"),
        ("knows(courier, stranger.phone)", "fact `stranger.phone`"),
        ("stage(DELIVERED)", "predicate `stage`"),
    ],
)
def test_a_goal_is_about_what_the_file_defines(tmp_path: Path, goal: str, says: str) -> None:
    """A goal that nobody can reach would be blocked for ever."""
    with pytest.raises(ScenarioError, match=says.replace("(", ".")):
        read(tmp_path, LOOK, goal=f'goal: {{leak: "{goal}"}}')
