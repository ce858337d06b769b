"""Where a city has few phone numbers, fewer digits show: the last four never leave under 1,000."""

import pytest

from acl_engine.domain.decision import Decision, Effect, Grant, Show
from acl_engine.domain.pack import FieldSpec, Kind, ResourceSpec
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.text import Text
from acl_engine.masking import view
from acl_engine.masking.cities import CROWDED, LEAST, SCARCE, digits_affordable, name_of
from acl_engine.masking.mask import mask
from acl_engine.masking.segments import by_city


def test_the_groups_are_those_of_the_segment_table() -> None:
    """The written list and the public table say the same."""
    table = by_city()
    assert {city for city, own in table.items() if len(own) >= 1000} == CROWDED
    assert {city for city, own in table.items() if len(own) < 10} == SCARCE


def test_no_city_shows_digits_that_leave_fewer_than_a_thousand() -> None:
    """Counted one number at a time: every segment holds one number with a given last four."""
    for city, segments in by_city().items():
        shown = digits_affordable([city])
        assert len(segments) * 10 ** (4 - shown) >= LEAST


@pytest.mark.parametrize(
    ("city", "view_of_pickup"),
    [
        ("深圳", "*******5678"),
        ("深圳市", "*******5678"),
        ("广东省深圳市", "*******5678"),
        ("鄂州市", "*********78"),
        ("海南省三亚市", "**********8"),
        ("湘西土家族苗族自治州", "**********8"),
        ("某个不存在的市", "*********78"),
        ("", "*********78"),
    ],
)
def test_a_sparse_city_shows_fewer_digits(city: str, view_of_pickup: str) -> None:
    assert mask(Kind.PHONE, "19012345678", ["pickup"], [city]) == view_of_pickup


def test_the_scarcest_city_that_a_number_may_belong_to_decides() -> None:
    assert digits_affordable(["深圳", "三亚"]) == digits_affordable(["三亚"])


def test_a_name_of_a_city_is_read_with_and_without_its_ending() -> None:
    for city in CROWDED:
        assert name_of(city) == name_of(city + "市") == city


# --- at the door --------------------------------------------------------------------------------


def _record(city: str | None, address: str | None) -> str:
    """What `pickup` shows of the phone of a record with this city and this address."""
    attributes = {"stage": "text"} | ({"city": "text"} if city is not None else {})
    resource = ResourceSpec(
        "parcel",
        "no",
        {
            "phone": FieldSpec("phone", Kind.PHONE, "contact", "电话", "phone"),
            "home": FieldSpec("home", Kind.ADDRESS, "address", "地址", "address"),
        },
        attributes,  # type: ignore[arg-type]
        ("IN",),
    )
    fields = {"phone": "19012345678"} | ({"home": address} if address is not None else {})
    record = PersonalRecord("parcel", "1", {"stage": "IN", "city": city}, fields)
    decision = Decision(
        Effect.ALLOW,
        ("r",),
        Text("test", "试", "test").of(),
        "v",
        grants={"phone": Grant(Show.MASK, ("pickup",))},
    )
    return view(record, decision, resource)["phone"]


@pytest.mark.parametrize(
    ("city", "address", "shown"),
    [
        ("深圳市", None, "*******5678"),
        ("鄂州市", None, "*********78"),
        (None, "湖北省鄂州市鄂城区凤凰街道3栋", "*********78"),
        (None, "广东省深圳市宝安区西乡街道3栋", "*******5678"),
        ("深圳市", "湖北省鄂州市鄂城区", "*********78"),  # the other party's city is a city too
        (None, "3栋1203", "*********78"),  # an address whose city is not recognised
        (None, None, "*******5678"),  # nothing beside it says where it belongs
    ],
)
def test_a_record_s_own_city_decides(city: str | None, address: str | None, shown: str) -> None:
    assert _record(city, address) == shown
