"""Free text: phones, identity numbers, codes, names and addresses hidden inside a remark.

What a remark may say is not known beforehand, so the reading is from what is known to be harmless:
a vocabulary of delivery words is shown; figures from three on, Latin words, and whatever begins
with a surname and is not in the vocabulary are hidden. It hides too much rather than too little;
it cannot promise that a name written without a surname is found (`docs/limitations.md`).

INVARIANT: one pass from the left, each step a function of the text from there on, so what is shown
is read the same way again and masking twice is masking once.
"""

import re

from acl_engine.masking.shape import Shape
from acl_engine.masking.surnames import COMPOUND, SINGLE

_FIGURE = "0-9零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
_GAP = r"[ \-.·,，、/_()+:：;]"
_UNIT_WORD = "号楼|号|栋|幢|座|单元|室|层|楼|房|铺"
_HIDDEN = re.compile(
    rf"[{_FIGURE}](?:{_GAP}{{0,3}}[{_FIGURE}Xx]){{2,}}"  # spoken, spaced and mixed figures too
    rf"|[{_FIGURE}十百]{{1,4}}(?={_UNIT_WORD})"
    r"|[A-Za-z][A-Za-z0-9_.@-]+"
    r"|[A-Za-z](?=座|栋|幢|[0-9])"
)
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
    """.split()
)
_LONGEST = max(map(len, _WORDS))
_CALLED = frozenset("小老阿")


def parse(text: str) -> Shape | None:
    """Parts: the stretches that may be shown. Any text has a shape."""
    parts: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        width, safe = _step(text, at)
        if safe:
            parts.append((at, at + width))
        at += width
    return Shape("text", text, tuple(parts))


def _step(text: str, at: int) -> tuple[int, bool]:
    """How many characters the next stretch has, and whether it may be shown."""
    if match := _HIDDEN.match(text, at):
        return match.end() - at, False
    if word := _word(text, at):
        return word, True
    if name := _name(text, at):
        return name, False
    return 1, True


def _word(text: str, at: int) -> int:
    for size in range(min(_LONGEST, len(text) - at), 0, -1):
        if text[at : at + size] in _WORDS:
            return size
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
