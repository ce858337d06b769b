"""What a role or a coalition can join of its views, and the minimum that a policy states."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType

import pytest

from acl_engine.analysis import mask_reach, pack_lints
from acl_engine.analysis.mask_reach import Join, joins, reach
from acl_engine.analysis.pack_lints import check
from acl_engine.domain.pack import Kind, Pack
from acl_engine.masking import cities, profiles, strength
from acl_engine.masking.profiles import PROFILES, Profile
from acl_engine.policy import pack_row_checks
from acl_engine.policy.pack import load_pack

ROOT = Path(__file__).parents[3]
AFTER = ROOT / "policies" / "courier" / "after"
SMALL = ROOT / "tests" / "assets" / "packs" / "small" / "v1"
ROW = "p, clerk.read, clerk, waybill, read, in_custody, IN|OUT, waybill_no=clear, allow"


def small(into: Path, *rows: str, settings: str = "") -> Path:
    folder = into / "small" / "pack"
    shutil.copytree(SMALL, folder)
    policy = folder / "policy.csv"
    policy.write_text("\n".join([policy.read_text().rstrip(), *rows, ""]))
    with (folder / "settings.yaml").open("a") as file:
        file.write(settings)
    return folder


def row(id_: str, role: str, grant: str, action: str = "read", stages: str = "IN") -> str:
    return f"p, {id_}, {role}, waybill, {action}, in_custody, {stages}, {grant}, allow"


def phone(pack: Pack, *roles: str) -> Join:
    (found,) = [one for one in joins(reach(pack, roles)) if one.kind is Kind.PHONE]
    return found


def errors(folder: Path) -> list[tuple[str, str]]:
    return [
        (one.message.code, dict(one.message.params).get("who", ""))
        for one in check(folder)
        if one.level == "error"
    ]


def test_views_of_every_stage_and_action_join(tmp_path: Path) -> None:
    """What is seen at pickup and what is seen at delivery is seen by one person."""
    folder = small(
        tmp_path,
        row("c.one", "clerk", "phone=mask:label-gbt41833", stages="IN"),
        row("c.two", "clerk", "phone=mask:pickup", "trace", stages="DONE"),
    )
    assert phone(load_pack(folder), "clerk").strength.view == "*******5678"


def test_a_coalition_knows_what_its_members_see(tmp_path: Path) -> None:
    """Each hides enough; together nothing is hidden."""
    folder = small(tmp_path, row("c.legacy", "clerk", "phone=mask:legacy-3-4"))
    pack = load_pack(folder)
    assert phone(pack, "courier").strength.view == "*********78"
    assert phone(pack, "courier", "clerk").strength.view == "138****5678"


def test_a_group_s_row_is_seen_by_its_roles(tmp_path: Path) -> None:
    folder = small(tmp_path, row("s.phone", "staff", "phone=mask:pickup"))
    assert phone(load_pack(folder), "courier").strength.view == "*******5678"


def test_what_is_printed_is_seen_by_whoever_holds_it(tmp_path: Path) -> None:
    """The paper label is a view of the sorter too, whatever the sorter's screen shows."""
    paper = "masking: {paper: {rows: [l.print], held_by: [clerk]}}\n"
    folder = small(tmp_path, row("l.print", "courier", "phone=mask:label-gbt41833"), settings=paper)
    (seen,) = phone(load_pack(folder), "clerk").seen
    assert (seen.row.id, seen.paper) == ("l.print", True)
    assert joins(reach(load_pack(small(tmp_path / "b")), ("clerk",))) == ()


def test_a_row_that_is_certainly_denied_shows_nothing(tmp_path: Path) -> None:
    folder = small(tmp_path, row("c.rev", "clerk", "phone=mask:legacy-3-4", "reverse_lookup"))
    assert joins(reach(load_pack(folder), ("clerk",))) == ()
    assert errors(folder) == []


# --- acl policy check ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "settings", "found"),
    [
        (["phone=mask:legacy-3-4"], "", [("lint.mask-under-minimum", "clerk")]),
        (["phone=mask:pickup"], "masking: {minimum: {phone: 5000}}\n", ["courier", "clerk"]),
        (["phone=mask:pickup"], "masking: {minimum: {phone: 1000}}\n", []),
        (["phone=clear"], "masking: {clear: {}}\n", [("lint.clear-unstated", "")]),
        (["phone=clear"], "masking: {clear: {phone: [clerk]}}\n", []),
    ],
)
def test_a_policy_is_held_to_its_minimum(
    tmp_path: Path, rows: list[str], settings: str, found: list[str | tuple[str, str]]
) -> None:
    folder = small(
        tmp_path, *(row(f"c.{n}", "clerk", one) for n, one in enumerate(rows)), settings=settings
    )
    wanted = [("lint.mask-under-minimum", one) if isinstance(one, str) else one for one in found]
    assert errors(folder) == wanted


@pytest.fixture
def head_profile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A profile that hides six digits and would pass alone: the first five show."""
    head = Profile("head", "前五位", "first five", phone_first=5)
    everything = MappingProxyType({**PROFILES, "head": head})
    monkeypatch.setattr(profiles, "PROFILES", everything)
    monkeypatch.setattr(pack_lints, "PROFILES", everything)
    monkeypatch.setattr(pack_row_checks, "PROFILES", frozenset(everything))
    mask_reach._counted.cache_clear()
    yield
    mask_reach._counted.cache_clear()


@pytest.mark.usefixtures("head_profile")
def test_a_named_coalition_is_held_to_the_minimum(tmp_path: Path) -> None:
    """No member falls short alone; a prefix beside a suffix does."""
    head = row("c.head", "clerk", "phone=mask:head")
    assert errors(small(tmp_path / "alone", head)) == []
    named = "masking: {coalitions: [[courier, clerk]]}\n"
    assert errors(small(tmp_path / "named", head, settings=named)) == [
        ("lint.mask-under-minimum", "courier + clerk")
    ]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("masking:\n  minimum: {}", "pack.weak-in-production"),
        ("masking: {minimum: {address: 5}}", "pack.unknown-word"),
        ("masking: {minimum: {phone: 0}}", "yaml.wrong-type"),
        ("masking: {clear: {phone: [nobody]}}", "pack.unknown-word"),
        ("masking: {coalitions: [[clerk, nobody]]}", "pack.unknown-word"),
        ("masking: {paper: {rows: [nothing], held_by: [clerk]}}", "pack.unknown-word"),
    ],
)
def test_a_minimum_that_means_nothing_is_refused(tmp_path: Path, settings: str, code: str) -> None:
    (found,) = check(small(tmp_path, settings=settings + "\n"))
    assert (found.level, found.message.code) == ("error", code)
    assert found.where.line > 20


# --- a second implementation ------------------------------------------------------------------

# City -> segments, few enough to write every number down.
TABLE: Mapping[str, tuple[int, ...]] = {
    "甲": (1381234, 1381299, 1381355, 1395678),
    "乙": tuple(range(1860000, 1860012)),
}
# What the profiles say in words, written anew: digits shown from the start, from the end.
DIGITS = {
    "label-gbt41833": (0, 2),
    "pickup": (0, 4),
    "legacy-3-4": (3, 4),
    "spp-2022-case8": (0, 0),
}
AFFORDS = {"甲": 1, "乙": 2}


def fewest(names: tuple[str, ...]) -> int:
    """Write down every number of every city with what the views show of it, and count the
    numbers that look alike: the smallest group anywhere."""
    smallest = []
    for city, segments in TABLE.items():
        groups: Counter[tuple[str, ...]] = Counter()
        for segment, tail in product(segments, range(10_000)):
            number = f"{segment}{tail:04d}"
            looks = []
            for name in names:
                first, last = DIGITS[name]
                last = min(last, AFFORDS[city])
                looks.append(number[:first] + "." + number[11 - last :])
            groups[tuple(looks)] += 1
        smallest.append(min(groups.values()))
    return min(smallest)


@pytest.mark.parametrize(
    "names",
    [
        ("label-gbt41833",),
        ("pickup",),
        ("legacy-3-4",),
        ("spp-2022-case8",),
        ("label-gbt41833", "pickup"),
        ("legacy-3-4", "pickup"),
    ],
)
def test_the_fewest_left_against_enumeration(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strength, "by_city", lambda: TABLE)
    monkeypatch.setattr(strength, "of_city", lambda city: TABLE[city])
    monkeypatch.setattr(cities, "CROWDED", frozenset())
    monkeypatch.setattr(cities, "SCARCE", frozenset({"甲"}))
    strength._alike.cache_clear()
    mask_reach._counted.cache_clear()
    try:
        rows = [
            row(f"c.{n}", "courier", f"phone=mask:{name}", stages="DONE")
            for n, name in enumerate(names)
        ]
        pack = load_pack(small(tmp_path, *rows))
        seen = [one for one in reach(pack, ("courier",)) if one.row.id.startswith("c.")]
        (found,) = joins(seen)
        assert found.least == fewest(names)
    finally:
        strength._alike.cache_clear()
        mask_reach._counted.cache_clear()
