"""Addresses, cut after the city, the district, the street, the area or the unit; never the room.

What a mask shows is always a prefix, so any two views nest. A level is shown only when it was
recognised by its own ending word; from the first character that is not recognised on, everything
is hidden. A figure ends every level but the unit: a house number narrows a street to a door.
"""

import re
from enum import IntEnum

from acl_engine.masking.shape import Shape, clean


class Level(IntEnum):
    """How far an address is shown."""

    NOTHING = 0
    CITY = 1
    DISTRICT = 2
    STREET = 3
    AREA = 4
    UNIT = 5


_HAN = "[\u4e00-\u9fff]"
# Province and city are one level: a municipality is both. A supermarket is no city.
_MUNICIPALITY = r"(?:北京|上海|天津|重庆)市?(?!大道|路|街|道)"
_MARKET = "(?<![超门夜菜花早集城])市(?!场)"
_CITY = re.compile(
    rf"{_MUNICIPALITY}|(?:香港|澳门)(?:特别行政区)?|"
    rf"(?:{_HAN}{{2,7}}?(?:省|自治区))?{_HAN}{{2,9}}?(?:自治州|地区|盟|{_MARKET})"
)
# `社区` and `三区` are areas; a district's name does not run past the ending of a street.
_IN_DISTRICT = rf"{_HAN}(?:(?!街道|大道|镇|乡|路|街|村){_HAN}){{0,8}}?"
_DISTRICT = re.compile(
    rf"{_IN_DISTRICT}(?:新区|林区|(?<![社小园业院校厂景库一二三四五六七八九十])区(?!域)|县|自治旗|旗|{_MARKET})"
)
_STREET = re.compile(
    rf"{_HAN}{{1,9}}?(?:街道办事处|街道|苏木|镇(?!街道)|乡(?!街道|镇)|大道|道|路|街(?!道)|巷|胡同)"
)
_AREA_ENDING = (
    "花园 花苑 小区 社区 新村 家园 广场 大厦 工业园 工业区 科技园 产业园 创业园 物流园 公寓 中心 "
    "别墅 学校 学院 大学 医院 市场 商城 名苑 雅苑 豪庭 豪苑 华庭 公馆 国际 公园 车站 "
    "码头 机场 仓库 村 苑 城 园 府 庭 里 坊 湾 居 轩 阁 邸 寓 厂"
).split()
_AREA = re.compile(
    rf"{_HAN}{{1,14}}?(?:"
    + "|".join(sorted(_AREA_ENDING, key=len, reverse=True))
    + rf")(?!{_HAN}{{0,3}}(?:收|转))"  # `某园张三收`: where the name begins is not known
)
# Where the door begins: `三栋`, `第二单元`, `甲座`. A figure is no Han character, it ends a level.
_UNIT = re.compile(
    r"[第]?[一二三四五六七八九十百零〇两东西南北甲乙丙丁]{1,4}(?:号楼|号院|号|栋|幢|座|单元|室|层|楼|房|铺)"
)
# The building and its entrance; what follows (floor, room) is nobody's to see.
_BUILDING = re.compile(
    r"第?(?:[0-9]{1,5}|[A-Za-z]|[一二三四五六七八九十百零〇东西南北甲乙丙丁]{1,4})[-之]?[0-9]{0,3}"
    r"(?:号楼|号院|号|栋|幢|座|单元)"
)


def parse(text: str) -> Shape | None:
    """Parts: one (0, end) for each level, CITY to UNIT; a level not found ends where the last did.

    None when not even one level is recognised.
    """
    packed = text.replace(" ", "").replace(",", "")
    ends: list[int] = []
    at = 0
    if match := _CITY.match(packed):
        at = match.end()
    ends.append(at)
    for pattern, repeats in ((_DISTRICT, 1), (_STREET, 3), (_AREA, 2)):
        for _ in range(repeats):
            at = _step(packed, at, pattern)
        ends.append(at)
    if not at:
        return None
    for _ in range(3):
        building = _BUILDING.match(packed, at)
        at = building.end() if building else at
    ends.append(at)
    return Shape("address", packed, tuple((0, end) for end in ends), tail=True)


def city(text: str) -> str:
    """The city that an address begins with, or ''."""
    match = _CITY.match(clean(text).replace(" ", "").replace(",", ""))
    return match[0] if match else ""


def _step(text: str, at: int, pattern: re.Pattern[str]) -> int:
    match = pattern.match(text, at)
    if not match:
        return at
    unit = _UNIT.search(text, at, match.end())
    return at if unit else match.end()


def shown(shape: Shape, level: Level) -> frozenset[int]:
    """Positions shown: the prefix up to the end of `level`."""
    if level is Level.NOTHING:
        return frozenset()
    return frozenset(range(shape.parts[level - 1][1]))
