"""What may be a login: a name of one person, the same however it is typed."""

import re

from acl_engine.domain.text import Message, Text

BAD_LOGIN = Text(
    "administration-bad-login",
    "`{login}` 不能作登录名",
    "`{login}` cannot be a login",
    "1 至 64 个小写字母、数字或 . _ - @，以字母或数字开头",
    "1 to 64 of a-z, 0-9 and . _ - @, beginning with a letter or a figure",
)
GENERIC = Text(
    "administration-generic-login",
    "`{login}` 是公用账号的名称",
    "`{login}` is the name of a shared account",
    "每个账号属于一个人：用本人的工号或姓名",
    "an account belongs to one person: name it after them",
)
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_GENERIC = frozenset(
    "admin administrator root test guest user shared public common branch station keeper courier "
    "manager warehouse operator temp office detection gonggong gongyong wangdian cangku".split()
)


def refusal_of_login(login: str) -> Message | None:
    """Why this cannot be a login, or names nobody in particular; None: it may be one."""
    if not LOGIN.fullmatch(login):
        return BAD_LOGIN.of(login=login)
    if login in _GENERIC:
        return GENERIC.of(login=login)
    return None
