"""The generated company: the same from the same seed, shaped like the trace, of nobody real."""

import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles

import pytest

from acl_engine.domain.accounts import Undertaking
from acl_engine.policy.pack import load_pack
from acl_engine.replay.world.build import company_rows
from acl_engine.replay.world.company import HOUR, World, make_world
from acl_engine.replay.world.journey import PICKUP_HOURS
from acl_engine.replay.world.parcels import Parcel, parcels
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.seed import read_seed
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.tables import waybills

SEEDS = Path(__file__).parents[3] / "seeds" / "courier"
COUNT = 6_000


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(*read_seed(SEEDS), "shape", COUNT)


@pytest.fixture(scope="module")
def made(world: World) -> list[Parcel]:
    return list(parcels(world, COUNT))


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(make_world(*read_seed(SEEDS), "courier-small", 300), 300)


_DIGEST = """
import sys
from hashlib import sha256
from pathlib import Path
from acl_engine.replay.world.company import make_world
from acl_engine.replay.world.parcels import parcels
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.seed import read_seed
world = make_world(*read_seed(Path(sys.argv[1])), sys.argv[2], 400)
digest = sha256(repr((world.staff, world.customers, world.shops)).encode())
for parcel in parcels(world, 400):
    digest.update(repr(parcel).encode())
print(digest.hexdigest())
"""


def _digest(seed: str, hash_seed: str) -> str:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", _DIGEST, str(SEEDS), seed]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def test_the_same_seed_gives_the_same_world_under_any_hash_seed() -> None:
    """Sets and dictionaries must not leak their order into the world."""
    first = _digest("one", "1")
    assert first == _digest("one", "2")
    assert first != _digest("two", "1")


def test_facts_stand_in_the_order_of_the_table(made: list[Parcel]) -> None:
    """The loader writes values by position."""
    assert list(made[0].facts) == [column.name for column in waybills.columns][1:]


def test_no_phone_belongs_to_anyone(world: World, made: list[Parcel]) -> None:
    """No segment that a carrier has allocated; no number twice among customers."""
    import phone

    table = phone.Phone()
    for segment in read_seed(SEEDS)[1].phone_segments:
        assert segment[:3] in ("190", "192", "196", "197")
        assert table.find(segment + "0000") is None
    for one in made[:500]:
        assert table.find(one.fields["recipient_phone"]) is None
    everyone = [world.customer_at(i).phone for i in range(world.population)]
    everyone += [one.phone for one in (*world.customers.values(), *world.shops.values())]
    assert len(set(everyone)) == len(everyone)
    assert all(len(number) == 11 and number.isdigit() for number in everyone)


def test_no_id_number_belongs_to_anyone(made: list[Parcel]) -> None:
    """Born in 2099, with the check digit of GB 11643 (here as ISO 7064 says it: sum = 1 mod 11)."""
    for one in made[:2000]:
        number = one.fields["id_number"]
        digits = [10 if c == "X" else int(c) for c in number]
        assert number[6:10] == "2099"
        assert sum(d * 2 ** (17 - i) for i, d in enumerate(digits)) % 11 == 1


def test_couriers_and_areas_are_shaped_like_the_trace(world: World) -> None:
    """95 of 100 in one branch; a median of 3 areas, at most 24; a quarter of areas shared."""
    big = make_world(*read_seed(SEEDS), "shape", 1_000_000)
    couriers = [s for s in big.staff.values() if s.member.role == "courier"]
    branch_of = {area.id: branch for branch, group in big.areas.items() for area in group}
    branches = Counter(len({branch_of[area] for area in one.areas}) for one in couriers)
    assert 0.92 <= branches[1] / len(couriers) <= 0.98
    assert set(branches) == {1, 2, 3} or set(branches) == {1, 2}
    assert 2 <= median(len(one.areas) for one in couriers) <= 4
    assert max(len(one.areas) for one in couriers) <= 24
    served = Counter(area for one in couriers for area in one.areas)
    assert 0.20 <= sum(1 for n in served.values() if n > 1) / len(served) <= 0.32
    assert len(big.areas) == 50
    assert median(len(big.couriers(branch)) for branch in big.areas) == 9


def test_a_large_world_loads_all_of_its_branches() -> None:
    """Every row that names a unit, a person or an area finds it in the same batch."""
    big = make_world(*read_seed(SEEDS), "shape", 1_000_000)
    sealing = synthetic_sealing("shape")
    rows = company_rows(big, sealing, "strong")
    names = {table: {row[0] for row in rows[table]} for table in ("units", "areas", "persons")}
    assert len(rows["areas"]) == 50 * 39
    assert {row[1] for row in rows["areas"]} <= names["units"]
    assert {row[2] for row in rows["persons"]} <= names["units"]
    assert {row[1] for row in rows["roster"]} <= names["persons"]
    assert {row[2] for row in rows["roster"]} <= names["areas"]


def test_pickups_follow_the_hours_of_the_trace(made: list[Parcel]) -> None:
    """Within two points in a hundred for every hour."""
    hours = Counter(
        (scan.at + 8 * HOUR) // HOUR % 24
        for one in made
        for scan in one.scans
        if scan.kind == "pickup"
    )
    total, real = sum(hours.values()), sum(PICKUP_HOURS.values())
    assert set(hours) <= set(PICKUP_HOURS)
    for hour, count in PICKUP_HOURS.items():
        assert abs(hours[hour] / total - count / real) < 0.02


def test_waiting_for_pickup_has_the_trace_s_median_and_tail(made: list[Parcel]) -> None:
    """Accept to pickup: median 2.1 h, 99th percentile 30 h."""
    waits = [
        (one.scans[0].at - int(one.facts["ordered_at"] or 0)) / HOUR for one in made if one.scans
    ]
    assert 1.9 <= median(waits) <= 2.3
    assert 20 <= quantiles(waits, n=100)[98] <= 45


def test_nothing_has_happened_after_now(world: World, made: list[Parcel]) -> None:
    """And every scan of a parcel comes after the one before it, the pickup after the order."""
    for one in made:
        at = [scan.at for scan in one.scans]
        assert at == sorted(at)
        assert max([*at, int(one.facts["ordered_at"] or 0)]) <= world.now
        assert not at or at[0] >= int(one.facts["ordered_at"] or 0)


def test_an_in_scan_answers_its_counterpart(made: list[Parcel]) -> None:
    """Custody is sound only where the out-scan and the counterpart's in-scan agree."""
    for one in made:
        by_id = {scan.id: scan for scan in one.scans}
        for scan in one.scans:
            if scan.kind == "in":
                left = by_id[scan.answers or 0]
                assert (left.kind, left.unit, left.counterpart) == (
                    "out",
                    scan.counterpart,
                    scan.unit,
                )
        if one.facts["custody_sound"] and one.facts["stage"] in ("AT_BRANCH", "IN_TRANSIT"):
            last = [scan for scan in one.scans if scan.kind == "in"][-1]
            assert last.unit == one.facts["custody_unit"]


def test_assignments_lie_within_the_roster(world: World, made: list[Parcel]) -> None:
    """A sound assignment goes to a courier rostered for the area."""
    rostered = {one.person: set(one.areas) for one in world.staff.values()}
    for one in made:
        if one.facts["assignee_sound"] and one.name is None:
            assert one.facts["area"] in rostered[str(one.facts["assignee"])]


def test_every_unit_has_its_people(world: World) -> None:
    """Nobody is their own superior; every role has a named person."""
    roles = {one.member.role for one in world.staff.values()}
    assert roles >= {
        "courier", "hub_sorter", "driver", "station_clerk", "warehouse_keeper", "branch_mgr",
        "hub_mgr", "cs_agent", "claims", "finance", "region_mgr", "hq_ops", "it_ops", "dba",
        "sec_auditor", "dpo", "legal_liaison", "merchant_api", "label_printer", "dial_broker",
        "sms_notifier", "route_planner", "recipient", "sender", "public_tracker",
    }  # fmt: skip
    assert all(one.superior != one.person for one in world.staff.values())
    assert set(world.handlers) >= {
        u.id for u in world.units.values() if u.kind in ("hub", "branch")
    }
    assert len({one.member.device for one in world.staff.values()}) == len(world.staff)


def test_the_small_world_holds_what_scenarios_need(truth: Truth) -> None:
    """Full loads of the couriers, and every stage at the ages that the matrix knows."""
    now = truth.world.now
    for login in ("courier-88", "courier-89"):
        load = truth.load_of(login)
        areas = set(truth.world.staff[login].areas)
        assert [one.facts["stop_seq"] for one in load][:8] == list(range(1, 9))
        assert {one.facts["area"] for one in load} <= areas
    stages = Counter(str(one.facts["stage"]) for one in truth.parcels)
    assert set(stages) == {
        "ORDERED", "PICKED_UP", "IN_TRANSIT", "AT_BRANCH", "OUT_FOR_DELIVERY", "AT_STATION",
        "DELIVERED", "RETURNING", "CLAIM", "ARCHIVED",
    }  # fmt: skip
    ages = {
        name: (now - int(truth.by_name[name].facts["delivered_at"] or 0)) // HOUR
        for name in ("done-today", "done-3-days", "done-20-days")
    }
    assert ages == {"done-today": 5, "done-3-days": 72, "done-20-days": 480}
    held = Counter(
        one.facts["custody_unit"] for one in truth.parcels if one.facts["stage"] == "AT_BRANCH"
    )
    assert held["ba-xixiang"] >= 2
    assert held["ba-shajing"] >= 1
    assert {one.facts["tenant"] for one in truth.parcels} >= {"t-001", "t-002", None}
    assert (
        truth.by_name["victim-parcel"].fields["recipient_phone"]
        in (truth.by_name["victim-parcel"].fields["remark"])
    )


def test_a_customer_keeps_name_phone_and_door(made: list[Parcel]) -> None:
    """Parcels of one phone add up to one person: that is what a reverse lookup abuses."""
    seen: dict[str, set[tuple[str, str, str]]] = {}
    for one in made:
        if one.name is None:
            field = one.fields
            seen.setdefault(field["recipient_phone"], set()).add(
                (field["recipient_name"], field["area"], field["unit"])
            )
    assert all(len(found) == 1 for found in seen.values())
    assert len(seen) < len(made) / 2


def test_secrets_differ_between_accounts_and_worlds(truth: Truth) -> None:
    """Strong secrets are unique; the passwords of 2020 are guessable."""
    logins = [one.login for one in truth.world.staff.values() if one.cast]
    assert len({truth.password(login, weak=False) for login in logins}) == len(logins)
    assert truth.password("sup-0413", weak=True) == "123456"
    keys = {sha256(truth.device_key(one.member.device)).hexdigest()
            for one in truth.world.staff.values()}  # fmt: skip
    assert len(keys) == len(truth.world.staff)


def test_everybody_has_signed_the_undertaking_of_the_shipped_policy(world: World) -> None:
    """Or the whole company would be out of force."""
    after = load_pack(Path(__file__).parents[3] / "policies" / "courier" / "after")
    signed = world.company.undertaking
    assert signed is not None
    assert after.undertaking == Undertaking(signed.version, signed.digest)
