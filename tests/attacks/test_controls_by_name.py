"""Each control by its number: one attack on the real line, stopped by that control and by no other
cause, and the same attack without it, which leaks. `docs/threat-model.md` lists them by name.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.line_world import ROOT

from acl_engine.bootstrap.keys import Keys, LocalKeyService
from acl_engine.bootstrap.retention_desk import RetentionDesk
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Query
from acl_engine.policy.pack import load_pack
from acl_engine.replay.ablation import without
from acl_engine.replay.stage import Stage
from acl_engine.replay.theatre import small_truth, small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.unsafe import copy_on_disk
from acl_engine.storage.vault import Vault

World = tuple[Database, Truth]


@cache
def pack(name: str) -> Pack:
    return load_pack(ROOT / "policies" / name / "after")


@dataclass(frozen=True)
class Attack:
    """One stage, and what the attacker does on it."""

    stage: Stage

    def token(self, login: str) -> str:
        device = self.stage.person(login).member.device
        password = self.stage.truth.password(login, weak=self.stage.weak)
        assert self.stage.login(login, password, totp=True, device=device).allowed
        return self.stage._tokens[login, device]

    def key(self, parcel: str) -> str:
        return self.stage.truth.by_name[parcel].waybill_no

    def truth(self, parcel: str, field: str) -> str:
        return self.stage.truth.by_name[parcel].fields[field]

    def read(self, login: str, parcel: str, **more: str) -> dict[str, str]:
        return self.ask(login, Query("read", "waybill", key=self.key(parcel), **more))  # type: ignore[arg-type]

    def ask(self, login: str, query: Query) -> dict[str, str]:
        """What the first view shows; raises AccessDenied."""
        views = self.stage.engine.ask(self.token(login), query).views
        return dict(views[0].fields) if views else {}

    def refused(self, attack: Callable[["Attack"], object]) -> AuditEntry:
        """The record of the attack's refusal."""
        with pytest.raises(AccessDenied) as denied:
            attack(self)
        return self.stage.engine.audit.of_request(denied.value.request_id)[-1]


Opens = Callable[..., AbstractContextManager[Attack]]


@contextmanager
def open_over(world: World, name: str, off: tuple[str, ...]) -> Iterator[Attack]:
    less = without(pack(name), off) if off else None
    stage = Stage.open(
        world[0],
        less.pack if less else pack(name),
        world[1],
        weak=False,
        off=less.components if less else frozenset(),
    )
    try:
        yield Attack(stage)
    finally:
        stage.close()


@pytest.fixture
def company(line_template: World) -> Opens:
    """The courier company, without the controls that are named."""
    return lambda *off: open_over(line_template, "courier", off)


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opens]:
    """The housing offices: whole lists leave there."""
    world = small_world(ROOT, "housing-small", pack="housing")
    database = create_or_upgrade(f"sqlite:///{tmp_path_factory.mktemp('offices') / 'h.db'}")
    build_world(database, world, 0, synthetic_sealing(world.seed))
    built = database, small_truth(world, pack("housing"))
    yield lambda *off: open_over(built, "housing", off)
    database.close()


def test_c01_custody_scope(company: Opens) -> None:
    """A keeper reads a parcel that lies in another branch."""
    with company() as on:
        assert (
            "custody-scope"
            in on.refused(lambda one: one.read("keeper-07", "victim-parcel")).controls
        )
    with company("custody-scope") as off:
        shown = off.read("keeper-07", "victim-parcel")
        assert shown["waybill_no"] == off.key("victim-parcel")


def test_c02_stage_window(company: Opens) -> None:
    """A courier reads a parcel delivered three days ago."""
    with company() as on:
        assert (
            "stage-window" in on.refused(lambda one: one.read("courier-88", "done-3-days")).controls
        )
    with company("stage-window") as off:
        assert off.read("courier-88", "done-3-days")["waybill_no"] == off.key("done-3-days")


def test_c03_field_masks(company: Opens) -> None:
    """A station's clerk looks at a parcel on the shelf: the phone is a suffix, and then whole."""
    with company() as on:
        phone = on.truth("station-parcel", "recipient_phone")
        shown = on.read("station-06", "station-parcel")["recipient_phone"]
        assert phone not in shown
        assert shown.endswith(phone[-4:])
    with company("field-masking") as off:
        assert off.read("station-06", "station-parcel")["recipient_phone"] == phone


def test_c04_reverse_lookup(company: Opens) -> None:
    """A manager asks by a victim's phone which parcels are theirs."""

    def attack(one: Attack) -> dict[str, str]:
        by = {"recipient_phone": one.truth("victim-parcel", "recipient_phone")}
        return one.ask("sup-0413", Query("reverse_lookup", "waybill", by=by))

    with company() as on:
        assert on.refused(attack).controls == ("no-reverse-lookup",)
    with company("no-reverse-lookup") as off:
        victims = {off.key(name) for name in ("victim-parcel", "victim-delivered", "victim-out")}
        assert attack(off)["waybill_no"] in victims


def test_c05_dial_broker(company: Opens) -> None:
    """A courier calls the next stop: the call goes through, the number does not come."""

    def attack(one: Attack) -> str:
        token, engine = one.token("courier-88"), one.stage.engine
        right = engine.dial(token, Query("dial", "waybill", key=one.key("load-1")))
        done = engine.call(token, right.token)
        assert done.outcome == "answered"
        return f"{right!r} {done!r} {one.read('courier-88', 'load-1')}"

    with company() as on:
        phone = on.truth("load-1", "recipient_phone")
        assert phone not in attack(on)
    with company("dial-broker") as off:
        assert phone in attack(off)


def test_c08_budgets(company: Opens) -> None:
    """A courier turns the own load's pages over and over, as a program would."""
    page = Query("search", "waybill", by={"stage": "OUT_FOR_DELIVERY"}, limit=50)

    def pages(one: Attack, most: int) -> int:
        token = one.token("courier-88")
        for turned in range(most):
            try:
                one.stage.engine.ask(token, page)
            except AccessDenied as denied:
                entry = one.stage.engine.audit.of_request(denied.request_id)[-1]
                assert (entry.line, entry.controls) == ("4", ("budget",))
                return turned
        return most

    with company() as on:
        turned = pages(on, 400)
        assert 1 < turned < 400
    with company("budget") as off:
        assert pages(off, turned + 5) == turned + 5


def test_c09_export_by_two(offices: Opens) -> None:
    """A reviewer exports a list alone, by agreeing to the own case."""
    export = Query(
        "export",
        "applicant",
        by={"list": "butie-2026"},
        purpose="supervision",
        params={"recipients": "audit-office", "days": "30"},
        limit=100,
    )

    def attack(one: Attack) -> int:
        token, engine = one.token("reviewer-01"), one.stage.engine
        case = engine.releases.ask(token, export).made
        with pytest.raises(AccessDenied):
            engine.approvals.approve(token, case)
        return len(engine.releases.release(token, export, case).copies[0].views)

    with offices() as on:
        assert on.refused(attack).controls == ("second-person",)
    with offices("second-person") as off:
        assert attack(off) > 1


def test_c12_a_second_person(company: Opens) -> None:
    """A claims clerk on duty as an approver agrees to the own case, and looks."""

    def attack(one: Attack) -> dict[str, str]:
        token, engine = one.token("claims-03"), one.stage.engine
        case = engine.approvals.ask(token, one.key("done-3-days"), "precheck").made
        engine.approvals.approve(token, case)
        return one.read("claims-03", "done-3-days", purpose="precheck")

    with company() as on:
        assert on.refused(attack).controls == ("four-eyes",)
    with company("four-eyes") as off:
        assert attack(off)["recipient_name"]


def test_c13_tenants_apart(company: Opens) -> None:
    """A merchant's own interface asks for another merchant's order."""

    def attack(one: Attack) -> dict[str, str]:
        return one.read("merchant-01", "other-tenant")

    with company() as on:
        assert on.refused(attack).controls == ("tenant-isolation",)
    with company("tenant-isolation") as off:
        assert attack(off)["waybill_no"] == off.key("other-tenant")


def test_c14_the_hub_needs_the_route_alone(company: Opens) -> None:
    """Whoever photographs a sorter's screen has a route and a city; once they had everything."""
    with company() as on:
        shown = on.read("hub-sorter-05", "hub-parcel")
        assert set(shown) == {"waybill_no", "route", "city"}
    with company("field-masking") as off:
        shown = off.read("hub-sorter-05", "hub-parcel")
        assert shown["recipient_phone"] == off.truth("hub-parcel", "recipient_phone")


def test_c15_destroyed_by_its_keys(line_template: World, tmp_path: Path) -> None:
    """A thief with the database and the master key: records past their time have no key left. A
    policy that keeps everything for ever destroys nothing, and the thief reads it all."""
    template, truth = line_template
    policy = ROOT / "policies" / "courier" / "after"

    def stolen(name: str, folder: Path) -> dict[str, str]:
        """Recipients' phones by waybill, after a sweep under this policy."""
        copy_on_disk(template, tmp_path / f"{name}.db").close()
        url = f"sqlite:///{tmp_path / name}.db"
        with RetentionDesk.open(url, folder) as desk:
            assert bool(list(desk.sweep("dpo-01"))) is (name == "on")
        vault = Vault(LocalKeyService(Keys.synthetic(truth.world.seed).wrapping))
        where = stored_types(load_pack(folder))["waybill"]
        with Database.open(url) as held, held.read() as cx:
            rows = cx.execute(select(where.people_id, where.people.c.payload)).all()
            clear = vault.open(cx, where.people.name, {row[0]: row[1] for row in rows if row[1]})
            numbers = cx.execute(select(where.facts.c.id, where.key)).all()
        return {no: clear[one]["recipient_phone"] for one, no in numbers if one in clear}

    forever = tmp_path / "forever"
    shutil.copytree(policy, forever)
    written = (forever / "resources.yaml").read_text("utf-8")
    kept = re.sub(r"    retention:\n(?:      - .*\n)+", "", written)
    assert kept != written
    (forever / "resources.yaml").write_text(kept, "utf-8")

    on, off = stolen("on", policy), stolen("off", forever)
    destroyed = off.keys() - on.keys()
    assert destroyed
    for number in destroyed:
        assert off[number] == truth.by_number[number].fields["recipient_phone"]


def test_c17_a_number_alone_opens_nothing(company: Opens) -> None:
    """A customer tries numbers of other people's parcels."""

    def attack(one: Attack) -> dict[str, str]:
        return one.read("recipient-01", "victim-out")

    with company() as on:
        refusal = on.refused(attack)
        assert refusal.controls == ("own-parcels",)
        none = on.refused(
            lambda one: one.ask("recipient-01", Query("read", "waybill", key="SF0000000000000"))
        )
        assert none.line == refusal.line
    with company("own-parcels") as off:
        assert attack(off)["waybill_no"] == off.key("victim-out")


def test_c18_a_ticket_behind_the_look(company: Opens) -> None:
    """An agent looks at a parcel about which nobody called."""

    def attack(one: Attack) -> dict[str, str]:
        return one.read("cs-12", "keeper-parcel")

    with company() as on:
        assert "ticket-binding" in on.refused(attack).controls
    with company("ticket-binding") as off:
        assert attack(off)["waybill_no"] == off.key("keeper-parcel")


def test_c20_no_wildcards(company: Opens) -> None:
    """A keeper lists a region by the beginning of its phone numbers."""

    def attack(one: Attack) -> dict[str, str]:
        by = {"recipient_phone": "19*"}
        return one.ask("keeper-07", Query("search", "waybill", by=by, limit=200))

    with company() as on:
        refusal = on.refused(attack)
        assert (refusal.line, refusal.controls) == ("1", ("search-shape",))
    with company("search-shape", "no-reverse-lookup", "field-masking", "budget") as off:
        assert attack(off)["recipient_phone"].startswith("19")


def test_the_threat_model_names_each_of_them() -> None:
    """A control without its test, or a test that went, is noticed."""
    page = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    listed = re.findall(r"^\| C(\d+) \|.*`(test_c(\d+)_\w+)` \|$", page, re.MULTILINE)
    assert [number for number, _, named in listed if int(named) != int(number)] == []
    assert [name for _, name, _ in listed] == [
        one for one in globals() if re.match("test_c\\d", one)
    ]
