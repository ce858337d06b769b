"""Free text: phones, identity numbers, codes, names and addresses hidden inside a remark.

What a remark may say is not known beforehand, so the reading is from what is known to be harmless:
a vocabulary of delivery words is shown; figures from three on, words of any other script, and
whatever begins with a surname and is not in the vocabulary are hidden. It hides too much rather
than too little; it cannot promise that a name written without a surname is found
(`docs/limitations.md`).

INVARIANTS
- Reading what a reading left shows it again: it is read until nothing more is hidden.
- Where the figures that would still show could be a telephone number together, none shows.
"""

import re

from acl_engine.masking.shape import STAR, Shape
from acl_engine.masking.surnames import COMPOUND, SINGLE

_FIGURE = "0-9零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
# A letter or figure of any script but the common Han characters.
_SIGN = r"(?:(?![\u3400-\u4dbf\u4e00-\u9fff〇])[^\W_])"
# What people put between the figures of a number: anything that is neither letter nor figure.
_GAP = r"[\W_]"
_UNIT_WORD = "号楼|号|栋|幢|座|单元|室|层|楼|房|铺"
_HIDDEN = re.compile(
    rf"(?:[{_FIGURE}]|{_SIGN})(?:{_GAP}{{0,6}}(?:[{_FIGURE}]|{_SIGN})){{2,}}"
    rf"|[{_FIGURE}十百]{{1,4}}(?={_UNIT_WORD})"
    rf"|(?![0-9]){_SIGN}{{2,}}"
    r"|[\U00020000-\U0003ffff]"  # rare characters stand in names
    rf"|(?![0-9]){_SIGN}(?=座|栋|幢|[0-9])"
)
_FIGURES = re.compile(f"[{_FIGURE}]")
_SIGNS = re.compile(rf"[{_FIGURE}]|{_SIGN}")
# With any other character the hidden stretches do not begin.
_MAY_HIDE = re.compile(rf"[{_FIGURE}十百]|{_SIGN}")
# The fewest figures of a telephone number.
_TELEPHONE = 7
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORDS = frozenset(
    """
    放门口 门口 放门卫 门卫 放快递柜 快递柜 放丰巢 丰巢 放驿站 驿站 放前台 前台 放保安室 保安室 保安
    物业 家门口 门外 鞋柜 消防栓 电表箱 水表箱 水果 水产 收货 收件 收到 代收 代签 本人签收 签收 本人
    请打电话 打电话 电话联系 电话 请电联 电联 联系 短信 微信 不要打电话 勿打电话 请勿 请放 请送
    送货上门 送上门 上门 送到家 送到 送货 派送 配送 派件 送达 自提 自取 取件 寄件 退货 换货 拒收
    周一 周二 周三 周四 周五 周六 周日 周末 工作日 上午 中午 下午 晚上 早上 傍晚 今天 明天 后天
    节假日 易碎品 易碎 易腐 易燃 轻拿轻放 小心轻放 小心 小区 小孩 小狗 老人 老年 生鲜 冷藏 冷冻 保鲜
    加急 急件 尽快 马上 时间 时候 时效 方便 方式 安全 安排 安装 包裹 包装 全部 全家 全天 单号 单子
    单元 单独 单位 谢谢 感谢 麻烦 辛苦 高层 高楼 白天 平安 平时 成功 文件 文具 明显 花盆 金属 关门
    关机 车库 车位 车上 双层 黄色 白色 红色 别放 别的 常温 常在 严禁 严重 路口 路边 石头 温度 向上
    计时 干净 华为 应急 原包装 原路 连同 包好 东门 西门 南门 北门 后门 国庆 广场 通知 家里 家人
    经常 经过 通话 通风 容易 别人 尚未 相关 终点 步行 居家 印刷 支付 到付 付款 货到付款 海鲜 初次
    原件 代取 验货 先验货 先生
    女士 小姐 师傅 客户 收件人 寄件人 顾客 发票 保价 贵重 物品 易损 防潮 防水 防震 来电 盖章 那边
    查收 查看 查验 管理处 管理员 管家 左边 左侧 左转 后面 牛奶 马桶 万一 强光 强烈 项目 关好 房间
    房东 家中 别忘 空闲 索取 宿舍 怀孕 能否 松动
    衣物 茶叶 图书 手机壳 玩具 保健品 化妆品 鞋子 小家电 大米 水杯 白酒 红酒 香水 书包 药品 食品
    """.split()
)
# First character -> the words that begin with it, longest first.
_BY_FIRST: dict[str, tuple[str, ...]] = {
    first: tuple(sorted((w for w in _WORDS if w[0] == first), key=len, reverse=True))
    for first in {word[0] for word in _WORDS}
}
_CALLED = frozenset("小老阿")


def parse(text: str) -> Shape | None:
    """Parts: the stretches that may be shown; the rest of the shape's text is stars already.

    Any text has a shape.
    """
    read = text
    while True:
        parts = _read(read)
        left = _hidden(read, parts)
        # Only signs that stand apart can come together across what was hidden between them.
        if left == read or not _SIGNS.search(left):
            return Shape("text", left, tuple(parts))
        read = left


def _read(text: str) -> list[tuple[int, int]]:
    """One pass from the left, each step a function of the text from there on."""
    parts: list[tuple[int, int]] = []
    loose: list[tuple[int, int]] = []  # single characters outside of the vocabulary
    at = 0
    while at < len(text):
        width, safe = _step(text, at)
        if safe and text[at] != STAR:
            parts.append((at, at + width))
            if width == 1 and _FIGURES.match(text, at):
                loose.append(parts[-1])
        at += width
    return [one for one in parts if one not in loose] if len(loose) >= _TELEPHONE else parts


def _hidden(text: str, parts: list[tuple[int, int]]) -> str:
    out = [STAR] * len(text)
    for start, end in parts:
        out[start:end] = text[start:end]
    return "".join(out)


def _step(text: str, at: int) -> tuple[int, bool]:
    """How many characters the next stretch has, and whether it may be shown."""
    if _MAY_HIDE.match(text, at) and (match := _HIDDEN.match(text, at)):
        return match.end() - at, False
    if word := _word(text, at):
        return word, True
    if name := _name(text, at):
        return name, False
    return 1, True


def _word(text: str, at: int) -> int:
    for word in _BY_FIRST.get(text[at], ()):
        if text.startswith(word, at):
            return len(word)
    return 0


def _name(text: str, at: int) -> int:
    if text[at : at + 2] in COMPOUND:
        return _given(text, at + 2, 2) - at
    if text[at] in _CALLED and _HAN.match(text, at + 1):
        return 2
    if text[at] in SINGLE:
        return _given(text, at + 1, 2) - at
    return 0


def _given(text: str, at: int, most: int) -> int:
    """Where a given name of at most `most` characters ends; a known word ends it sooner."""
    end = at
    while end < min(len(text), at + most) and _HAN.match(text, end):
        if end > at and _word(text, end) > 1:
            break
        end += 1
    return end


def shown(shape: Shape, scrub: bool) -> frozenset[int]:
    """The safe stretches, or nothing."""
    return frozenset(i for part in shape.parts for i in range(*part)) if scrub else frozenset()
