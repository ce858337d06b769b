"""What each profile shows of values as people write them. Every value here is invented."""

import pytest

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind
from acl_engine.masking.mask import mask
from acl_engine.masking.profiles import PROFILES

PHONES = [
    ("19012345678", "*********78", "*******5678"),
    ("+86 190 1234 5678", "*********78", "*******5678"),
    ("0086-19012345678", "*********78", "*******5678"),
    ("(+86)19012345678", "*********78", "*******5678"),
    ("１９０１２３４５６７８", "*********78", "*******5678"),
    ("190\u200b1234\ufeff5678", "*********78", "*******5678"),
    ("190-1234-5678", "*********78", "*******5678"),
    ("19012345678转1234", "*********78-****", "*******5678-****"),
    ("19012345678-1234", "*********78-****", "*******5678-****"),
    ("0755-28123401", "****-******01", "****-******01"),
    ("(0755)28123401", "****-******01", "****-******01"),
    ("01062345678", "***-******78", "***-******78"),
    ("+852 9123 4567", "+***-******67", "+***-******67"),
    ("00853-66123456", "+***-******56", "+***-******56"),
    ("+886 912345678", "+***-*******78", "+***-******678"),
    ("4001234567", "***-******7", "***-******7"),
]


@pytest.mark.parametrize(("value", "label", "pickup"), PHONES)
def test_a_phone_shows_a_suffix_however_it_is_written(value: str, label: str, pickup: str) -> None:
    assert mask(Kind.PHONE, value, ["label-gbt41833"]) == label
    assert mask(Kind.PHONE, value, ["screen-strict"]) == label
    assert mask(Kind.PHONE, value, ["pickup"]) == pickup


NAMES = [
    ("张三", "张*", "张*"),
    ("张三丰", "张**", "张*丰"),
    ("张 三", "张*", "张*"),
    ("欧阳锋", "欧阳*", "欧阳*"),
    ("诸葛孔明", "诸葛**", "诸葛*明"),
    ("王李小明", "王***", "王**明"),
    ("买买提·艾力", "买**·**", "买**·**"),
    ("买买提•艾力", "买**·**", "买**·**"),
    ("John Smith", "J*********", "J*********"),
    ("深圳市某某科技有限公司", "*******有限公司", "*******有限公司"),
    ("张三(前台)", "***", "***"),
    ("张三19012345678", "***", "***"),
    ("王", "***", "***"),
]


@pytest.mark.parametrize(("value", "strict", "housing"), NAMES)
def test_a_name_shows_its_surname(value: str, strict: str, housing: str) -> None:
    assert mask(Kind.NAME, value, ["screen-strict"]) == strict
    assert mask(Kind.NAME, value, ["spp-2022-case8"]) == housing


IDS = [
    ("440306209901011234", "440306********1234", "440306************"),
    ("44030620990101123x", "440306********123X", "440306************"),
    ("440306 20990101 1234", "440306********1234", "440306************"),
    ("440306990101123", "440306******123", "440306*********"),
    ("H12345678", "H********", "H********"),
    ("A123456(7)", "A******(*)", "A******(*)"),
    ("12345678", "***", "***"),
    ("4403", "***", "***"),
]


@pytest.mark.parametrize(("value", "weak", "strict"), IDS)
def test_an_id_number_never_shows_its_birthday(value: str, weak: str, strict: str) -> None:
    assert mask(Kind.ID_NUMBER, value, ["spp-2022-case8"]) == weak
    assert mask(Kind.ID_NUMBER, value, ["housing-strict"]) == strict
    assert mask(Kind.ID_NUMBER, value, ["screen-strict"]) == "***"


ADDRESSES = [
    (
        "广东省深圳市宝安区西乡街道臣田花园3栋1203室",
        "广东省深圳市宝安区西乡街道臣田花园***",
        "广东省深圳市宝安区西乡街道***",
        "广东省深圳市***",
    ),
    (
        "上海市浦东新区张江路88号",
        "上海市浦东新区张江路***",
        "上海市浦东新区张江路***",
        "上海市***",
    ),
    ("西乡街道 盐田新村", "西乡街道盐田新村", "西乡街道***", "***"),
    ("沈阳市和平区文体路三号", "沈阳市和平区文体路***", "沈阳市和平区文体路***", "沈阳市***"),
    ("3栋2单元1203", "***", "***", "***"),
    ("臣田花园张三收", "***", "***", "***"),
    ("三围码头3栋", "三围码头***", "***", "***"),
    ("东门大厦找张三", "东门大厦***", "***", "***"),
]


@pytest.mark.parametrize(("value", "label", "housing", "city"), ADDRESSES)
def test_an_address_is_cut_at_its_level(value: str, label: str, housing: str, city: str) -> None:
    assert mask(Kind.ADDRESS, value, ["label-gbt41833"]) == label
    assert mask(Kind.ADDRESS, value, ["housing-strict"]) == housing
    assert mask(Kind.ADDRESS, value, ["city-only"]) == city


REMARKS = [
    ("请放门口，张三丰电话19012345678", "请放门口,***电话***********"),
    ("打一九零零一二三四五六七八", "打************"),
    ("190 1234 - 5678", "***"),
    ("３栋１２０３室老王收", "*栋****室**收"),
    ("送到前台小李，微信wx_abc12", "送到前台**,微信********"),
    ("周末送货，王国庆代收", "周末送货,***代收"),
    ("请打电话给王明放丰巢", "请打电话给**放丰巢"),
    ("联系欧阳锋", "联系***"),
    ("请联系雷红放门口", "请联系**放门口"),
    ("易碎品轻拿轻放，谢谢", "易碎品轻拿轻放,谢谢"),
]


@pytest.mark.parametrize(("value", "expected"), REMARKS)
def test_a_remark_hides_phones_ids_and_names(value: str, expected: str) -> None:
    assert mask(Kind.FREE_TEXT, value, ["screen-strict"]) == expected
    assert mask(Kind.FREE_TEXT, value, ["pickup"]) == "***"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.PLATE, "粤B·12345", "粤B*****"),
        (Kind.PLATE, "粤BD12345", "粤B******"),
        (Kind.PLATE, "粤ZA123港", "粤Z*****"),
        (Kind.PLATE, "not a plate", "***"),
        (Kind.MONEY, "99.00", "***"),
        (Kind.PLAIN, "anything", "***"),
    ],
)
def test_plates_money_and_plain_values(kind: Kind, value: str, expected: str) -> None:
    assert mask(kind, value, ["housing-strict"]) == expected


def test_a_code_shows_its_tail_and_leaves_six_hidden() -> None:
    assert mask(Kind.CODE, "SF1234567890123", ["pickup"]) == "***********0123"
    assert mask(Kind.CODE, "A-3-1024", ["pickup"]) == "******24"
    assert mask(Kind.CODE, "123456", ["pickup"]) == "***"


def test_several_profiles_show_the_join_of_their_positions() -> None:
    """Suffixes nest: the join is the wider view, never a third one."""
    assert mask(Kind.PHONE, "19012345678", ["label-gbt41833", "pickup"]) == "*******5678"
    assert mask(Kind.ADDRESS, "深圳市宝安区", ["city-only", "housing-strict"]) == "深圳市宝安区"


def test_a_trace_at_city_level_drops_unit_person_and_free_words() -> None:
    value = (
        '[{"at": 1772400000, "kind": "in", "city": "深圳市", "unit": "ba-xixiang", "by": "u1"},'
        ' {"at": "19012345678", "kind": "a b", "city": "张三"}]'
    )
    expected = '[{"at": 1772400000, "kind": "in", "city": "深圳市"}, {}]'
    assert mask(Kind.PLAIN, value, ["city-only"]) == expected
    assert mask(Kind.PLAIN, "not json", ["city-only"]) == "***"
    assert mask(Kind.PLAIN, '{"city": "深圳市"}', ["city-only"]) == "***"


def test_no_profile_makes_a_denial_not_a_clear_value() -> None:
    assert mask(Kind.PHONE, "19012345678", []) == "***"
    with pytest.raises(InputError) as caught:
        mask(Kind.PHONE, "19012345678", ["clear"])
    assert caught.value.message.code == "mask-profile-unknown"
    assert "5678" not in str(caught.value)


def test_only_the_flagged_profiles_are_weak() -> None:
    assert {name for name, one in PROFILES.items() if one.flag} == {"spp-2022-case8", "legacy-3-4"}
