"""Candidates left, against brute force on small alphabets and against the published numbers."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind
from acl_engine.masking import strength as module
from acl_engine.masking.profile_strength import strength
from acl_engine.masking.strength import Known, candidates, join, phone_quantiles

_PREFIX_AND_LAST_4 = (0, 1, 2, 7, 8, 9, 10)


def test_published_numbers_for_phones() -> None:
    """The median and the tenth and ninetieth percentile over all numbers of the public table."""
    assert phone_quantiles(_PREFIX_AND_LAST_4, (0.1, 0.5, 0.9)) == (14, 55, 384)
    assert phone_quantiles((0, 1, 2, 9, 10), (0.5,)) == (5500,)
    assert phone_quantiles((7, 8, 9, 10), (0.5,)) == (1993,)


@pytest.mark.parametrize(
    ("city", "left"), [("吉林", 45), ("杭州", 110), ("深圳市", 238), ("十堰", 19)]
)
def test_published_numbers_by_city(city: str, left: int) -> None:
    assert phone_quantiles(_PREFIX_AND_LAST_4, (0.5,), city) == (left,)


def test_published_numbers_for_ids() -> None:
    """About 2,058 to 3,354 by the range of birthdays, 34 with the year known, under 10 with the
    day and month known."""
    view = "440306********1234"
    adults = candidates(Kind.ID_NUMBER, [view])
    everyone = candidates(
        Kind.ID_NUMBER, [view], known=Known(born=(date(1926, 1, 1), date(2026, 12, 31)))
    )
    assert 2050 <= adults <= 2066
    assert 3345 <= everyone <= 3362
    assert candidates(Kind.ID_NUMBER, ["4403061990****1234"]) in (33, 34)
    assert candidates(Kind.ID_NUMBER, ["440306****01011234"]) < 10
    assert candidates(Kind.ID_NUMBER, ["440306************"]) == 22_645_000


# --- brute force -----------------------------------------------------------------------------

TABLE: Mapping[str, tuple[int, ...]] = {"甲": (1381234, 1381299, 1395678), "乙": (1381235, 1860000)}


def _views(number: str, shown: list[set[int]]) -> list[str]:
    return ["".join(c if i in one else "*" for i, c in enumerate(number)) for one in shown]


def _brute(values: list[str], number: str, shown: list[set[int]]) -> int:
    """Count the values that give the very same views."""
    wanted = _views(number, shown)
    return sum(_views(value, shown) == wanted for value in values)


_CITIES = {
    city: [f"{segment}{tail:04}" for segment in table for tail in range(0, 10000, 1)]
    for city, table in TABLE.items()
}
positions = st.lists(st.sets(st.integers(0, 10)), min_size=1, max_size=2)


@pytest.fixture
def small_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "by_city", lambda: TABLE)
    monkeypatch.setattr(module, "of_city", lambda city: TABLE[city])


@pytest.mark.usefixtures("small_table")
@pytest.mark.parametrize("city", ["甲", "乙", None])
@pytest.mark.parametrize(
    "shown",
    [
        [set()],
        [{0, 1, 2}],
        [{0, 1, 2, 7, 8, 9, 10}],
        [{7, 8, 9, 10}],
        [{9, 10}, {7, 8, 9, 10}],
        [{0, 1, 2, 7, 8, 9, 10}, {0, 1, 2, 3, 4, 5, 6}],
        [{3, 6}],
        [set(range(11))],
    ],
)
def test_phones_against_brute_force(city: str | None, shown: list[set[int]]) -> None:
    number = "18600001234" if city == "乙" else "13812991234"
    values = _CITIES[city] if city else [one for part in _CITIES.values() for one in part]
    found = candidates(Kind.PHONE, _views(number, shown), city=city)
    assert found == _brute(values, number, shown)


_FEW_DAYS = (date(1988, 2, 20), date(1988, 3, 10))


def _all_ids(region: str) -> list[str]:
    """Every valid number of the region in the range, its check digit computed the other way:
    the one that makes the whole weighted sum 1 modulo 11."""
    found = []
    day = _FEW_DAYS[0]
    while day <= _FEW_DAYS[1]:
        for order in range(1000):
            body = region + day.strftime("%Y%m%d") + str(order).zfill(3)
            for check in "0123456789X":
                total = 10 if check == "X" else int(check)
                for at in range(17):
                    total += int(body[at]) * pow(2, 17 - at)
                if total % 11 == 1:
                    found.append(body + check)
        day += timedelta(days=1)
    return found


_IDS = _all_ids("440306")


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(_IDS), st.sets(st.integers(6, 17)))
def test_ids_against_brute_force(number: str, shown: set[int]) -> None:
    visible = [shown | set(range(6))]
    found = candidates(Kind.ID_NUMBER, _views(number, visible), known=Known(born=_FEW_DAYS))
    assert found == _brute(_IDS, number, visible)


# Three surnames, given names of two characters out of three: every person written down.
_SHARES = {"王": 60_000, "欧阳": 30_000, "牛": 10_000}
_LETTERS = "甲乙丙"


def _people() -> list[str]:
    """A population of 900 in which every given name is as frequent as any other."""
    return [
        surname + one + other
        for surname, share in _SHARES.items()
        for one, other in product(_LETTERS, _LETTERS)
        for _ in range(900 * share // 100_000 // 9)
    ]


@pytest.mark.parametrize("name", ["王甲乙", "欧阳丙丙", "牛乙甲"])
@pytest.mark.parametrize("shown", [set(), {0}, {0, 2}, {0, 1}])
def test_names_against_brute_force(
    name: str, shown: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`shown` counts the surname as one; the last character and the first given are positions."""
    monkeypatch.setattr(module, "SHARE", _SHARES)
    monkeypatch.setattr(module, "_GIVEN", len(_LETTERS))

    def seen(one: str) -> str:
        surname = next(s for s in _SHARES if one.startswith(s))
        parts = [surname, *one[len(surname) :]]
        hidden = ["*" * len(part) for part in parts]
        return "".join(
            p if at in shown else h for at, (p, h) in enumerate(zip(parts, hidden, strict=True))
        )

    look = seen(name)
    alike = sum(seen(one) == look for one in _people()) if shown else len(_people())
    assert candidates(Kind.NAME, [look], known=Known(population=900)) == alike


# --- laws ---------------------------------------------------------------------------------------


def test_two_views_that_differ_join_to_the_whole_number() -> None:
    """Mask differencing: each hides four digits, together none."""
    views = ["190****5678", "1901234****"]
    assert join(Kind.PHONE, views) == "19012345678"
    assert candidates(Kind.PHONE, views) == 1


def test_nested_views_join_to_the_wider_one() -> None:
    views = ["*********78", "*******5678", "***"]
    assert join(Kind.PHONE, views) == "*******5678"
    both = candidates(Kind.PHONE, views, city="深圳")
    assert both == candidates(Kind.PHONE, ["*******5678"], city="深圳")


# A busy machine can pause a draw; the law does not depend on the time it takes.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(positions)
def test_one_more_view_never_leaves_more(shown: list[set[int]]) -> None:
    views = _views("13812345678", shown)
    assert candidates(Kind.PHONE, views, city="十堰") <= candidates(
        Kind.PHONE, views[:1], city="十堰"
    )


def test_views_of_two_values_are_refused_not_joined() -> None:
    for views in (["*******5678", "*******5679"], ["*******5678", "****-******78"]):
        with pytest.raises(InputError) as caught:
            candidates(Kind.PHONE, views)
        assert "5678" not in str(caught.value)


def test_a_kind_without_a_count_and_a_city_without_a_table_are_refused() -> None:
    with pytest.raises(InputError):
        candidates(Kind.ADDRESS, ["深圳市***"])
    with pytest.raises(InputError) as caught:
        candidates(Kind.PHONE, ["*******5678"], city="没有这个市")
    assert caught.value.message.code == "segments-city-unknown"


def test_a_rare_surname_leaves_fewer_people() -> None:
    common = candidates(Kind.NAME, ["王**"])
    rare = candidates(Kind.NAME, ["欧阳*"])
    assert common == 72_500
    assert rare < common
    assert candidates(Kind.NAME, ["张*丰"]) < candidates(Kind.NAME, ["张**"])
    assert candidates(Kind.NAME, ["张三丰"]) == 1
    assert candidates(Kind.NAME, ["***"]) == 1_000_000


def test_the_strength_of_profiles_orders_them() -> None:
    """The weak are weaker, and the join of sound views is the wider view, not a third."""
    by_field = {
        name: {row.field: row for row in strength([name])}
        for name in ("label-gbt41833", "pickup", "legacy-3-4", "spp-2022-case8", "housing-strict")
    }
    assert by_field["legacy-3-4"][Kind.PHONE].median == 55
    assert by_field["pickup"][Kind.PHONE].median == 1993
    assert by_field["label-gbt41833"][Kind.PHONE].median == 199_300
    assert by_field["spp-2022-case8"][Kind.ID_NUMBER].median < 2100
    assert by_field["housing-strict"][Kind.ID_NUMBER].median > 20_000_000
    joined = {row.field: row for row in strength(["label-gbt41833", "pickup"])}
    assert joined[Kind.PHONE].median == 1993
    worse = {row.field: row for row in strength(["legacy-3-4", "pickup"])}
    assert worse[Kind.PHONE].median == 55
