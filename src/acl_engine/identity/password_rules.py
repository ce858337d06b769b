"""Which passwords may be set. Source: NIST SP 800-63B-4 section 3.1.1.2 and OWASP ASVS 5 (6.2).

Length and a blocklist, no composition rules: at least 8 characters beside a second factor, 15
without; nothing common, nothing of the company, nothing of the person. The reason is told.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from acl_engine.domain.text import Message, Text
from acl_engine.identity.passwords import normal

LEAST_WITH_SECOND_FACTOR = 8
LEAST_ALONE = 15
MOST = 128

TOO_SHORT = Text(
    "password-too-short",
    "密码少于 {least} 个字符",
    "the password has fewer than {least} characters",
    "用几个不相关的词组成一句话",
    "take a few unrelated words",
)
TOO_LONG = Text(
    "password-too-long",
    "密码多于 {most} 个字符",
    "the password has more than {most} characters",
    "请缩短",
    "shorten it",
)
COMMON = Text(
    "password-common",
    "密码太常见，攻击者会最先尝试",
    "the password is among those that are tried first",
    "用几个不相关的词组成一句话",
    "take a few unrelated words",
)
CONTEXT = Text(
    "password-context",
    "密码主要由公司、行业或本人的名称组成",
    "the password is made of names of the company, the trade or the person",
    "用几个不相关的词组成一句话",
    "take a few unrelated words",
)
PATTERN = Text(
    "password-pattern",
    "密码是重复或连续的字符",
    "the password is a repetition or a run of neighbouring keys",
    "用几个不相关的词组成一句话",
    "take a few unrelated words",
)

# The heads of public breach lists, their Chinese neighbours, and what keyboards suggest. Compared
# after lower-casing, undoing look-alikes and cutting figures and marks off both ends.
_COMMON = frozenset(
    """
    password passwd passw pass admin administrator root test guest user login welcome letmein master
    monkey dragon iloveyou sunshine princess football baseball shadow superman batman michael qwerty
    qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc qweasd qweasdzxc wsxedc abc abcd
    abcdef abcdefg changeme default secret temp temporary trustno hello freedom whatever starwars
    computer internet money love woaini woaiwo woaijia woaizhongguo zhongguo mima wodemima caonima
    nihao nihaoma zhangsan lisi wangwu wanghao zhangwei liwei wangwei wangfang lina xiaoming
    taobao alibaba tencent baidu weixin wechat aini aiqing baobei laogong laopo mama baba shengri
    yonghu guanli guanliyuan qaz2wsx qaz2wsx3edc q2w3e4r q2w3e4r5t qwe123 asd123 zxc123 a1b2c3d
    """.split()
)
_CONTEXT = (
    "kuaidi express courier parcel waybill yundan baoguo wuliu logistics yto yuantong shunfeng sf "
    "zto zhongtong sto shentong yunda jitu jt jd jingdong cainiao ems youzheng deppon debang best "
    "baishi wangdian cangguan cangku zhuguan paijian shoupai kehu kefu caiwu fenbo zhongzhuan "
    "shenzhen baoan xixiang shajing xinan fuyong longhua longgang nanshan futian luohu guangdong "
    "guangzhou dongguan beijing shanghai hangzhou branch station keeper manager password admin"
).split()
_LOOKALIKE = str.maketrans("013457@$!", "oieastasi")
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def weakness(password: str, *, second_factor: bool, context: Iterable[str] = ()) -> Message | None:
    """Why the password may not be set, or None. `context`: login, names, unit of its owner."""
    text = normal(password)
    least = LEAST_WITH_SECOND_FACTOR if second_factor else LEAST_ALONE
    if len(text) < least:
        return TOO_SHORT.of(least=least)
    if len(text) > MOST:
        return TOO_LONG.of(most=MOST)
    lower = text.lower()
    if _patterned(lower):
        return PATTERN.of()
    plain = (_ENDS.sub("", lower), _ENDS.sub("", lower).translate(_LOOKALIKE))
    if any(one in _COMMON or _ENDS.sub("", one) in _COMMON for one in plain):
        return COMMON.of()
    if _leftover(lower, [*_CONTEXT, *(word.lower() for word in context)]) < LEAST_OWN:
        return CONTEXT.of()
    return None


# Letters of one's own that a password must hold beside names and figures.
LEAST_OWN = 4


def _patterned(text: str) -> bool:
    """At most two different characters, one piece repeated, or runs along a row of keys."""
    if len(set(text)) <= 2 or re.fullmatch(r"(.{1,4})\1+.?", text):
        return True
    return sum(_steps(one, other) for one, other in pairwise(text)) >= (len(text) - 2)


def _steps(one: str, other: str) -> bool:
    pairs = (one + other, other + one)
    return any(pair in row for row in _ROWS for pair in pairs) or one == other


def _leftover(text: str, words: Iterable[str]) -> int:
    rest = text
    for word in sorted((one for one in words if len(one) >= 2), key=len, reverse=True):
        rest = rest.replace(word, " ")
    return sum(not c.isdecimal() and (c.isalnum() or ord(c) > 127) for c in rest)
