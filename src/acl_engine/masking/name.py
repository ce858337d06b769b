"""Names: Han names of two to four characters, compound surnames, `·` names, Latin, companies.

A compound surname counts as one unit, so that the views of one name nest: what `surname` shows is
always part of what `ends` shows.
"""

import re
from enum import StrEnum

from acl_engine.masking.shape import Shape
from acl_engine.masking.surnames import COMPOUND


class NameRule(StrEnum):
    """`surname`: the surname alone. `ends`: surname and last character (2022 housing rule)."""

    HIDE = "hide"
    SURNAME = "surname"
    ENDS = "ends"


_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef〇*"
_HAN_NAME = re.compile(rf"[{_HAN}]{{2,4}}\Z")
_DOTTED = re.compile(rf"[{_HAN}]{{1,15}}(?:·[{_HAN}]{{1,15}}){{1,4}}\Z")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ*][A-Za-zÀ-ɏ*' .,-]{1,60}\Z")
_LEGAL_FORM = (
    "股份有限公司 有限责任公司 有限公司 集团公司 公司 集团 工作室 事务所 经营部 服务部 门市部 "
    "专卖店 旗舰店 商行 商店 超市 工厂 学校 医院 银行 酒店 "
    "仓库 Ltd Inc LLC Co.,Ltd. Co.,Ltd Ltd. GmbH"
).split()
_COMPANY = re.compile(
    r".{0,80}?(?P<form>"
    + "|".join(sorted(map(re.escape, _LEGAL_FORM), key=len, reverse=True))
    + r")\Z",
    re.IGNORECASE,
)


def parse(text: str) -> Shape | None:
    """Parts: the surname (or what may be shown first), then the given name. None: not a name."""
    if (match := _COMPANY.match(text)) and match.start("form") > 0:
        return Shape("company", text, ((match.start("form"), len(text)),))
    # Forms are often filled in with the characters spaced out.
    text = text.replace(" ", "") if _HAN_NAME.match(text.replace(" ", "")) else text
    if _HAN_NAME.match(text):
        cut = 2 if len(text) > 2 and text[:2] in COMPOUND else 1
        return Shape("han", text, ((0, cut), (cut, len(text))))
    if _DOTTED.match(text):
        dots = frozenset(i for i, c in enumerate(text) if c == "·")
        return Shape("dotted", text, ((0, 1),), dots)
    if _LATIN.match(text):
        return Shape("latin", text, ((0, 1),))
    return None


def shown(shape: Shape, rule: NameRule) -> frozenset[int]:
    """Positions shown. A company shows its legal form; `·` and Latin names their first letter."""
    if rule is NameRule.HIDE:
        return frozenset()
    kept = set(range(*shape.parts[0]))
    if shape.form == "han" and rule is NameRule.ENDS:
        start, end = shape.parts[1]
        if end - start > 1:
            kept.add(end - 1)
    return frozenset(kept)
