"""How many last digits of a phone a city can afford to show.

With its city known (it stands in the address), a phone that shows its last `n` digits is one of
`segments x 10^(4-n)` numbers. Where that is under 1,000, fewer digits are shown.

The three groups are counted from the public segment table of `masking/segments.py`; a test counts
them again. They are written down here so that a mask never depends on an optional package.
"""

import re
from collections.abc import Iterable

LEAST = 1000
FOUR, TWO, ONE = 4, 2, 1

# At least 1,000 segments: the last four digits leave 1,000 numbers or more.
CROWDED: frozenset[str] = frozenset(
    """
    上海 上饶 东莞 东营 中山 临汾 临沂 乌鲁木齐 九江 亳州 佛山 佳木斯 保定 信阳
    六安 兰州 包头 北京 南京 南充 南宁 南昌 南通 南阳 厦门 台州 合肥 吉林 周口
    呼和浩特 咸阳 哈尔滨 唐山 商丘 嘉兴 大同 大庆 大连 天津 太原 威海 宁波 安庆
    安阳 宜宾 宜昌 宜春 宿州 宿迁 岳阳 常州 常德 平顶山 广州 廊坊 开封 张家口 徐州
    德州 德阳 怀化 惠州 成都 扬州 承德 揭阳 新乡 无锡 昆明 曲靖 杭州 枣庄 柳州
    株洲 桂林 榆林 武汉 毕节 永州 汕头 江门 沈阳 沧州 泉州 泰安 泰州 泸州 洛阳
    济南 济宁 海口 淄博 淮安 深圳 温州 渭南 湖州 湛江 滨州 漳州 潍坊 濮阳 烟台
    焦作 玉林 珠海 益阳 盐城 石家庄 福州 秦皇岛 绍兴 绥化 绵阳 聊城 肇庆 芜湖 苏州
    茂名 荆州 菏泽 衡水 衡阳 襄阳 西安 许昌 贵阳 赣州 赤峰 达州 运城 连云港 通辽
    遵义 邢台 邯郸 邵阳 郑州 郴州 鄂尔多斯 重庆 金华 银川 锦州 镇江 长春 长沙 阜阳
    青岛 鞍山 驻马店 黄冈 齐齐哈尔
    """.split()
)
# Under ten segments: the last two digits would leave fewer than 1,000.
SCARCE: frozenset[str] = frozenset(
    "三亚 临河 乌兰浩特 博乐 格尔木 海拉尔 海晏 湘西 潢川 珲春 西昌 锡林郭勒盟 集宁".split()
)

_PROVINCE = re.compile(r"\A.{2,8}?(?:省|自治区)(?=.{2})")
_ENDING = re.compile(r"(?<=..)(?:特别行政区|市|地区|盟|自治州)\Z")


def name_of(city: str) -> str:
    """A city as the tables write it: without its province and without its ending."""
    city = _PROVINCE.sub("", city.strip())
    return city if city in CROWDED or city in SCARCE else _ENDING.sub("", city)


def digits_affordable(cities: Iterable[str]) -> int:
    """How many last digits may show of a phone whose city is one of these; '' is an unknown one.

    The scarcest city decides. A city that is in neither group has ten segments or more, or is no
    city of the table: it affords two.
    """
    return min(map(_affordable, cities), default=FOUR)


def _affordable(city: str) -> int:
    name = name_of(city)
    if name in CROWDED:
        return FOUR
    # `湘西土家族苗族自治州` is 湘西.
    return ONE if name.startswith(tuple(SCARCE)) else TWO
