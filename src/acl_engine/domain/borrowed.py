"""Words that a message borrows in English: the system's reasons, a library's, names of kinds.

A parameter called `what` or `why` may hold them; a Chinese sentence has them in Chinese. What is
not known here stays as it is: half a sentence in English says more than none.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

NAMED = frozenset({"what", "why"})
_WORDS: Mapping[str, str] = MappingProxyType({
    # errno's, as POSIX systems word them
    "No such file or directory": "没有这个文件或文件夹",
    "Permission denied": "没有权限",
    "Operation not permitted": "不允许这样操作",
    "Is a directory": "这是文件夹，不是文件",
    "Not a directory": "路径中有一段不是文件夹",
    "File exists": "文件已存在",
    "No space left on device": "磁盘已满",
    "Disk quota exceeded": "磁盘配额已满",
    "Read-only file system": "文件系统只读",
    "File name too long": "文件名太长",
    "Too many open files": "打开的文件太多",
    "Too many levels of symbolic links": "符号链接绕成了圈",
    "File too large": "文件太大",
    "Input/output error": "磁盘读写出错",
    "Address already in use": "端口已被占用",
    "Cannot assign requested address": "本机没有这个地址",
    "Connection refused": "对方没有在监听",
    "Broken pipe": "对方已关闭",
    # kinds of things that were named wrongly
    "role": "角色",
    "stage": "环节",
    "relation": "关系",
    "resource": "记录类型",
    "action": "操作",
    "field": "字段",
    "mask profile": "脱敏方式",
    "control": "控制措施",
    "scenario": "情景",
    "variable": "变量",
    "param": "参数",
    "search criterion": "查询条件",
    "a criterion": "查询条件",
    "a key": "运单号或其他主键",
    "login": "账号",
    "unit": "单位",
    "account": "账号",
    "actor": "参与者",
    "channel": "渠道",
    "step": "步骤",
    "device": "设备",
    "diff": "变更对比",
    "replay": "回放结果",
    "not UTF-8": "不是 UTF-8 编码",
    "nested too deeply": "嵌套太深",
})  # fmt: skip
# click's, whole sentences with what was written in them.
_SENTENCES = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"(.+) is not one of (.+)", r"\1 不在可选值 \2 之内"),
        (r"(.+) is not a valid (?:integer|int)( range)?", r"\1 不是整数"),
        (r"(.+) is not in the range (.+)", r"\1 不在范围 \2 之内"),
        (r"(?:File|Directory|Path) (.+) does not exist", r"\1 不存在"),
        (r"(?:File|Path) (.+) is a directory", r"\1 是文件夹，不是文件"),
        (r"Directory (.+) is a file", r"\1 是文件，不是文件夹"),
    )
)


def in_chinese(words: str) -> str:
    """The same in Chinese where it is known, whole; else as it is."""
    if words in _WORDS:
        return _WORDS[words]
    for pattern, chinese in _SENTENCES:
        if found := pattern.fullmatch(words.rstrip(".")):
            return found.expand(chinese)
    return words
