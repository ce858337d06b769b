"""The masking profiles, as data: what each shows of a phone, a name, an address, a number.

INVARIANTS
- No profile that is not flagged shows the beginning of a phone number.
- The views of the profiles that are not flagged nest, field by field: the join of any two of them
  is one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.masking.address import Level
from acl_engine.masking.idnumber import IdRule
from acl_engine.masking.name import NameRule

UNKNOWN = Text(
    "mask-profile-unknown",
    "没有脱敏方案 `{profile}`",
    "no masking profile `{profile}`",
    "可用：{known}",
    "known: {known}",
)
WEAK = Text(
    "mask-profile-weak",
    "弱：身份证第 7 至 14 位虽隐藏，但校验码可见；已知出生年份时仅剩 34 种可能",
    "weak: digits 7-14 of an ID are hidden but its check digit shows; 34 left once the birth year "
    "is known",
)
NON_COMPLIANT = Text(
    "mask-profile-non-compliant",
    "不合规：手机号仅隐藏 4 位（GB/T 41833 要求至少 6 位）；已知城市时中位数仅剩 55 种可能",
    "not compliant: hides 4 digits of a phone (GB/T 41833 asks for 6); a median of 55 left in a "
    "known city",
)


_ID_HIDDEN = IdRule()


@dataclass(frozen=True, slots=True)
class Profile:
    """What is shown. Whatever is not named here is hidden; money and plain values always are.

    `phone_first` and `phone_last` count digits, `code_last` characters; `scrub` shows free text
    without what identifies; `trace` shows the city, time and kind of each tracking event.
    """

    id: str
    zh: str
    en: str
    phone_last: int = 0
    phone_first: int = 0
    name: NameRule = NameRule.HIDE
    id_number: IdRule = _ID_HIDDEN
    address: Level = Level.NOTHING
    plate_place: bool = False
    code_last: int = 0
    scrub: bool = False
    trace: bool = False
    flag: Text | None = None


_ALL = (
    Profile(
        "label-gbt41833",
        "快递面单（GB/T 41833）：姓氏、手机尾号 2 位、地址不含楼栋单元",
        "Parcel label (GB/T 41833): surname, last two digits, no building or unit",
        phone_last=2,
        name=NameRule.SURNAME,
        address=Level.AREA,
        code_last=4,
        scrub=True,
    ),
    Profile(
        "screen-strict",
        "屏幕从严：姓氏、手机尾号 2 位、地址到小区",
        "Screen, strict: surname, last two digits, address to the area of interest",
        phone_last=2,
        name=NameRule.SURNAME,
        address=Level.AREA,
        scrub=True,
    ),
    Profile(
        "pickup",
        "驿站取件：姓氏、手机尾号 4 位、运单尾号 4 位",
        "Pickup at a station: surname, last four digits, tail of the waybill number",
        phone_last=4,
        name=NameRule.SURNAME,
        code_last=4,
    ),
    Profile(
        "spp-2022-case8",
        "2022 年住房名单整改规则（原文）：隐藏名字中间字、身份证第 7 至 14 位、地址到街道",
        "Housing rule of 2022, to the letter: middle of the name, ID digits 7-14 hidden, street",
        name=NameRule.ENDS,
        id_number=IdRule(first=6, last=4),
        address=Level.STREET,
        plate_place=True,
        flag=WEAK,
    ),
    Profile(
        "housing-strict",
        "住房名单从严：姓氏、身份证仅前 6 位、地址到街道",
        "Housing list, strict: surname, the first six digits of an ID, street",
        name=NameRule.SURNAME,
        id_number=IdRule(first=6),
        address=Level.STREET,
        plate_place=True,
    ),
    Profile(
        "legacy-3-4",
        "旧式前 3 后 4",
        "The old 3+4 mask",
        phone_first=3,
        phone_last=4,
        name=NameRule.ENDS,
        id_number=IdRule(first=3, last=4),
        address=Level.UNIT,
        plate_place=True,
        code_last=4,
        scrub=True,
        flag=NON_COMPLIANT,
    ),
    Profile(
        "city-only",
        "仅到城市：轨迹与地址",
        "City only: traces and addresses",
        address=Level.CITY,
        trace=True,
    ),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.id: profile for profile in _ALL})


def profile(name: str) -> Profile:
    """The profile of that name. Raises InputError when there is none: deny, never pass through."""
    try:
        return PROFILES[name]
    except KeyError:
        raise InputError(UNKNOWN.of(profile=name, known=", ".join(PROFILES))) from None
