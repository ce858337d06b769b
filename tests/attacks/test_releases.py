"""C9, C16: many records leave only by two persons, masked, in copies that name their recipients."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.line_world import ROOT

from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.errors import AccessDenied, AuditUnavailable, InputError
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.ports import SharedLog
from acl_engine.domain.releases import Released
from acl_engine.domain.request import Query
from acl_engine.domain.scope import EVERYTHING
from acl_engine.enforcement.listed import ListedRecords
from acl_engine.enforcement.normalise import normalise
from acl_engine.enforcement.trail import NO_RECORD
from acl_engine.policy.pack import load_pack
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import small_truth, small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.budget_use import account_of, uses
from acl_engine.storage.budgets import BudgetStore
from acl_engine.storage.database import Database, create_or_upgrade

PACK = load_pack(ROOT / "policies" / "housing" / "after")
REVIEWER, DIRECTOR, PUBLISHER = (
    ("reviewer-01", "pc-h03"),
    ("director-01", "pc-h08"),
    ("publisher-01", "pc-h05"),
)
EXPORT = Query(
    "export",
    "applicant",
    by={"list": "butie-2026"},
    purpose="supervision",
    params={"recipients": "audit-office archive", "days": "30"},
    limit=100,
)
PUBLISH = Query(
    "publish",
    "applicant",
    by={"list": "gongzufang-2026-2"},
    purpose="public-notice",
    params={"days": "30"},
    limit=100,
)
HEADER = ["编号", "姓名", "身份证号", "户籍所在地", "房号", "家庭人口", "困难情形"]
PLACE = "沈阳市和平区南湖街道三好小区1号2-3-4"
ROW = ["Z-0001", "王小明", "21010219900307261X", PLACE, PLACE, "3", "重大疾病"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Truth]]:
    world = small_world(ROOT, "housing-small", pack="housing")
    database = create_or_upgrade(f"sqlite:///{tmp_path_factory.mktemp('housing') / 'h.db'}")
    build_world(database, world, 0, synthetic_sealing(world.seed))
    yield database, small_truth(world, PACK)
    database.close()


@pytest.fixture
def stage(built: tuple[Database, Truth]) -> Iterator[Stage]:
    made = Stage.open(built[0], PACK, built[1], weak=False)
    yield made
    made.close()


def token(stage: Stage, who: tuple[str, str]) -> str:
    done = stage.login(who[0], stage.truth.password(who[0], weak=False), totp=True, device=who[1])
    assert done.allowed, done
    return stage._tokens[who]


def asked(
    stage: Stage,
    query: Query = EXPORT,
    who: tuple[str, str] = REVIEWER,
    source: ListedRecords | None = None,
) -> str:
    return stage.engine.releases.ask(token(stage, who), query, source).made


def agreed(stage: Stage, *args: object) -> str:
    case = asked(stage, *args)  # type: ignore[arg-type]
    stage.engine.approvals.approve(token(stage, DIRECTOR), case)
    return case


def export(stage: Stage, case: str, query: Query = EXPORT) -> Released:
    return stage.engine.releases.release(token(stage, REVIEWER), query, case)


def refusal(stage: Stage, denied: AccessDenied) -> tuple[str, str, tuple[str, ...]]:
    last = stage.engine.audit.of_request(denied.request_id)[-1]
    return last.line, last.reason, last.controls


def listed(*rows: list[str]) -> ListedRecords:
    return ListedRecords.of(PACK.resources["applicant"], [HEADER, *rows], {}, ())


def persons(stage: Stage, who: tuple[str, str]) -> float:
    """How many persons' identity numbers the budget of `who` holds."""
    limits = [one for one in PACK.settings.budgets if one.data == "id_number"]
    (one,) = uses(stage.database, limits, stage.clock, account_of(stage.database, who[0]))  # type: ignore[arg-type]
    return one.used


def test_a_budget_counts_whom_an_export_shows(stage: Stage) -> None:
    """Each person once, masked ones as a tenth, however often; asking for it shows nobody."""
    case = agreed(stage)
    assert persons(stage, REVIEWER) == 0
    people = export(stage, case).copies[0].copy.rows
    assert persons(stage, REVIEWER) == pytest.approx(people / 10)
    export(stage, agreed(stage))
    assert persons(stage, REVIEWER) == pytest.approx(people / 10)


def test_past_its_budget_nothing_is_exported(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two persons' agreement does not lift it; and the case is not asked for the limit's sake."""
    case = agreed(stage)
    tight = [BudgetLimit("person", "year", 1, "persons", "id_number")]
    door = stage.engine._door
    store = BudgetStore(stage.database, tight, stage.clock)
    monkeypatch.setattr(stage.engine, "_door", replace(door, budgets=store))
    with pytest.raises(AccessDenied) as caught:
        export(stage, case)
    assert refusal(stage, caught.value) == ("10", "budget.spent", ("budget",))
    with stage.database.read() as cx:
        assert cx.exec_driver_sql("SELECT count(*) FROM release_copies").scalar() == 0


def test_whoever_brings_the_list_is_shown_nobody(stage: Stage) -> None:
    """A file that is published was read before; what is published out of the store is counted."""
    query = replace(PUBLISH, by={"list": "gongzufang-2026-2", "stage": "REVIEWED"})
    for source, counted in ((listed(ROW), False), (None, True)):
        case = agreed(stage, query, PUBLISHER, source)
        stage.engine.releases.release(token(stage, PUBLISHER), query, case, source)
        assert (persons(stage, PUBLISHER) > 0) is counted


def test_the_same_list_can_be_exported_again_and_again(stage: Stage) -> None:
    """Each time with made-up rows of its own, also where the numbers are short."""
    forged = [
        {view.handle for made in export(stage, agreed(stage)).copies for view in made.views}
        for _ in range(6)
    ]
    records = set.intersection(*forged)
    assert len(records) == 40
    assert sum(len(one - records) for one in forged) == len(set.union(*forged) - records)


# --- C9: two persons ---------------------------------------------------------------------------


def test_nothing_leaves_on_a_case_that_nobody_agreed_to(stage: Stage) -> None:
    """Asked for, unknown, or none at all: denied before anything is fetched."""
    for case in (asked(stage), "A-0", ""):
        with pytest.raises(AccessDenied) as caught:
            export(stage, case)
        assert refusal(stage, caught.value)[0::2] == ("4", ("second-person",))
    assert stage.engine.releases.live() == ()


def test_a_grant_is_used_once_even_by_two_at_a_time(stage: Stage) -> None:
    case, mine = agreed(stage), token(stage, REVIEWER)

    def one(_: int) -> str:
        try:
            return stage.engine.releases.release(mine, EXPORT, case).request_id
        except AccessDenied:
            return ""

    with ThreadPoolExecutor(4) as pool:
        got = [found for found in pool.map(one, range(4)) if found]
    assert len(got) == 1
    assert {copy.request for copy in stage.engine.releases.live()} == set(got)


@pytest.mark.parametrize(
    "other",
    [
        replace(EXPORT, by={"list": "butie-2026", "unit": "hb-tiexi"}),
        replace(EXPORT, fields=("row_no", "name")),
        replace(EXPORT, params={"recipients": "audit-office buyer", "days": "30"}),
        replace(EXPORT, params={"recipients": "audit-office archive", "days": "31"}),
        replace(EXPORT, limit=101),
    ],
    ids=["selection", "fields", "recipients", "days", "rows"],
)
def test_what_was_agreed_to_cannot_be_swapped(stage: Stage, other: Query) -> None:
    with pytest.raises(AccessDenied) as caught:
        export(stage, agreed(stage), other)
    assert refusal(stage, caught.value)[2] == ("second-person",)


def test_a_file_that_changed_after_it_was_agreed_to_is_not_published(stage: Stage) -> None:
    query = replace(PUBLISH, by={"list": "gongzufang-2026-2", "stage": "REVIEWED"})
    case = agreed(stage, query, PUBLISHER, listed(ROW))
    mine = token(stage, PUBLISHER)
    for source in (listed([*ROW[:5], "4", ROW[6]]), None):
        with pytest.raises(AccessDenied):
            stage.engine.releases.release(mine, query, case, source)
    made = stage.engine.releases.release(mine, query, case, listed(ROW))
    assert len(made.copies[0].views) == 1


def test_rows_that_came_after_the_agreement_do_not_slip_out(stage: Stage) -> None:
    """The cap is what was agreed to; more rows are refused, never cut."""
    with pytest.raises(InputError):
        asked(stage, replace(EXPORT, limit=39))
    query = replace(EXPORT, limit=40)
    case = agreed(stage, query)
    door = stage.engine._door
    more = [*door.records.find(normalise(query, door.pack, "0"), EVERYTHING)]
    stage.engine._door = replace(door, records=_Fixed([*more, more[-1]]))
    with pytest.raises(AccessDenied) as caught:
        export(stage, case, query)
    assert refusal(stage, caught.value)[:2] == ("7", "release.row-cap")


def test_the_paper_says_what_leaves_and_nothing_of_anybody(stage: Stage) -> None:
    case = asked(stage)
    shown = stage.engine.approvals.open(token(stage, DIRECTOR), case).views[0].fields
    assert (shown["rows"], shown["recipients"], shown["days"]) == (
        "40",
        "audit-office archive",
        "30",
    )
    assert "id_number=housing-strict" in shown["shown"]
    assert "hardship" not in shown["shown"]
    for entry in stage.truth.by_number.values():
        assert not any(len(v) > 5 and v in str(dict(shown)) for v in entry.fields.values())


def test_nobody_releases_by_a_person_or_beyond_the_rules(stage: Stage) -> None:
    name = next(iter(stage.truth.by_number.values())).fields["name"]
    with pytest.raises(AccessDenied):
        asked(stage, replace(EXPORT, by={"name": name}))
    for params in (
        {"recipients": "a", "days": "61"},
        {"recipients": "a", "days": "0"},
        {"recipients": "a", "days": "x"},
        {"recipients": "", "days": "3"},
        {"recipients": "a a", "days": "3"},
        {"recipients": "19012345678", "days": "3"},
        {"recipients": " ".join(map(str, range(9))), "days": "3"},
    ):
        with pytest.raises(InputError):
            asked(stage, replace(EXPORT, params=params))
    for query in (replace(EXPORT, limit=5001), replace(EXPORT, purpose="curiosity")):
        with pytest.raises((InputError, AccessDenied)):
            asked(stage, query)
    with pytest.raises(AccessDenied):  # a purpose of the other kind
        asked(stage, replace(EXPORT, purpose="public-notice"))


# --- what leaves -------------------------------------------------------------------------------


def test_what_leaves_is_masked_and_never_clear(stage: Stage) -> None:
    made = export(stage, agreed(stage))
    said = str([dict(view.fields) for one in made.copies for view in one.views])
    for entry in stage.truth.by_number.values():
        for field in ("name", "id_number", "household", "members", "hardship"):
            value = entry.fields.get(field, "")
            assert len(value) < 3 or value not in said, field


def test_a_cell_that_is_not_what_its_column_says_is_hidden(stage: Stage) -> None:
    """A phone typed into a column of numbers, a formula, a name or an address from the next one."""
    query = replace(PUBLISH, by={"list": "gongzufang-2026-2", "stage": "REVIEWED"})
    bad = [
        *("190 1234 5678", "=HYPERLINK(1)", "一九零一二三四五六七八"),
        *(
            "母夏群兴",
            "沈阳市铁西区三好小区10号2-6-2",
            "3张三",
            "John Smith",
            "3,",
            "12345678901234",
        ),
    ]
    good = ["3", "3人", "12.3", "1,200.50元", "12.3㎡"]
    rows = [[f"Z-{at}", *ROW[1:5], cell, ""] for at, cell in enumerate([*bad, *good])]
    source = listed(*rows)
    case = agreed(stage, query, PUBLISHER, source)
    made = stage.engine.releases.release(token(stage, PUBLISHER), query, case, source)
    shown = [view.fields["family_size"] for view in made.copies[0].views]
    assert shown == ["***"] * len(bad) + ["3", "3人", "12.3", "1,200.50元", "12.3m2"]


def test_a_list_with_a_column_that_nobody_knows_is_refused() -> None:
    spec = PACK.resources["applicant"]
    with pytest.raises(InputError, match="联系电话"):
        ListedRecords.of(spec, [[*HEADER, "联系电话"], [*ROW, "1"]], {}, ())
    with pytest.raises(InputError, match="row 3"):
        ListedRecords.of(spec, [HEADER, ROW, ROW[:3]], {}, ())
    with pytest.raises(InputError, match="row 3"):
        ListedRecords.of(spec, [HEADER, ROW, ROW], {}, ())
    with pytest.raises(InputError, match="name"):
        ListedRecords.of(spec, [["姓名", "name"], ["a", "b"]], {}, ())


@pytest.mark.parametrize("cell", ["石有庆", "210102209906175259", "19012345678", "1 9 0 1"])
def test_a_list_whose_numbers_are_people_is_refused(cell: str) -> None:
    """The number of a row is published in clear: a column that slipped must not pass for it."""
    spec = PACK.resources["applicant"]
    with pytest.raises(InputError, match="`row_no` in row 3") as refused:
        ListedRecords.of(spec, [HEADER, ROW, [cell, *ROW[1:]]], {}, ())
    assert cell not in str(refused.value)


def test_no_record_of_it_nothing_leaves(stage: Stage) -> None:
    """A log or a register that cannot be written gives no copy."""
    case, mine, door = agreed(stage), token(stage, REVIEWER), stage.engine._door
    stage.engine._door = replace(door, audit=_Fails(door.audit))
    with pytest.raises(AuditUnavailable):
        stage.engine.releases.release(mine, EXPORT, case)
    stage.engine._door = door
    assert stage.engine.releases.live() == ()


# --- C16: whose copy ---------------------------------------------------------------------------


def numbers(made: Released, at: int) -> set[str]:
    return {view.handle for view in made.copies[at].views}


def test_a_leaked_copy_names_its_recipient_and_two_together_both(stage: Stage) -> None:
    made = export(stage, agreed(stage))
    desk, first, second = stage.engine.releases, numbers(made, 0), numbers(made, 1)
    assert desk.recipients("applicant", sorted(first - second)) == ("audit-office",)
    assert desk.recipients("applicant", sorted(second - first)) == ("archive",)
    # Whoever compares both and takes out what differs keeps a row that both have.
    assert desk.recipients("applicant", sorted(first & second)) == ("archive", "audit-office")
    real = {one.key for one in stage.truth.by_number.values()}
    assert desk.recipients("applicant", sorted(first & real)) == ()
    assert len(first - real) == 4
    assert not {view.fields["row_no"] for view in made.copies[0].views} - first


def test_a_made_up_row_looks_like_the_others(stage: Stage) -> None:
    """The same fields, the same length of number, values that other rows show."""
    made = export(stage, agreed(stage))
    real = {one.key for one in stage.truth.by_number.values()}
    shown = [dict(view.fields) for view in made.copies[0].views]
    true = [row for row in shown if row["row_no"] in real]
    for row in (row for row in shown if row["row_no"] not in real):
        assert list(row) == list(true[0])
        assert len(row["row_no"]) == len(true[0]["row_no"])
        for name in row.keys() - {"row_no"}:
            assert row[name] in {other[name] for other in true}


# --- the end of it -----------------------------------------------------------------------------


def test_what_has_run_out_is_taken_down_and_strangers_are_named(
    stage: Stage, tmp_path: Path
) -> None:
    case = agreed(stage, PUBLISH, PUBLISHER)
    made = stage.engine.releases.release(token(stage, PUBLISHER), PUBLISH, case)
    up = tmp_path / f"{made.copies[0].copy.id}.csv"
    up.write_text("x")
    assert stage.engine.releases.sweep(tmp_path, "timer").clean
    assert up.exists()
    stage.clock.advance(30 * 86_400)
    assert stage.engine.releases.sweep(tmp_path, "timer", dry_run=True).down
    assert up.exists()
    (tmp_path / "by-hand.csv").write_text("x")
    swept = stage.engine.releases.sweep(tmp_path, "timer")
    assert (len(swept.down), swept.strangers) == (1, ("by-hand.csv",))
    assert not up.exists()
    assert (tmp_path / "by-hand.csv").exists()
    assert stage.engine.releases.sweep(tmp_path, "timer").down == ()


def test_a_file_put_back_after_its_end_is_a_stranger(stage: Stage, tmp_path: Path) -> None:
    case = agreed(stage, PUBLISH, PUBLISHER)
    made = stage.engine.releases.release(token(stage, PUBLISHER), PUBLISH, case)
    name = f"{made.copies[0].copy.id}.csv"
    stage.clock.advance(31 * 86_400)
    stage.engine.releases.sweep(tmp_path, "timer")
    (tmp_path / name).write_text("x")
    assert stage.engine.releases.sweep(tmp_path, "timer").strangers == (name,)


def test_an_exported_copy_is_overdue_until_its_end_is_on_record(
    stage: Stage, tmp_path: Path
) -> None:
    made = export(stage, agreed(stage))
    desk = stage.engine.releases
    assert desk.overdue() == ()
    stage.clock.advance(30 * 86_400)
    assert len(desk.overdue()) == 2
    assert not desk.sweep(tmp_path, "timer").clean
    for one in made.copies:
        desk.destroyed(one.copy.id, "dpo")
    assert desk.overdue() == ()
    with pytest.raises(InputError):
        desk.destroyed(made.copies[0].copy.id, "dpo")


# --- inside ------------------------------------------------------------------------------------


class _Fixed:
    def __init__(self, rows: list[PersonalRecord]) -> None:
        self._rows = rows

    def find(self, *_: object) -> list[PersonalRecord]:
        return self._rows


class _Fails:
    """A log that cannot take the outcome of an export."""

    def __init__(self, audit: SharedLog) -> None:
        self._audit = audit

    def append(self, entry: AuditEntry, part: Any = None) -> Receipt:
        if entry.kind == "outcome" and entry.action == "export":
            raise AuditUnavailable(NO_RECORD.of())
        return self._audit.append(entry, part)
